//! The operators that a graph may use, with the attributes and the number of inputs that each may have.
//!
//! The list is what the exporter writes and little more. Ranges are far above any network of ours and far below what
//! would make the inference library build tables that the file's size does not pay for.

use std::ops::RangeInclusive;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use crate::error::ModelError;
use crate::metadata::NetworkKind;

/// Turns stored integers into weights; the one operator that works on constants alone.
pub(crate) const DEQUANTIZE: &str = "DequantizeLinear";

/// Most dimensions of a tensor.
pub(crate) const MAX_RANK: usize = 6;
/// Largest stride, dilation, kernel or padding.
const MAX_EXTENT: i64 = 4_096;
/// Longest side of what `MaxPool` looks at: no weight pays for it. Without padding and dilation, it is one table.
const MAX_POOLED: i64 = 64;
/// Most inputs of `Concat`.
const MAX_PARTS: usize = 16;

/// What an attribute may hold.
#[derive(Clone, Copy)]
enum Kind {
    Factor,
    Int(RangeOf),
    Ints(RangeOf),
}

type RangeOf = (i64, i64);

const AXIS: RangeOf = (-(MAX_RANK as i64), MAX_RANK as i64);
const FLAG: RangeOf = (0, 1);
const SIZE: RangeOf = (1, MAX_EXTENT);
/// Negative padding would cut frames away, and with them the alignment of what is added up.
const PADDING: RangeOf = (0, MAX_EXTENT);

struct Operator {
    name: &'static str,
    inputs: RangeInclusive<usize>,
    attributes: &'static [(&'static str, Kind)],
}

const fn operator(
    name: &'static str,
    inputs: RangeInclusive<usize>,
    attributes: &'static [(&'static str, Kind)],
) -> Operator {
    Operator {
        name,
        inputs,
        attributes,
    }
}

const REDUCTION: &[(&str, Kind)] = &[
    ("axes", Kind::Ints(AXIS)),
    ("keepdims", Kind::Int(FLAG)),
    ("noop_with_empty_axes", Kind::Int(FLAG)),
];

/// What only a windowed network may use: some look at the whole window, and none is written for a streaming one.
const WINDOWED: [Operator; 3] = [
    operator("MatMul", 2..=2, &[]),
    operator(
        "MaxPool",
        1..=1,
        &[
            ("kernel_shape", Kind::Ints((1, MAX_POOLED))),
            ("strides", Kind::Ints((1, MAX_POOLED))),
        ],
    ),
    operator(
        "Transpose",
        1..=1,
        &[("perm", Kind::Ints((0, MAX_RANK as i64 - 1)))],
    ),
];

const OPERATORS: [Operator; 20] = [
    operator("Add", 2..=2, &[]),
    operator("Concat", 1..=MAX_PARTS, &[("axis", Kind::Int(AXIS))]),
    operator(
        "Conv",
        2..=3,
        &[
            ("dilations", Kind::Ints(SIZE)),
            ("group", Kind::Int(SIZE)),
            ("kernel_shape", Kind::Ints(SIZE)),
            ("pads", Kind::Ints(PADDING)),
            ("strides", Kind::Ints(SIZE)),
        ],
    ),
    operator(DEQUANTIZE, 2..=3, &[("axis", Kind::Int(AXIS))]),
    operator("Div", 2..=2, &[]),
    operator("Exp", 1..=1, &[]),
    operator("Flatten", 1..=1, &[("axis", Kind::Int(AXIS))]),
    operator(
        "Gemm",
        2..=3,
        &[
            ("alpha", Kind::Factor),
            ("beta", Kind::Factor),
            ("transA", Kind::Int(FLAG)),
            ("transB", Kind::Int(FLAG)),
        ],
    ),
    operator("Identity", 1..=1, &[]),
    operator("Mul", 2..=2, &[]),
    operator("ReduceMax", 1..=2, REDUCTION),
    operator("ReduceMean", 1..=2, REDUCTION),
    operator("ReduceSum", 1..=2, REDUCTION),
    operator("Relu", 1..=1, &[]),
    operator("Reshape", 2..=2, &[("allowzero", Kind::Int(FLAG))]),
    operator("Sqrt", 1..=1, &[]),
    operator("Squeeze", 1..=2, &[]),
    operator("Sub", 2..=2, &[]),
    operator("Tanh", 1..=1, &[]),
    operator("Unsqueeze", 2..=2, &[]),
];

/// Refuses a node whose operator, inputs or attributes the exporter could not have written.
pub(crate) fn check(node: &NodeProto, network: NetworkKind) -> Result<(), ModelError> {
    let bad = |what: String| {
        Err(ModelError::Graph {
            reason: format!("node {:?} {what}", node.name),
        })
    };
    let more = match network {
        NetworkKind::Streaming => &[][..],
        NetworkKind::Windowed => &WINDOWED[..],
    };
    let known = OPERATORS
        .iter()
        .chain(more)
        .find(|operator| operator.name == node.op_type && node.domain.is_empty());
    let Some(operator) = known else {
        return bad(format!(
            "uses the operator {:?}, which is not run in a {network} network",
            node.op_type
        ));
    };
    if !operator.inputs.contains(&node.input.len()) {
        return bad(format!(
            "has {} inputs, `{}` takes {:?}",
            node.input.len(),
            operator.name,
            operator.inputs
        ));
    }
    for (index, attribute) in node.attribute.iter().enumerate() {
        let name = attribute.name.as_str();
        if node.attribute[..index].iter().any(|one| one.name == name) {
            return bad(format!("has the attribute {name:?} twice"));
        }
        let kind = operator.attributes.iter().find(|(known, _)| *known == name);
        let Some((_, kind)) = kind else {
            return bad(format!(
                "has the attribute {name:?}, which `{}` does not take here",
                operator.name
            ));
        };
        if let Err(reason) = fits(attribute, *kind) {
            return bad(format!("has the attribute {name:?} {reason}"));
        }
    }
    Ok(())
}

fn fits(attribute: &AttributeProto, kind: Kind) -> Result<(), String> {
    let plain = attribute.t.is_none()
        && attribute.g.is_none()
        && attribute.sparse_tensor.is_none()
        && attribute.s.is_empty()
        && attribute.strings.is_empty()
        && attribute.floats.is_empty()
        && attribute.tensors.is_empty()
        && attribute.graphs.is_empty()
        && attribute.sparse_tensors.is_empty()
        && attribute.type_protos.is_empty()
        && attribute.ref_attr_name.is_empty();
    let (expected, range, values) = match kind {
        Kind::Factor => {
            return match attribute.f {
                f if plain && f.is_finite() && is(attribute, AttributeType::Float) => Ok(()),
                f => Err(format!("of {f}, not a plain number")),
            };
        }
        Kind::Int(range) => (
            AttributeType::Int,
            range,
            std::slice::from_ref(&attribute.i),
        ),
        Kind::Ints(range) => (AttributeType::Ints, range, attribute.ints.as_slice()),
    };
    if !plain || !is(attribute, expected) {
        return Err(format!("of another kind than {expected:?}"));
    }
    if values.len() > 2 * MAX_RANK {
        return Err(format!(
            "of {} values, more than {}",
            values.len(),
            2 * MAX_RANK
        ));
    }
    let (low, high) = range;
    match values.iter().find(|value| !(low..=high).contains(*value)) {
        Some(value) => Err(format!("of {value}, not {low} to {high}")),
        None => Ok(()),
    }
}

fn is(attribute: &AttributeProto, kind: AttributeType) -> bool {
    attribute.r#type == kind as i32
}
