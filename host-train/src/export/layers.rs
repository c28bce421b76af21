//! What the graphs of both networks have in common.

use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};

use super::ExportError;
use super::onnx::Graph;
use crate::training::normalise::Normalisation;

/// A tensor's values in row-major order.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data: TensorData = tensor.into_data();
    data.iter::<f32>().collect()
}

/// `features` with each row scaled by its fixed mean and deviation.
pub(super) fn scaled(graph: &mut Graph, normalisation: &Normalisation) -> String {
    let rows = normalisation.mean.len();
    let mean = graph.floats("mean", &[1, rows, 1], &normalisation.mean);
    let scale: Vec<f32> = normalisation
        .deviation
        .iter()
        .map(|deviation| 1.0 / deviation)
        .collect();
    let scale = graph.floats("scale", &[1, rows, 1], &scale);
    let x = graph.node("Sub", "centred", &["features", &mean], vec![]);
    graph.node("Mul", "normalised", &[&x, &scale], vec![])
}

/// A dense layer with bias; gives the name of its output, which is `name`.
pub(super) fn dense(
    graph: &mut Graph,
    name: &str,
    input: &str,
    layer: &Linear,
) -> Result<String, ExportError> {
    let bias = layer
        .bias
        .as_ref()
        .ok_or_else(|| ExportError::Weights(format!("{name} has no bias")))?;
    let weight = values(layer.weight.val());
    Ok(product(graph, name, input, &weight, &values(bias.val())))
}

/// A matrix product with `weight`, inputs by outputs, and a bias; gives the name of its output, which is `name`.
pub(super) fn product(
    graph: &mut Graph,
    name: &str,
    input: &str,
    weight: &[f32],
    bias: &[f32],
) -> String {
    let shape = [weight.len() / bias.len(), bias.len()];
    let weight = graph.floats(&format!("{name}_weight"), &shape, weight);
    let bias = graph.floats(&format!("{name}_bias"), &shape[1..], bias);
    graph.node("Gemm", name, &[input, &weight, &bias], vec![])
}
