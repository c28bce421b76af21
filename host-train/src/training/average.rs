//! Weights averaged over the steps of a run (Polyak & Juditsky 1992), as an exponential moving average.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

/// Moves every value of `average` toward its namesake in `network`, by `1 - decay` of the way; both without gradients.
#[must_use]
pub fn step<N: Module>(average: N, network: &N, decay: f32) -> N {
    let mut values = Values::default();
    network.visit(&mut values);
    average.map(&mut Blend {
        values: values.0,
        decay,
    })
}

#[derive(Default)]
struct Values(HashMap<ParamId, Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.insert(param.id, param.val().reshape([-1]));
    }
}

struct Blend {
    values: HashMap<ParamId, Tensor<1>>,
    decay: f32,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(new) = self.values.remove(&param.id) else {
            return param;
        };
        let decay = self.decay;
        param.map(|old| {
            let new = new.reshape(old.dims());
            old * decay + new * (1.0 - decay)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    #[test]
    fn the_average_moves_by_the_share_that_the_decay_leaves() {
        let device = Device::flex();
        let network = LinearConfig::new(2, 2).init(&device);
        let average = network.clone().map(&mut Scale(0.0));
        let value = |linear: &burn::nn::Linear| -> Vec<f32> {
            linear.weight.val().into_data().iter::<f32>().collect()
        };
        let moved = step(average, &network, 0.75);
        for (moved, new) in value(&moved).into_iter().zip(value(&network)) {
            assert!((moved - 0.25 * new).abs() < 1e-6, "{moved} {new}");
        }
    }

    struct Scale(f32);

    impl ModuleMapper for Scale {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let factor = self.0;
            param.map(|value| value * factor)
        }
    }
}
