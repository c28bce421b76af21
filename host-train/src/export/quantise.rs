//! Weights as 8-bit integers: a quarter of the file, computed with in `f32` all the same.
//!
//! Each output channel of a convolution or matrix has its own scale, its largest weight's absolute value over 127
//! (symmetric, no zero point), and is rounded so that its output moves least (`rounding`). `DequantizeLinear` on the constants keeps the file plain ONNX; `undertone-model` folds it
//! away when it loads, since the inference library would do it anew at every run.

use std::collections::HashMap;

use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::{GraphProto, ModelProto, NodeProto, TensorProto};
use undertone_model::{float_tensor, floats};

use super::ExportError;
use super::onnx::int;
use super::rounding::{Curvature, LARGEST, integers};

/// Weights with fewer values than this stay `f32`: together they are a tenth of the file, and the first convolution alone moves
/// answers six times as far as all the large ones.
const FEWEST: usize = 10_000;

/// Largest share of a network's weights that [`choices`] leaves as `f32` beyond the small ones, so that the file grows by a fifth at most.
const MOST_SPARED: f64 = 1.0 / 12.0;

/// Names of weights to turn into integers: first all large ones of every `Conv` and `Gemm`, then ever fewer.
///
/// Left out first are the smallest. They are those of the first layers, whose rounding every later layer carries on, and cost the file least.
///
/// # Errors
/// [`ExportError::Weights`] if the graph is missing.
pub(super) fn choices(model: &ModelProto) -> Result<Vec<Vec<String>>, ExportError> {
    let graph = model.graph.as_ref().ok_or_else(missing)?;
    let axes = axes(graph);
    let mut large: Vec<&TensorProto> = graph
        .initializer
        .iter()
        .filter(|tensor| axes.contains_key(&tensor.name) && elements(tensor) >= FEWEST)
        .collect();
    large.sort_by_key(|tensor| elements(tensor));
    let all: usize = graph.initializer.iter().map(elements).sum();
    let most = (MOST_SPARED * all as f64) as usize;
    // One of them becomes integers at least.
    let spared = large
        .iter()
        .take(large.len().saturating_sub(1))
        .scan(0, |sum, tensor| {
            *sum += elements(tensor);
            Some(*sum)
        })
        .take_while(|&sum| sum <= most)
        .count();
    let names = |first: usize| large[first..].iter().map(|tensor| tensor.name.clone());
    Ok((0..=spared).map(|first| names(first).collect()).collect())
}

/// Turns the weights that `names` names into 8-bit integers; `curvatures` say, by those names, what the layers hear.
///
/// # Errors
/// [`ExportError::Weights`] if the graph is missing or a weight is not stored as raw `f32`.
pub(super) fn quantise(
    model: &mut ModelProto,
    names: &[String],
    curvatures: &HashMap<String, Vec<Curvature>>,
) -> Result<(), ExportError> {
    let graph = model.graph.as_mut().ok_or_else(missing)?;
    let axes = axes(graph);
    let (weights, others): (Vec<_>, Vec<_>) = std::mem::take(&mut graph.initializer)
        .into_iter()
        .partition(|tensor| axes.contains_key(&tensor.name) && names.contains(&tensor.name));
    graph.initializer = others;
    let mut nodes = Vec::with_capacity(weights.len() + graph.node.len());
    for weight in weights {
        let curvatures = curvatures.get(&weight.name).map_or(&[][..], Vec::as_slice);
        nodes.push(replace(graph, &weight, axes[&weight.name], curvatures)?);
    }
    nodes.append(&mut graph.node);
    graph.node = nodes;
    Ok(())
}

fn missing() -> ExportError {
    ExportError::Weights("the graph is missing".into())
}

/// Weights of convolutions and matrices by name, with the axis of their output channels: the first one of a convolution's weight
/// and the last one of a matrix.
fn axes(graph: &GraphProto) -> HashMap<String, usize> {
    graph
        .node
        .iter()
        .filter_map(|node| Some((node.input.get(1)?.clone(), channel_axis(&node.op_type)?)))
        .collect()
}

fn channel_axis(operator: &str) -> Option<usize> {
    match operator {
        "Conv" => Some(0),
        "Gemm" => Some(1),
        _ => None,
    }
}

fn elements(tensor: &TensorProto) -> usize {
    tensor
        .dims
        .iter()
        .map(|&dim| usize::try_from(dim).unwrap_or(0))
        .product()
}

/// Adds the integers and scales of `weight` to the graph and gives the node that makes the weight of them.
fn replace(
    graph: &mut GraphProto,
    weight: &TensorProto,
    axis: usize,
    curvatures: &[Curvature],
) -> Result<NodeProto, ExportError> {
    let values = floats(weight);
    if weight.data_type != DataType::Float as i32
        || values.len() != elements(weight)
        || axis >= weight.dims.len()
    {
        return Err(ExportError::Weights(format!(
            "`{}` is not a matrix of raw f32",
            weight.name
        )));
    }
    let dims: Vec<usize> = weight
        .dims
        .iter()
        .map(|&dim| usize::try_from(dim).unwrap_or(0))
        .collect();
    let inner: usize = dims[axis + 1..].iter().product();
    let block = (inner * dims[axis]).max(1);
    let mut scales = Vec::with_capacity(dims[axis]);
    let mut raw_data = vec![0u8; values.len()];
    for channel in 0..dims[axis] {
        let starts = (channel * inner..values.len()).step_by(block);
        let places: Vec<usize> = starts.flat_map(|start| start..start + inner).collect();
        let steps = places.iter().map(|&place| values[place].abs() / LARGEST);
        let scale = match steps.fold(0.0, f32::max) {
            // A channel of zeros has no scale of its own.
            0.0 => 1.0,
            scale => scale,
        };
        let steps = places.iter().map(|&place| values[place] / scale);
        let steps: Vec<f32> = steps.map(|step| step.clamp(-LARGEST, LARGEST)).collect();
        for (place, integer) in places.into_iter().zip(integers(&steps, curvatures)) {
            raw_data[place] = integer.to_le_bytes()[0];
        }
        scales.push(scale);
    }
    let (integers, scale) = (
        format!("{}_int8", weight.name),
        format!("{}_scale", weight.name),
    );
    graph.initializer.push(TensorProto {
        name: integers.clone(),
        data_type: DataType::Int8 as i32,
        dims: weight.dims.clone(),
        raw_data,
        ..TensorProto::default()
    });
    let stored = float_tensor(&scale, &[scales.len()], &scales);
    graph.initializer.push(stored);
    Ok(NodeProto {
        op_type: "DequantizeLinear".to_owned(),
        name: weight.name.clone(),
        input: vec![integers, scale],
        output: vec![weight.name.clone()],
        attribute: vec![int("axis", axis as i64)],
        ..NodeProto::default()
    })
}
