//! What training minimises.

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

/// Cross-entropy with the distribution that is asked for ([`super::goal`]), over the classes that each clip's corpus knows,
/// averaged over the clips.
///
/// `logits`, `barred` and `goals` are `[batch, classes]` ([`super::batch::Batch`]); a goal is 0 where a class is barred.
#[must_use]
pub fn cross_entropy(logits: Tensor<2>, barred: Tensor<2>, goals: Tensor<2>) -> Tensor<1> {
    let log_probability = log_softmax(logits + barred, 1);
    (log_probability * goals).sum_dim(1).mean().neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn a_barred_class_has_no_part_in_the_loss() {
        let device = Device::flex();
        let loss = |logits: [[f32; 3]; 1], barred: [[f32; 3]; 1]| {
            let logits = Tensor::from_data(logits, &device);
            let barred = Tensor::from_data(barred, &device);
            let goals = Tensor::from_data([[1.0, 0.0, 0.0]], &device);
            cross_entropy(logits, barred, goals).into_scalar::<f32>()
        };
        let two = loss([[1.0, 2.0, 9.0]], [[0.0, 0.0, -1e4]]);
        assert!((two - (1.0 + 1f32.exp()).ln()).abs() < 1e-5, "{two}");
        let three = loss([[1.0, 2.0, 9.0]], [[0.0, 0.0, 0.0]]);
        assert!(three > 8.0, "{three}");
    }

    #[test]
    fn a_soft_goal_is_met_best_by_its_own_distribution() {
        let device = Device::flex();
        let loss = |a: f32| {
            let logits = Tensor::from_data([[a, 0.0]], &device);
            let goals = Tensor::from_data([[0.75, 0.25]], &device);
            cross_entropy(logits, Tensor::zeros([1, 2], &device), goals).into_scalar::<f32>()
        };
        let best = 3f32.ln();
        assert!(loss(best) < loss(best + 0.1) && loss(best) < loss(best - 0.1));
    }
}
