//! What a graph may consist of, checked before the inference library sees it.
//!
//! The rules are what the exporter writes: one input, one output, nodes in order with one output each, and nothing
//! computed from constants alone but dequantised weights. Together with [`crate::operators`] and [`crate::tensors`]
//! they keep a hostile file from asking for memory that its own size does not pay for.

use std::collections::HashMap;

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, type_proto};

use crate::error::ModelError;
use crate::metadata::NetworkKind;
use crate::{operators, tensors};

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

const OPSETS: std::ops::RangeInclusive<i64> = 13..=18;
const MAX_NODES: usize = 512;
const MAX_NAME_BYTES: usize = 128;

fn bad<T>(reason: String) -> Result<T, ModelError> {
    Err(ModelError::Graph { reason })
}

/// Refuses a graph that the exporter could not have written.
pub(crate) fn check(model: &ModelProto, network: NetworkKind) -> Result<(), ModelError> {
    let Some(graph) = &model.graph else {
        return bad("is missing".into());
    };
    if !(model.functions.is_empty()
        && model.training_info.is_empty()
        && graph.sparse_initializer.is_empty()
        && graph.quantization_annotation.is_empty()
        && graph.value_info.is_empty())
    {
        return bad("holds functions, training steps, sparse tensors or notes on values".into());
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
    alone("inputs", &graph.input, FEATURES)?;
    alone("outputs", &graph.output, LOGITS)?;
    check_wires(graph, network)?;
    let names = match network {
        NetworkKind::Streaming => &[STEPS, SCORE, POOLED, LOGITS][..],
        NetworkKind::Windowed => &[LOGITS],
    };
    for &name in names {
        if !graph.node.iter().any(|node| node.name == name) {
            return bad(format!("has no node named `{name}`"));
        }
    }
    Ok(())
}

/// Refuses all but one value of this name, of `f32`, whose shape is numbers and plain names.
fn alone(what: &str, values: &[ValueInfoProto], name: &str) -> Result<(), ModelError> {
    let names: Vec<&str> = values.iter().map(|value| value.name.as_str()).collect();
    let [value] = values else {
        return bad(format!("has the {what} {names:?}, not `{name}` alone"));
    };
    if value.name != name {
        return bad(format!("has the {what} {names:?}, not `{name}` alone"));
    }
    let kind = value.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let Some(type_proto::Value::TensorType(tensor)) = kind else {
        return bad(format!("gives `{name}` no type"));
    };
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let plain = dims.iter().all(|dim| match &dim.value {
        Some(dimension::Value::DimParam(symbol)) => {
            // The library parses an expression here, as deep as it is nested.
            symbol.len() <= MAX_NAME_BYTES
                && symbol
                    .bytes()
                    .all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
        }
        _ => true,
    });
    if tensor.elem_type != DataType::Float as i32 || dims.len() > operators::MAX_RANK || !plain {
        return bad(format!(
            "gives `{name}` a type other than f32 or a shape of more than numbers and names"
        ));
    }
    Ok(())
}

/// Where a value comes from.
enum Value<'a> {
    Constant(&'a TensorProto),
    /// Made from integers.
    Weight,
    /// Depends on the graph's input.
    Live,
}

/// Every node reads what was named before it, has one output named like itself, and computes from the input.
fn check_wires(graph: &GraphProto, network: NetworkKind) -> Result<(), ModelError> {
    let mut values = HashMap::from([(FEATURES, Value::Live)]);
    for tensor in &graph.initializer {
        tensors::check(tensor)?;
        add(&mut values, &tensor.name, Value::Constant(tensor))?;
    }
    let mut dequantised = HashMap::new();
    for node in &graph.node {
        operators::check(node, network)?;
        if node.output != [node.name.as_str()] {
            return bad(format!(
                "node {:?} has the outputs {:?}, not one named like itself",
                node.name, node.output
            ));
        }
        let mut live = false;
        for input in &node.input {
            match values.get(input.as_str()) {
                None => {
                    return bad(format!(
                        "node {:?} reads {input:?}, which nothing before it gives",
                        node.name
                    ));
                }
                Some(value) => live |= matches!(value, Value::Live),
            }
        }
        let value = match (node.op_type == operators::DEQUANTIZE, live) {
            (true, _) => {
                check_weight(node, &values)?;
                if let Some(other) = dequantised.insert(node.input[0].as_str(), &node.name) {
                    return bad(format!(
                        "nodes {other:?} and {:?} make weights of the same integers",
                        node.name
                    ));
                }
                Value::Weight
            }
            (false, true) => Value::Live,
            // The library would compute it when it loads, however large the result.
            (false, false) => {
                return bad(format!(
                    "node {:?} computes from constants alone",
                    node.name
                ));
            }
        };
        add(&mut values, &node.name, value)?;
    }
    Ok(())
}

fn add<'a>(
    values: &mut HashMap<&'a str, Value<'a>>,
    name: &'a str,
    value: Value<'a>,
) -> Result<(), ModelError> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return bad(format!(
            "has a name of {} bytes, not 1 to {MAX_NAME_BYTES}",
            name.len()
        ));
    }
    match values.insert(name, value) {
        Some(_) => bad(format!("has two values named {name:?}")),
        None => Ok(()),
    }
}

/// Refuses weights that are not made of stored integers and at most one scale and zero point per channel.
fn check_weight(node: &NodeProto, values: &HashMap<&str, Value<'_>>) -> Result<(), ModelError> {
    for (index, input) in node.input.iter().enumerate() {
        let kind = if index == 1 {
            DataType::Float
        } else {
            DataType::Int8
        };
        let fits = match values.get(input.as_str()) {
            Some(Value::Constant(tensor)) => {
                tensor.data_type == kind as i32 && (index == 0 || tensor.dims.len() <= 1)
            }
            _ => false,
        };
        if !fits {
            return bad(format!(
                "node {:?} does not make weights of stored integers and a scale per channel",
                node.name
            ));
        }
    }
    Ok(())
}
