//! Weights as 8-bit integers: a quarter of the file, computed with in `f32` all the same.
//!
//! Each output channel of a convolution or matrix has its own scale, its largest weight's absolute value over 127
//! (symmetric, no zero point). `DequantizeLinear` on the constants keeps the file plain ONNX; `undertone-model` folds it
//! away when it loads, since the inference library would do it anew at every run.

use std::collections::HashMap;

use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::{GraphProto, ModelProto, NodeProto, TensorProto};

use super::ExportError;
use super::onnx::int;

/// Weights with fewer values than this stay `f32`: together they are a tenth of the file, and the first convolution alone moves
/// answers six times as far as all the large ones.
const FEWEST: usize = 10_000;
/// Largest quantised magnitude; -128 stays unused, so that the range is symmetric.
const LARGEST: f32 = 127.0;

/// Turns the weights of every `Conv` and `Gemm` of `model` into 8-bit integers.
///
/// # Errors
/// [`ExportError::Weights`] if the graph is missing or a weight is not stored as raw `f32`.
pub fn quantise(model: &mut ModelProto) -> Result<(), ExportError> {
    let graph = model
        .graph
        .as_mut()
        .ok_or_else(|| ExportError::Weights("the graph is missing".into()))?;
    // The output channel is the first axis of a convolution's weight and the last one of a matrix.
    let axes: HashMap<String, usize> = graph
        .node
        .iter()
        .filter_map(|node| Some((node.input.get(1)?.clone(), channel_axis(&node.op_type)?)))
        .collect();
    let (weights, others): (Vec<_>, Vec<_>) = std::mem::take(&mut graph.initializer)
        .into_iter()
        .partition(|tensor| axes.contains_key(&tensor.name) && elements(tensor) >= FEWEST);
    graph.initializer = others;
    let mut nodes = Vec::with_capacity(weights.len() + graph.node.len());
    for weight in weights {
        nodes.push(replace(graph, &weight, axes[&weight.name])?);
    }
    nodes.append(&mut graph.node);
    graph.node = nodes;
    Ok(())
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
) -> Result<NodeProto, ExportError> {
    let values: Vec<f32> = weight
        .raw_data
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
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
    let channel = |index: usize| index / inner % dims[axis];
    let mut scales = vec![0f32; dims[axis]];
    for (index, value) in values.iter().enumerate() {
        let scale = &mut scales[channel(index)];
        *scale = scale.max(value.abs() / LARGEST);
    }
    // A channel of zeros has no scale of its own.
    scales
        .iter_mut()
        .filter(|scale| **scale == 0.0)
        .for_each(|scale| *scale = 1.0);
    let integers = values.iter().enumerate().map(|(index, value)| {
        let integer = (value / scales[channel(index)])
            .round()
            .clamp(-LARGEST, LARGEST);
        (integer as i8).to_le_bytes()[0]
    });
    let raw_data = integers.collect();
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
    graph.initializer.push(TensorProto {
        name: scale.clone(),
        data_type: DataType::Float as i32,
        dims: vec![weight.dims[axis]],
        raw_data: scales
            .iter()
            .flat_map(|scale| scale.to_le_bytes())
            .collect(),
        ..TensorProto::default()
    });
    Ok(NodeProto {
        op_type: "DequantizeLinear".to_owned(),
        name: weight.name.clone(),
        input: vec![integers, scale],
        output: vec![weight.name.clone()],
        attribute: vec![int("axis", axis as i64)],
        ..NodeProto::default()
    })
}
