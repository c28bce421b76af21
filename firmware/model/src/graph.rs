//! What a graph may consist of, checked before the inference library sees it.
//!
//! The list is what the exporter writes. Bounds on counts and attributes keep a hostile file from asking for memory
//! that its own size does not pay for.

use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, TensorProto, tensor_proto::DataType};

use crate::error::ModelError;

/// Name of the graph's input, `[1, rows, frames]`.
pub(crate) const FEATURES: &str = "features";
/// Encoder output, `[1, width, steps]`.
pub(crate) const STEPS: &str = "steps";
/// Attention scores, `[1, 1, steps]`.
pub(crate) const SCORE: &str = "score";
/// Pooled statistics, `[1, 4 * width]`.
pub(crate) const POOLED: &str = "pooled";
/// The graph's output, `[1, classes]`.
pub(crate) const LOGITS: &str = "logits";

const OPERATORS: [&str; 20] = [
    "Add",
    "Concat",
    "Conv",
    "DequantizeLinear",
    "Div",
    "Exp",
    "Flatten",
    "Gemm",
    "Identity",
    "Mul",
    "ReduceMax",
    "ReduceMean",
    "ReduceSum",
    "Relu",
    "Reshape",
    "Sqrt",
    "Squeeze",
    "Sub",
    "Tanh",
    "Unsqueeze",
];
const OPSETS: std::ops::RangeInclusive<i64> = 13..=18;
const MAX_NODES: usize = 512;
const MAX_RANK: usize = 6;
/// Largest integer in an attribute or an integer tensor: strides, pads, axes, shapes.
const MAX_INTEGER: i64 = 65_536;

/// Refuses a graph that the exporter could not have written.
pub(crate) fn check(model: &ModelProto) -> Result<(), ModelError> {
    let bad = |reason: String| Err(ModelError::Graph { reason });
    let Some(graph) = &model.graph else {
        return bad("is missing".into());
    };
    if !(model.functions.is_empty()
        && model.training_info.is_empty()
        && graph.sparse_initializer.is_empty())
    {
        return bad("holds functions, training steps or sparse tensors".into());
    }
    match model.opset_import.as_slice() {
        [set] if set.domain.is_empty() && OPSETS.contains(&set.version) => {}
        _ => {
            return bad(format!(
                "does not use the ONNX operator sets {OPSETS:?} and nothing else"
            ));
        }
    }
    if graph.node.len() > MAX_NODES {
        return bad(format!(
            "has {} nodes, more than {MAX_NODES}",
            graph.node.len()
        ));
    }
    let inputs: Vec<&str> = graph
        .input
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    if inputs != [FEATURES] {
        return bad(format!("has the inputs {inputs:?}, not `{FEATURES}` alone"));
    }
    for tensor in &graph.initializer {
        check_tensor(tensor)?;
    }
    check_nodes(graph)
}

fn check_nodes(graph: &GraphProto) -> Result<(), ModelError> {
    let bad = |reason: String| Err(ModelError::Graph { reason });
    for node in &graph.node {
        if !node.domain.is_empty() || !OPERATORS.contains(&node.op_type.as_str()) {
            return bad(format!(
                "node `{}` uses the operator {:?}, which is not run",
                node.name, node.op_type
            ));
        }
        for attribute in &node.attribute {
            if !plain(attribute) {
                return bad(format!(
                    "node `{}` has an attribute `{}` out of range",
                    node.name, attribute.name
                ));
            }
        }
    }
    for name in [STEPS, SCORE, POOLED, LOGITS] {
        let found = graph
            .node
            .iter()
            .filter(|node| node.name == name && node.output == [name])
            .count();
        if found != 1 {
            return bad(format!("has {found} nodes named `{name}`, not 1"));
        }
    }
    Ok(())
}

fn plain(attribute: &AttributeProto) -> bool {
    let range = -MAX_INTEGER..=MAX_INTEGER;
    attribute.t.is_none()
        && attribute.g.is_none()
        && attribute.graphs.is_empty()
        && attribute.tensors.is_empty()
        && attribute.sparse_tensor.is_none()
        && range.contains(&attribute.i)
        && attribute.ints.len() <= 16
        && attribute.ints.iter().all(|value| range.contains(value))
        && attribute.f.is_finite()
        && attribute.floats.is_empty()
}

fn check_tensor(tensor: &TensorProto) -> Result<(), ModelError> {
    let bad = |what: &str| {
        Err(ModelError::Graph {
            reason: format!("tensor `{}` {what}", tensor.name),
        })
    };
    let size = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => 4,
        Ok(DataType::Int8) => 1,
        Ok(DataType::Int64) => 8,
        _ => return bad("has a type that is not run"),
    };
    if tensor.data_location.unwrap_or(0) != 0 || !tensor.external_data.is_empty() {
        return bad("lies in another file");
    }
    let inline = tensor.float_data.is_empty()
        && tensor.int32_data.is_empty()
        && tensor.int64_data.is_empty();
    if !inline || tensor.dims.len() > MAX_RANK {
        return bad("is not stored as raw data of at most six dimensions");
    }
    let elements = tensor.dims.iter().try_fold(1usize, |product, &dim| {
        product.checked_mul(usize::try_from(dim).ok()?)
    });
    if elements.and_then(|elements| elements.checked_mul(size)) != Some(tensor.raw_data.len()) {
        return bad("does not hold as many values as its shape says");
    }
    match size {
        4 if !tensor
            .raw_data
            .as_chunks::<4>()
            .0
            .iter()
            .all(|bytes| f32::from_le_bytes(*bytes).is_finite()) =>
        {
            bad("holds a value that is no number")
        }
        8 if !tensor
            .raw_data
            .as_chunks::<8>()
            .0
            .iter()
            .all(|bytes| (-MAX_INTEGER..=MAX_INTEGER).contains(&i64::from_le_bytes(*bytes))) =>
        {
            bad("holds an integer out of range")
        }
        _ => Ok(()),
    }
}
