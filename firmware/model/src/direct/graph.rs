//! Reading a checked graph: which nodes a half needs, their attributes and constants.

use std::collections::{HashMap, HashSet};

use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use crate::tensors::floats;

/// A part of a graph: what lies between `inputs` and `outputs`.
pub(super) struct Half<'a> {
    /// In order of computation.
    pub(super) nodes: Vec<&'a NodeProto>,
    constants: HashMap<&'a str, &'a TensorProto>,
    uses: HashMap<&'a str, usize>,
}

impl<'a> Half<'a> {
    pub(super) fn of(graph: &'a GraphProto, inputs: &[&str], outputs: &[&'a str]) -> Self {
        let constants: HashMap<&str, &TensorProto> = graph
            .initializer
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor))
            .collect();
        let mut wanted: HashSet<&str> = outputs.iter().copied().collect();
        let mut uses: HashMap<&str, usize> = HashMap::new();
        for output in outputs {
            *uses.entry(output).or_default() += 1;
        }
        let mut nodes = Vec::new();
        for node in graph.node.iter().rev() {
            if inputs.contains(&node.name.as_str()) || !wanted.contains(node.name.as_str()) {
                continue;
            }
            for name in node.input.iter().map(String::as_str) {
                wanted.insert(name);
                *uses.entry(name).or_default() += 1;
            }
            nodes.push(node);
        }
        nodes.reverse();
        Half {
            nodes,
            constants,
            uses,
        }
    }

    /// How many read a value, outputs of the half included.
    pub(super) fn uses(&self, name: &str) -> usize {
        self.uses.get(name).copied().unwrap_or(0)
    }

    /// Shape and values of a constant of `f32`.
    pub(super) fn floats(&self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let tensor = self.constant(name, DataType::Float)?;
        Some((dims(tensor)?, floats(tensor)))
    }

    /// The one value of a constant axis.
    pub(super) fn axis(&self, name: &str) -> Option<i64> {
        let tensor = self.constant(name, DataType::Int64)?;
        match tensor.raw_data.as_chunks::<8>().0 {
            [bytes] => Some(i64::from_le_bytes(*bytes)),
            _ => None,
        }
    }

    fn constant(&self, name: &str, kind: DataType) -> Option<&'a TensorProto> {
        let tensor = self.constants.get(name).copied()?;
        (tensor.data_type == kind as i32).then_some(tensor)
    }
}

fn dims(tensor: &TensorProto) -> Option<Vec<usize>> {
    let dims = tensor.dims.iter().map(|&dim| usize::try_from(dim).ok());
    dims.collect()
}

/// The integers of a list attribute of exactly `N`; `default` for each when it is absent.
pub(super) fn integers<const N: usize>(
    node: &NodeProto,
    name: &str,
    default: usize,
) -> Option<[usize; N]> {
    let found = node
        .attribute
        .iter()
        .find(|attribute| attribute.name == name);
    let Some(attribute) = found else {
        return Some([default; N]);
    };
    let values: Option<Vec<usize>> = attribute
        .ints
        .iter()
        .map(|&value| usize::try_from(value).ok())
        .collect();
    values?.try_into().ok()
}

/// An integer attribute, or what it is when absent.
pub(super) fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    let found = node
        .attribute
        .iter()
        .find(|attribute| attribute.name == name);
    found.map_or(default, |attribute| attribute.i)
}

/// Whether a factor is absent or 1.
pub(super) fn is_one(node: &NodeProto, name: &str) -> bool {
    let mut found = node
        .attribute
        .iter()
        .filter(|attribute| attribute.name == name);
    found.all(|attribute| attribute.f == 1.0)
}
