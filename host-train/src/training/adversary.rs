//! A head that guesses the speaker, and an encoder that learns to leave it without a clue (Ganin & Lempitsky 2015).
//!
//! It hears the pooled statistics through `reverse`, is trained beside the network, and is not exported.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};

use super::loss::hard_cross_entropy;

/// Units of the hidden layer.
const HIDDEN: usize = 128;

/// Guesses who speaks.
#[derive(Module, Debug)]
pub struct SpeakerHead {
    hidden: Linear,
    output: Linear,
}

impl SpeakerHead {
    /// For `inputs` pooled statistics and `speakers` training speakers.
    #[must_use]
    pub fn new(inputs: usize, speakers: usize, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(inputs, HIDDEN).init(device),
            output: LinearConfig::new(HIDDEN, speakers.max(1)).init(device),
        }
    }

    /// How badly the speakers `[batch]` are guessed from statistics `[batch, inputs]`; what made the statistics is pushed by
    /// `strength` the other way.
    pub fn loss(&self, pooled: Tensor<2>, speakers: Tensor<1, Int>, strength: f32) -> Tensor<1> {
        let heard = reverse(pooled, strength);
        let guess = self.output.forward(relu(self.hidden.forward(heard)));
        hard_cross_entropy(guess, speakers)
    }
}

/// The same values, with a gradient of `-strength` times the one that comes back.
fn reverse(x: Tensor<2>, strength: f32) -> Tensor<2> {
    x.clone().detach() * (1.0 + strength) - x * strength
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reversed_keeps_its_values_and_gets_the_opposite_gradient() {
        let device = Device::flex().autodiff();
        let x = Tensor::<2>::from_data([[1.0, -2.0]], &device).require_grad();
        let out = reverse(x.clone(), 0.5);
        let values: Vec<f32> = out.clone().into_data().iter::<f32>().collect();
        assert_eq!(values, [1.0, -2.0]);
        let weights = Tensor::<2>::from_data([[3.0, 4.0]], &device);
        let gradients = (out * weights).sum().backward();
        let gradient: Vec<f32> = x
            .grad(&gradients)
            .unwrap()
            .into_data()
            .iter::<f32>()
            .collect();
        assert_eq!(gradient, [-1.5, -2.0]);
    }
}
