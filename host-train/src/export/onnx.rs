//! A graph under construction, in ONNX's messages.

use undertone_model::float_tensor;
use undertone_model::onnx::attribute_proto::AttributeType;
use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::tensor_shape_proto::{Dimension, dimension};
use undertone_model::onnx::type_proto::{Tensor as TensorType, Value as TypeValue};
use undertone_model::onnx::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
};

/// Intermediate representation and operator set that the files are written in.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;

/// A graph that grows node by node; every node has one output, named like itself.
#[derive(Debug, Default)]
pub(super) struct Graph {
    proto: GraphProto,
}

/// A dimension of an input or output: fixed, or named.
pub(super) enum Dim<'a> {
    Fixed(usize),
    Named(&'a str),
}

impl Graph {
    /// Adds a node and gives the name of its output.
    pub(super) fn node(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.to_owned()],
            name: name.to_owned(),
            op_type: operator.to_owned(),
            attribute: attributes,
            ..NodeProto::default()
        });
        name.to_owned()
    }

    /// Adds constant numbers and gives their name.
    pub(super) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.constant(float_tensor(name, shape, values))
    }

    /// Adds constant integers and gives their name.
    pub(super) fn integers(&mut self, name: &str, values: &[i64]) -> String {
        self.constant(TensorProto {
            name: name.to_owned(),
            data_type: DataType::Int64 as i32,
            dims: vec![values.len() as i64],
            raw_data: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            ..TensorProto::default()
        })
    }

    fn constant(&mut self, tensor: TensorProto) -> String {
        let name = tensor.name.clone();
        self.proto.initializer.push(tensor);
        name
    }

    /// Declares the graph's input.
    pub(super) fn input(&mut self, name: &str, shape: &[Dim<'_>]) {
        self.proto.input.push(value_info(name, shape));
    }

    /// Declares the graph's output.
    pub(super) fn output(&mut self, name: &str, shape: &[Dim<'_>]) {
        self.proto.output.push(value_info(name, shape));
    }

    /// The finished file, without metadata.
    pub(super) fn finish(mut self, name: &str) -> ModelProto {
        self.proto.name = name.to_owned();
        ModelProto {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSetIdProto {
                domain: String::new(),
                version: OPSET,
            }],
            producer_name: "undertone-train".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.proto),
            ..ModelProto::default()
        }
    }
}

fn value_info(name: &str, shape: &[Dim<'_>]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|dim| Dimension {
            value: Some(match dim {
                Dim::Fixed(size) => dimension::Value::DimValue(*size as i64),
                Dim::Named(name) => dimension::Value::DimParam((*name).to_owned()),
            }),
            ..Dimension::default()
        })
        .collect();
    let tensor = TensorType {
        elem_type: DataType::Float as i32,
        shape: Some(TensorShapeProto { dim }),
    };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(TypeValue::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

/// An integer attribute.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i: value,
        ..AttributeProto::default()
    }
}

/// A list attribute.
pub(super) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints as i32,
        ints: values.iter().map(|&value| value as i64).collect(),
        ..AttributeProto::default()
    }
}
