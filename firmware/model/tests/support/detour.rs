//! More nodes for a graph that is already there.

use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::{GraphProto, NodeProto, TensorProto};

use crate::support::attribute;

/// Nodes to put between two others.
#[derive(Default)]
pub(crate) struct Detour {
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
}

impl Detour {
    pub(crate) fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: &[(&str, &[i64])],
    ) -> String {
        let name = format!("detour{}", self.nodes.len());
        let attribute = attributes
            .iter()
            .map(|&(name, values)| attribute(name, values))
            .collect();
        self.nodes.push(NodeProto {
            name: name.clone(),
            op_type: operator.into(),
            input: inputs.iter().map(|&input| input.into()).collect(),
            output: vec![name.clone()],
            attribute,
            ..NodeProto::default()
        });
        name
    }

    pub(crate) fn tensor(&mut self, dims: &[i64], kind: DataType, raw_data: Vec<u8>) -> String {
        let name = format!("constant{}", self.tensors.len());
        self.tensors.push(TensorProto {
            name: name.clone(),
            dims: dims.to_vec(),
            data_type: kind as i32,
            raw_data,
            ..TensorProto::default()
        });
        name
    }

    pub(crate) fn zeros(&mut self, dims: &[i64]) -> String {
        let count: i64 = dims.iter().product();
        self.tensor(dims, DataType::Float, vec![0; count as usize * 4])
    }

    pub(crate) fn integers(&mut self, values: &[i64]) -> String {
        let raw = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.tensor(&[values.len() as i64], DataType::Int64, raw)
    }

    /// Puts the nodes in front of the node that reads `from`, which then reads their last.
    pub(crate) fn insert(self, graph: &mut GraphProto, from: &str) {
        let last = self.nodes.last().unwrap().name.clone();
        let reads = |node: &NodeProto| node.input.iter().any(|input| input == from);
        let at = graph.node.iter().position(reads).unwrap();
        for input in graph.node[at]
            .input
            .iter_mut()
            .filter(|input| *input == from)
        {
            input.clone_from(&last);
        }
        graph.node.splice(at..at, self.nodes);
        graph.initializer.extend(self.tensors);
    }
}
