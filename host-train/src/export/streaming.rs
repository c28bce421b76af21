//! The streamable network as an ONNX graph.
//!
//! The names of the input, the encoder's outputs, the pooled statistics and the logits are fixed: by them
//! `undertone-model` cuts the graph into an encoder that it runs incrementally and a head.

use undertone_model::onnx::ModelProto;

use super::ExportError;
use super::fold::Folded;
use super::layers::{product, scaled};
use super::onnx::{Dim, Graph, int, ints};
use crate::network::streaming::{ATTENTION_BOUND, StreamingNet, VARIANCE_FLOOR};
use crate::training::normalise::{Normalisation, Scaling, TAPS, taps};

/// Writes `network`, with `normalisation` in front of it, as ONNX without metadata.
///
/// # Errors
/// [`ExportError::Weights`] if a layer lacks what the graph needs.
pub(super) fn write(
    network: &StreamingNet,
    normalisation: &Normalisation,
) -> Result<ModelProto, ExportError> {
    let rows = normalisation.mean.len();
    let mut graph = Graph::default();
    graph.input(
        "features",
        &[Dim::Fixed(1), Dim::Fixed(rows), Dim::Named("frames")],
    );
    let x = scaled(&mut graph, normalisation);
    let x = scaling(&mut graph, &x, normalisation.scaling);
    let x = convolution(&mut graph, "stem", &x, &Folded::of(&network.stem));
    let mut x = graph.node("Relu", "stem_relu", &[&x], vec![]);
    let mut height = rows.div_ceil(network.stem.conv.stride[0]);
    for (index, stage) in network.stages.iter().enumerate() {
        let name = |part: &str| format!("stage{index}_{part}");
        let shortcut = Folded::of(&stage.shortcut).widened(height);
        height = height.div_ceil(shortcut.stride[0]);
        let shortcut = convolution(&mut graph, &name("shortcut"), &x, &shortcut);
        let first = convolution(&mut graph, &name("first"), &x, &Folded::of(&stage.first));
        let first = graph.node("Relu", &name("first_relu"), &[&first], vec![]);
        let second = convolution(
            &mut graph,
            &name("second"),
            &first,
            &Folded::of(&stage.second),
        );
        let sum = graph.node("Add", &name("sum"), &[&second, &shortcut], vec![]);
        x = graph.node("Relu", &name("relu"), &[&sum], vec![]);
    }
    let folded = convolution(&mut graph, "fold", &x, &Folded::of(&network.fold));
    let mut x = graph.node("Relu", "fold_relu", &[&folded], vec![]);
    for (index, block) in network.temporal.iter().enumerate() {
        let name = |part: &str| format!("temporal{index}_{part}");
        let conv = convolution(&mut graph, &name("conv"), &x, &Folded::of(&block.conv));
        let conv = graph.node("Relu", &name("relu"), &[&conv], vec![]);
        x = graph.node("Add", &name("sum"), &[&conv, &x], vec![]);
    }
    attention(&mut graph, network, &x)?;
    let axis = graph.integers("row_axis", &[2]);
    graph.node("Squeeze", "steps", &[&x, &axis], vec![]);
    graph.node("Squeeze", "score", &["bounded", &axis], vec![]);
    pooling(&mut graph);
    head(&mut graph, network)?;
    Ok(graph.finish("undertone"))
}

/// `normalised` to a plane of rows by frames, scaled against the running mean if that is asked for: one causal
/// convolution over time, the same for all rows.
fn scaling(graph: &mut Graph, input: &str, scaling: Scaling) -> String {
    let axis = graph.integers("channel_axis", &[1]);
    if scaling == Scaling::Fixed {
        return graph.node("Unsqueeze", "plane", &[input, &axis], vec![]);
    }
    let mut weight = taps();
    weight.reverse();
    weight.iter_mut().for_each(|weight| *weight = -*weight);
    weight[TAPS - 1] += 1.0;
    let layer = Folded {
        shape: [1, 1, 1, TAPS],
        weight,
        bias: vec![0.0],
        stride: [1, 1],
        dilation: [1, 1],
        pads: [0, TAPS - 1, 0, 0],
    };
    let x = graph.node("Unsqueeze", "plane", &[input, &axis], vec![]);
    convolution(graph, "running", &x, &layer)
}

fn convolution(graph: &mut Graph, name: &str, input: &str, layer: &Folded) -> String {
    let weight = graph.floats(&format!("{name}_weight"), &layer.shape, &layer.weight);
    let bias = graph.floats(&format!("{name}_bias"), &[layer.bias.len()], &layer.bias);
    let attributes = vec![
        ints("dilations", &layer.dilation),
        ints("kernel_shape", &layer.shape[2..]),
        ints("pads", &layer.pads),
        ints("strides", &layer.stride),
    ];
    graph.node("Conv", name, &[input, &weight, &bias], attributes)
}

/// The bounded score of every step, `bounded`: `bound * tanh(score / bound)`.
fn attention(graph: &mut Graph, network: &StreamingNet, input: &str) -> Result<(), ExportError> {
    let layer = Folded::plain("attention", &network.attention)?;
    let score = convolution(graph, "attention", input, &layer);
    let bound = graph.floats("attention_bound", &[1], &[ATTENTION_BOUND]);
    let x = graph.node("Div", "attention_share", &[&score, &bound], vec![]);
    let x = graph.node("Tanh", "attention_tanh", &[&x], vec![]);
    graph.node("Mul", "bounded", &[&x, &bound], vec![]);
    Ok(())
}

/// `steps` and `score` to `pooled`; the same as `undertone-model`'s running sums over a whole utterance.
fn pooling(graph: &mut Graph) {
    let keep = || vec![ints("axes", &[2]), int("keepdims", 1)];
    let axis = graph.integers("time_axis", &[2]);
    let mean = graph.node("ReduceMean", "pool_mean", &["steps"], keep());
    let square = graph.node("Mul", "pool_square", &["steps", "steps"], vec![]);
    let square = graph.node("ReduceMean", "pool_mean_square", &[&square], keep());
    let mean_squared = graph.node("Mul", "pool_squared_mean", &[&mean, &mean], vec![]);
    let variance = graph.node("Sub", "pool_difference", &[&square, &mean_squared], vec![]);
    let variance = graph.node("Relu", "pool_variance", &[&variance], vec![]);
    let floor = graph.floats("variance_floor", &[1], &[VARIANCE_FLOOR]);
    let variance = graph.node("Add", "pool_floored", &[&variance, &floor], vec![]);
    let deviation = graph.node("Sqrt", "pool_deviation", &[&variance], vec![]);
    let maximum = graph.node("ReduceMax", "pool_maximum", &["steps"], keep());
    let weight = graph.node("Exp", "pool_weight", &["score"], vec![]);
    let weighted = graph.node("Mul", "pool_weighted", &["steps", &weight], vec![]);
    let weighted = graph.node(
        "ReduceSum",
        "pool_weighted_sum",
        &[&weighted, &axis],
        vec![int("keepdims", 1)],
    );
    let weight = graph.node(
        "ReduceSum",
        "pool_weight_sum",
        &[&weight, &axis],
        vec![int("keepdims", 1)],
    );
    let attended = graph.node("Div", "pool_attended", &[&weighted, &weight], vec![]);
    let parts = [mean.as_str(), &deviation, &maximum, &attended];
    let all = graph.node("Concat", "pool_parts", &parts, vec![int("axis", 1)]);
    graph.node("Squeeze", "pooled", &[&all, &axis], vec![]);
}

/// `pooled` to `logits`.
fn head(graph: &mut Graph, network: &StreamingNet) -> Result<(), ExportError> {
    let hidden = Folded::plain("hidden", &network.hidden)?;
    let [units, width, statistics, _] = hidden.shape;
    let mut weight = vec![0.0; hidden.weight.len()];
    for (index, value) in hidden.weight.iter().enumerate() {
        let (unit, channel, statistic) = (
            index / (width * statistics),
            index / statistics % width,
            index % statistics,
        );
        weight[(statistic * width + channel) * units + unit] = *value;
    }
    let x = product(graph, "hidden", "pooled", &weight, &hidden.bias);
    let x = graph.node("Relu", "hidden_relu", &[&x], vec![]);
    let output = Folded::plain("logits", &network.output)?;
    let classes = output.bias.len();
    let mut weight = vec![0.0; units * classes];
    for (index, value) in output.weight.iter().enumerate() {
        weight[index % units * classes + index / units] = *value;
    }
    product(graph, "logits", &x, &weight, &output.bias);
    graph.output("logits", &[Dim::Fixed(1), Dim::Fixed(classes)]);
    Ok(())
}
