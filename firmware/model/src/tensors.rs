//! The constants of a graph: weights, scales, axes and shapes.

use tract_onnx::pb::{TensorProto, tensor_proto::DataType};

use crate::error::ModelError;
use crate::operators::MAX_RANK;

/// Largest integer in an integer tensor: axes and shapes.
const MAX_INTEGER: i64 = 65_536;

/// Refuses a tensor that is not finite raw data of the size that its shape says.
pub(crate) fn check(tensor: &TensorProto) -> Result<(), ModelError> {
    let bad = |what: &str| {
        Err(ModelError::Graph {
            reason: format!("tensor {:?} {what}", tensor.name),
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
        && tensor.int64_data.is_empty()
        && tensor.double_data.is_empty()
        && tensor.uint64_data.is_empty()
        && tensor.string_data.is_empty()
        && tensor.segment.is_none();
    if !inline || tensor.dims.len() > MAX_RANK {
        return bad("is not stored as raw data of at most six dimensions");
    }
    let elements = tensor.dims.iter().try_fold(1usize, |product, &dim| {
        product.checked_mul(usize::try_from(dim).ok()?)
    });
    if elements.and_then(|elements| elements.checked_mul(size)) != Some(tensor.raw_data.len()) {
        return bad("does not hold as many values as its shape says");
    }
    if tensor.raw_data.is_empty() {
        return bad("is empty");
    }
    match size {
        4 if !read(&tensor.raw_data).all(f32::is_finite) => {
            bad("holds a value that is not a number")
        }
        8 if tensor.dims.len() > 1 || tensor.raw_data.len() > 8 * MAX_RANK => {
            bad("has more integers than axes or a shape need")
        }
        8 if !small(&tensor.raw_data) => bad("holds an integer out of range"),
        _ => Ok(()),
    }
}

/// The values of a tensor of `f32` that is stored as raw data, little-endian, in the order of its shape.
#[must_use]
pub fn floats(tensor: &TensorProto) -> Vec<f32> {
    read(&tensor.raw_data).collect()
}

/// A tensor of `f32`, stored as raw data; `values` in the order of `shape`.
#[must_use]
pub fn float_tensor(name: &str, shape: &[usize], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        data_type: DataType::Float as i32,
        dims: shape.iter().map(|&size| size as i64).collect(),
        raw_data: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        ..TensorProto::default()
    }
}

fn read(raw: &[u8]) -> impl Iterator<Item = f32> {
    let values = raw.as_chunks::<4>().0.iter();
    values.map(|&bytes| f32::from_le_bytes(bytes))
}

fn small(raw: &[u8]) -> bool {
    let values = raw.as_chunks::<8>().0.iter();
    values
        .map(|&bytes| i64::from_le_bytes(bytes))
        .all(|value| (-MAX_INTEGER..=MAX_INTEGER).contains(&value))
}
