//! What training minimises.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// Cross-entropy with label smoothing over the classes that each clip's corpus knows, averaged over the batch.
///
/// `logits` and `barred` are `[batch, classes]` ([`super::batch::Batch`]), `targets` is `[batch]`. `smoothing` of the
/// target's probability is shared by the other known classes.
#[must_use]
pub fn cross_entropy(
    logits: Tensor<2>,
    barred: Tensor<2>,
    targets: Tensor<1, Int>,
    smoothing: f32,
) -> Tensor<1> {
    let classes = logits.dims()[1];
    let known = barred.clone().equal_elem(0.0).float();
    let log_probability = log_softmax(logits + barred, 1);
    let hard: Tensor<2> = targets.one_hot(classes).float();
    let others = known.clone() - hard.clone();
    let share = others.clone().sum_dim(1).clamp_min(1.0).recip() * smoothing;
    let target = hard * (1.0 - smoothing) + others * share;
    // A barred class has no weight, and its log-probability must not meet it as 0 * -inf.
    let loss = (log_probability * known * target).sum_dim(1).mean();
    loss.neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn a_barred_class_has_no_part_in_the_loss() {
        let device = Device::flex();
        let targets = || Tensor::<1, Int>::from_data([0i64], &device);
        let loss = |logits: [[f32; 3]; 1], barred: [[f32; 3]; 1]| {
            let logits = Tensor::from_data(logits, &device);
            let barred = Tensor::from_data(barred, &device);
            cross_entropy(logits, barred, targets(), 0.0).into_scalar::<f32>()
        };
        let two = loss([[1.0, 2.0, 9.0]], [[0.0, 0.0, -1e4]]);
        assert!((two - (1.0 + 1f32.exp()).ln()).abs() < 1e-5, "{two}");
        let three = loss([[1.0, 2.0, 9.0]], [[0.0, 0.0, 0.0]]);
        assert!(three > 8.0, "{three}");
    }
}
