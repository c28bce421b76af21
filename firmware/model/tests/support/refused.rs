//! Looking at refusals, and at the parts of a graph that provoke them.

#![allow(dead_code)]

use undertone_model::ModelError;
use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::{AttributeProto, GraphProto, NodeProto, TensorProto};

use crate::support::{metadata, proto};
use undertone_model::{Metadata, seal};

pub(crate) fn node<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut NodeProto {
    graph
        .node
        .iter_mut()
        .find(|node| node.name == name)
        .unwrap()
}

pub(crate) fn attribute<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut AttributeProto {
    let mut attributes = node.attribute.iter_mut();
    attributes.find(|attribute| attribute.name == name).unwrap()
}

pub(crate) fn tensor<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut TensorProto {
    let mut tensors = graph.initializer.iter_mut();
    tensors.find(|tensor| tensor.name == name).unwrap()
}

/// Some tensor of `f32`.
pub(crate) fn floats(graph: &mut GraphProto) -> &mut TensorProto {
    let mut tensors = graph.initializer.iter_mut();
    let float = DataType::Float as i32;
    tensors.find(|tensor| tensor.data_type == float).unwrap()
}

/// The file with changed metadata and the hash that belongs to it.
pub(crate) fn with_metadata(change: impl FnOnce(&mut Metadata)) -> Vec<u8> {
    let mut metadata = metadata();
    change(&mut metadata);
    seal(&mut proto(), &metadata).unwrap()
}

#[track_caller]
pub(crate) fn says(error: &ModelError, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

/// Bytes are refused with this variant and these words.
macro_rules! refused {
    ($bytes:expr, $variant:ident, $($word:expr),+) => {{
        let error = support::refusal(&$bytes);
        assert!(matches!(error, undertone_model::ModelError::$variant { .. }), "{error:?}");
        refused::says(&error, &[$($word),+]);
    }};
}

pub(crate) use refused;
