//! Weights stored as 8-bit integers, made into `f32` once, when the file is loaded.
//!
//! The inference library would run `DequantizeLinear` on a constant anew for every answer.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{ModelProto, NodeProto, TensorProto};

use crate::error::ModelError;
use crate::tensors::floats;

/// Replaces every `DequantizeLinear` of a graph that has passed [`crate::graph::check`] by the constant that it makes:
/// `integer * scale`, one scale for each position along `axis` (ONNX operator set 13, without zero point).
///
/// # Errors
/// [`ModelError::Graph`] for one whose inputs are no constants, or do not fit each other.
pub(crate) fn fold(model: &mut ModelProto) -> Result<(), ModelError> {
    let Some(graph) = model.graph.as_mut() else {
        return Ok(());
    };
    let (quantised, others): (Vec<_>, Vec<_>) = std::mem::take(&mut graph.node)
        .into_iter()
        .partition(|node| node.op_type == "DequantizeLinear");
    graph.node = others;
    let constants: HashMap<&str, &TensorProto> = graph
        .initializer
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor))
        .collect();
    let folded = quantised
        .iter()
        .map(|node| constant(node, &constants))
        .collect::<Result<Vec<_>, _>>()?;
    let used: HashSet<&str> = quantised
        .iter()
        .flat_map(|node| &node.input)
        .map(String::as_str)
        .collect();
    graph
        .initializer
        .retain(|tensor| !used.contains(tensor.name.as_str()));
    graph.initializer.extend(folded);
    Ok(())
}

fn constant(
    node: &NodeProto,
    constants: &HashMap<&str, &TensorProto>,
) -> Result<TensorProto, ModelError> {
    let bad = |what: &str| ModelError::Graph {
        reason: format!("node `{}` (DequantizeLinear) {what}", node.name),
    };
    let ([integers, scale], [output]) = (node.input.as_slice(), node.output.as_slice()) else {
        return Err(bad("does not have two inputs and one output"));
    };
    let find = |name: &str, kind: DataType| {
        constants
            .get(name)
            .copied()
            .filter(|tensor| tensor.data_type == kind as i32)
    };
    let integers = find(integers, DataType::Int8)
        .ok_or_else(|| bad("does not read constant 8-bit integers"))?;
    let scale =
        find(scale, DataType::Float).ok_or_else(|| bad("does not read a constant scale"))?;
    let axis = node
        .attribute
        .iter()
        .find(|attribute| attribute.name == "axis")
        .map_or(1, |attribute| attribute.i);
    let axis = usize::try_from(axis)
        .ok()
        .filter(|&axis| axis < integers.dims.len());
    let axis = axis.ok_or_else(|| bad("has an axis that the integers lack"))?;
    let scales = floats(scale);
    let length = usize::try_from(integers.dims[axis]).unwrap_or(0);
    if scale.dims.len() != 1 || scales.len() != length || length == 0 {
        return Err(bad(
            "does not have one scale for each position along its axis",
        ));
    }
    // The check of tensors has made sure that the raw data is as long as the shape says.
    let inner = integers.dims[axis + 1..]
        .iter()
        .map(|&dim| usize::try_from(dim).unwrap_or(0))
        .product::<usize>();
    let value = |(index, &byte): (usize, &u8)| {
        f32::from(i8::from_le_bytes([byte])) * scales[index / inner.max(1) % length]
    };
    // Room at once: growing would hold the largest weights twice.
    let mut raw_data = Vec::with_capacity(4 * integers.raw_data.len());
    let values = integers.raw_data.iter().enumerate().map(value);
    raw_data.extend(values.flat_map(f32::to_le_bytes));
    Ok(TensorProto {
        name: output.clone(),
        data_type: DataType::Float as i32,
        dims: integers.dims.clone(),
        raw_data,
        ..TensorProto::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::float_tensor;
    use tract_onnx::pb::{AttributeProto, GraphProto};

    fn model(axis: i64, scales: &[f32]) -> ModelProto {
        let integers = TensorProto {
            name: "w_int8".into(),
            data_type: DataType::Int8 as i32,
            dims: vec![2, 3],
            raw_data: [1i8, -2, 3, 4, -5, 127]
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            ..TensorProto::default()
        };
        let scale = float_tensor("w_scale", &[scales.len()], scales);
        let node = NodeProto {
            op_type: "DequantizeLinear".into(),
            name: "w".into(),
            input: vec!["w_int8".into(), "w_scale".into()],
            output: vec!["w".into()],
            attribute: vec![AttributeProto {
                name: "axis".into(),
                i: axis,
                ..AttributeProto::default()
            }],
            ..NodeProto::default()
        };
        let graph = GraphProto {
            initializer: vec![integers, scale],
            node: vec![node],
            ..GraphProto::default()
        };
        ModelProto {
            graph: Some(graph),
            ..ModelProto::default()
        }
    }

    fn folded(axis: i64, scales: &[f32]) -> Result<Vec<f32>, ModelError> {
        let mut model = model(axis, scales);
        fold(&mut model)?;
        let graph = model.graph.unwrap();
        assert!(graph.node.is_empty() && graph.initializer.len() == 1);
        assert_eq!(
            (
                graph.initializer[0].name.as_str(),
                &graph.initializer[0].dims
            ),
            ("w", &vec![2, 3])
        );
        Ok(floats(&graph.initializer[0]))
    }

    #[test]
    fn each_position_along_the_axis_has_its_own_scale() {
        assert_eq!(
            folded(0, &[1.0, 10.0]).unwrap(),
            [1.0, -2.0, 3.0, 40.0, -50.0, 1270.0]
        );
        assert_eq!(
            folded(1, &[1.0, 10.0, 0.5]).unwrap(),
            [1.0, -20.0, 1.5, 4.0, -50.0, 63.5]
        );
    }

    #[test]
    fn scales_that_do_not_fit_are_refused() {
        for (axis, scales) in [
            (0, &[1.0][..]),
            (1, &[1.0, 2.0]),
            (2, &[1.0, 2.0]),
            (-1, &[1.0, 2.0, 3.0]),
            (0, &[]),
        ] {
            assert!(
                matches!(folded(axis, scales), Err(ModelError::Graph { .. })),
                "{axis} {scales:?}"
            );
        }
    }
}
