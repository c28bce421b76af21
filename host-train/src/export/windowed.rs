//! The classic network on the window that a box holds, as an ONNX graph.
//!
//! A batch normalisation follows a rectifier here, and a convolution padded with zeros follows it, so that it can be folded into
//! neither without changing what the network does: it stays, as one product and one sum a channel.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2d;
use undertone_model::onnx::ModelProto;

use super::ExportError;
use super::layers::{dense, scaled, values};
use super::onnx::{Dim, Graph, int, ints};
use crate::features::LiveWindow;
use crate::network::classic::{Block, ClassicNet};
use crate::training::normalise::{Normalisation, Scaling};

/// Writes `network`, with `normalisation` in front of it, as ONNX without metadata.
///
/// # Errors
/// [`ExportError::Excerpt`] for a network that reads no window of frames; [`ExportError::Weights`] if a layer lacks what the
/// graph needs, or is another than the trainer makes.
pub(super) fn write(
    network: &ClassicNet,
    normalisation: &Normalisation,
) -> Result<ModelProto, ExportError> {
    let LiveWindow { frames, .. } = network.live.ok_or(ExportError::Excerpt)?;
    if normalisation.scaling != Scaling::Fixed {
        return Err(ExportError::Weights(
            "windows are not scaled against a running mean".into(),
        ));
    }
    let rows = normalisation.mean.len();
    let mut graph = Graph::default();
    graph.input(
        "features",
        &[Dim::Fixed(1), Dim::Fixed(rows), Dim::Fixed(frames)],
    );
    let x = scaled(&mut graph, normalisation);
    let x = graph.node("Transpose", "frames", &[&x], vec![ints("perm", &[0, 2, 1])]);
    let shape = graph.integers("vector_shape", &[1, 1, -1]);
    let x = graph.node("Reshape", "vector", &[&x, &shape], vec![]);
    let pool = Some(&network.pool);
    let x = block(&mut graph, "first", &x, &network.first, pool)?;
    let x = block(&mut graph, "second", &x, &network.second, None)?;
    let x = block(&mut graph, "third", &x, &network.third, None)?;
    let x = graph.node("Flatten", "flat", &[&x], vec![int("axis", 1)]);
    let x = dense(&mut graph, "wide", &x, &network.wide)?;
    let x = graph.node("Relu", "wide_relu", &[&x], vec![]);
    let x = dense(&mut graph, "narrow", &x, &network.narrow)?;
    let x = graph.node("Relu", "narrow_relu", &[&x], vec![]);
    let classes = network.output.weight.val().dims()[1];
    dense(&mut graph, "logits", &x, &network.output)?;
    graph.output("logits", &[Dim::Fixed(1), Dim::Fixed(classes)]);
    Ok(graph.finish("undertone"))
}

/// Convolution, pooling if there is one, rectifier and batch normalisation, of one row of positions.
fn block(
    graph: &mut Graph,
    name: &str,
    input: &str,
    layer: &Block,
    pool: Option<&MaxPool2d>,
) -> Result<String, ExportError> {
    let conv = &layer.conv;
    let [_, kernel] = conv.kernel_size;
    let around = kernel / 2;
    let same = PaddingConfig2d::Explicit(0, around, 0, around);
    let plain = (conv.stride, conv.dilation, kernel % 2) == ([1, 1], [1, 1], 1);
    if conv.kernel_size[0] != 1 || conv.padding != same || !plain {
        return Err(ExportError::Weights(format!(
            "{name} is not a plain convolution that keeps the length"
        )));
    }
    let [filters, channels, ..] = conv.weight.val().dims();
    let weight = values(conv.weight.val());
    let weight = graph.floats(
        &format!("{name}_weight"),
        &[filters, channels, kernel],
        &weight,
    );
    let bias = values(layer.bias.val());
    let bias = graph.floats(&format!("{name}_bias"), &[filters], &bias);
    let attributes = vec![
        ints("dilations", &[1]),
        int("group", 1),
        ints("kernel_shape", &[kernel]),
        ints("pads", &[around, around]),
        ints("strides", &[1]),
    ];
    let mut x = graph.node("Conv", name, &[input, &weight, &bias], attributes);
    if let Some(pool) = pool {
        let attributes = vec![
            ints("kernel_shape", &[pool.kernel_size[1]]),
            ints("strides", &[pool.stride[1]]),
        ];
        x = graph.node("MaxPool", "pool", &[&x], attributes);
    }
    let x = graph.node("Relu", &format!("{name}_relu"), &[&x], vec![]);
    let [gain, shift] = normalisation(layer);
    let channels = gain.len();
    let gain = graph.floats(&format!("{name}_gain"), &[1, channels, 1], &gain);
    let shift = graph.floats(&format!("{name}_shift"), &[1, channels, 1], &shift);
    let x = graph.node("Mul", &format!("{name}_raised"), &[&x, &gain], vec![]);
    Ok(graph.node("Add", &format!("{name}_norm"), &[&x, &shift], vec![]))
}

/// `gamma * (x - mean) / sqrt(variance + epsilon) + beta` as a factor and a summand for each channel.
fn normalisation(layer: &Block) -> [Vec<f32>; 2] {
    let norm = &layer.norm;
    let gamma = values(norm.gamma.val());
    let beta = values(norm.beta.val());
    let mean = values(norm.running_mean.value_sync());
    let variance = values(norm.running_var.value_sync());
    let gain: Vec<f64> = gamma
        .iter()
        .zip(&variance)
        .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + norm.epsilon).sqrt())
        .collect();
    let shift = gain.iter().zip(beta.iter().zip(&mean));
    let shift = shift.map(|(gain, (&beta, &mean))| f64::from(beta) - f64::from(mean) * gain);
    [
        gain.iter().map(|&gain| gain as f32).collect(),
        shift.map(|shift| shift as f32).collect(),
    ]
}
