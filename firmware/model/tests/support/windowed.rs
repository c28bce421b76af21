//! A network of the field's kind, made here: frames flattened, convolutions along the vector, pooling, dense layers
//! whose weights are 8-bit integers. It reads a whole window and cannot be streamed.

#![allow(dead_code)]

use undertone_dsp::{Feature, FrontendConfig};
use undertone_model::onnx::attribute_proto::AttributeType;
use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::tensor_shape_proto::{Dimension, dimension};
use undertone_model::onnx::type_proto::{Tensor, Value};
use undertone_model::onnx::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
};
use undertone_model::{FORMAT, Licence, Metadata, Model, NetworkKind, Provenance, SelfTest, seal};

/// Sizes of the network.
pub(crate) struct Shape {
    pub(crate) features: Vec<Feature>,
    pub(crate) window: usize,
    pub(crate) filters: [usize; 3],
    pub(crate) hidden: [usize; 2],
}

impl Shape {
    /// A small one: half a second of log-mel.
    pub(crate) fn small() -> Self {
        Self {
            features: vec![Feature::LogMel],
            window: 48,
            filters: [4, 3, 2],
            hidden: [16, 8],
        }
    }

    /// The published one, of 12.6 million parameters.
    pub(crate) fn classic() -> Self {
        Self {
            features: vec![Feature::Zcr, Feature::Rms, Feature::Mfcc],
            window: 108,
            filters: [512, 64, 32],
            hidden: [256, 128],
        }
    }

    /// What the file says, but for the answer to the self test.
    pub(crate) fn metadata(&self) -> Metadata {
        Metadata {
            format: FORMAT,
            network: NetworkKind::Windowed,
            labels: vec!["calm".into(), "tense".into(), "other".into()],
            frontend: FrontendConfig {
                mfcc_count: 40,
                ..FrontendConfig::default()
            },
            features: self.features.clone(),
            floor: None,
            stride: 1,
            width: 0,
            window: self.window,
            shortest: None,
            update_hop: 100,
            temperature: 1.5,
            unknown_threshold: 0.0,
            provenance: Provenance {
                kept_out: None,
                corpora: vec![],
                licence: Licence::Open,
                seed: 1,
                fold: None,
                epoch: 0,
                validation: 0.0,
                trainer: "none".into(),
                clips: vec![],
                adapted: None,
            },
            self_test: SelfTest {
                // More than the window, so that the ring goes round.
                frames: self.window + 7,
                logits: vec![0.0; 3],
            },
            content_hash: String::new(),
        }
    }

    /// The graph, with random weights.
    pub(crate) fn graph(&self) -> ModelProto {
        let rows = self.metadata().rows();
        let inputs = rows * self.window;
        let [one, two, three] = self.filters;
        let [wide, narrow] = self.hidden;
        let mut build = Builder::default();
        build.node(
            "frames",
            "Transpose",
            &["features"],
            &[("perm", &[0, 2, 1])],
        );
        build.integers("vector_shape", &[1, 1, -1]);
        build.node("vector", "Reshape", &["frames", "vector_shape"], &[]);
        build.conv("first", "vector", [one, 1]);
        build.node(
            "pool",
            "MaxPool",
            &["first_relu"],
            &[("kernel_shape", &[3]), ("strides", &[3])],
        );
        build.conv("second", "pool", [two, one]);
        build.conv("third", "second_relu", [three, two]);
        build.node("flat", "Flatten", &["third_relu"], &[]);
        build.dense("wide", "flat", [inputs / 3 * three, wide]);
        build.node("wide_relu", "Relu", &["wide"], &[]);
        build.dense("narrow", "wide_relu", [wide, narrow]);
        build.node("narrow_relu", "Relu", &["narrow"], &[]);
        build.dense("logits", "narrow_relu", [narrow, 3]);
        build.graph.input = vec![value("features", &[1, rows, self.window])];
        build.graph.output = vec![value("logits", &[1, 3])];
        ModelProto {
            ir_version: 8,
            opset_import: vec![OperatorSetIdProto {
                version: 13,
                ..OperatorSetIdProto::default()
            }],
            graph: Some(build.graph),
            ..ModelProto::default()
        }
    }

    /// The file, with the answer to its self test and its hash.
    pub(crate) fn file(&self) -> Vec<u8> {
        sealed(&mut self.graph(), self.metadata())
    }
}

/// A file of the graph, with the answer that it gives now.
pub(crate) fn sealed(graph: &mut ModelProto, mut metadata: Metadata) -> Vec<u8> {
    let model = Model::unverified(graph.clone(), metadata.clone()).unwrap();
    let mut stream = model.stream().unwrap();
    let rows = metadata.rows();
    for frame in SelfTest::input(metadata.self_test.frames, rows).chunks_exact(rows) {
        stream.push(frame).unwrap();
    }
    assert!(stream.logits(&mut metadata.self_test.logits).unwrap());
    seal(graph, &metadata).unwrap()
}

#[derive(Default)]
struct Builder {
    graph: GraphProto,
    state: u64,
}

impl Builder {
    fn random(&mut self) -> i8 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 56) as i8
    }

    fn node(&mut self, name: &str, operator: &str, inputs: &[&str], attributes: &[(&str, &[i64])]) {
        self.graph.node.push(NodeProto {
            name: name.into(),
            op_type: operator.into(),
            input: inputs.iter().map(|&input| input.into()).collect(),
            output: vec![name.into()],
            attribute: attributes.iter().map(attribute).collect(),
            ..NodeProto::default()
        });
    }

    fn tensor(&mut self, name: &str, dims: &[usize], kind: DataType, raw_data: Vec<u8>) {
        self.graph.initializer.push(TensorProto {
            name: name.into(),
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: kind as i32,
            raw_data,
            ..TensorProto::default()
        });
    }

    fn integers(&mut self, name: &str, values: &[i64]) {
        let raw = values.iter().flat_map(|value| value.to_le_bytes());
        self.tensor(name, &[values.len()], DataType::Int64, raw.collect());
    }

    /// Biases of -`most` to `most`.
    fn bias(&mut self, name: &str, count: usize, most: f32) {
        let raw: Vec<u8> = (0..count)
            .flat_map(|_| (f32::from(self.random()) / 128.0 * most).to_le_bytes())
            .collect();
        self.tensor(name, &[count], DataType::Float, raw);
    }

    /// Weights that keep the size of what comes in, one scale for each position along `axis`.
    fn weight(&mut self, name: &str, dims: &[usize], axis: usize, inputs: usize) {
        let count = dims.iter().product();
        let raw = (0..count).map(|_| self.random().cast_unsigned()).collect();
        let [integers, scale] = [format!("{name}_int8"), format!("{name}_scale")];
        self.tensor(&integers, dims, DataType::Int8, raw);
        let one = 1.0 / (74.0 * (inputs as f32).sqrt());
        let scales =
            (0..dims[axis]).flat_map(|at| (one * (1.0 + 0.1 * (at % 5) as f32)).to_le_bytes());
        self.tensor(&scale, &[dims[axis]], DataType::Float, scales.collect());
        let axis: &[i64] = &[axis as i64];
        self.node(
            name,
            "DequantizeLinear",
            &[&integers, &scale],
            &[("axis", axis)],
        );
    }

    /// A convolution of five, that keeps the length, and its rectifier `{name}_relu`.
    fn conv(&mut self, name: &str, input: &str, [outputs, inputs]: [usize; 2]) {
        let [weight, bias] = [format!("{name}_weight"), format!("{name}_bias")];
        self.weight(&weight, &[outputs, inputs, 5], 0, 5 * inputs);
        self.bias(&bias, outputs, 1.0);
        let attributes: [(&str, &[i64]); 2] = [("kernel_shape", &[5]), ("pads", &[2, 2])];
        self.node(name, "Conv", &[input, &weight, &bias], &attributes);
        self.node(&format!("{name}_relu"), "Relu", &[name], &[]);
    }

    fn dense(&mut self, name: &str, input: &str, [inputs, outputs]: [usize; 2]) {
        let [weight, bias] = [format!("{name}_weight"), format!("{name}_bias")];
        self.weight(&weight, &[inputs, outputs], 1, inputs);
        self.bias(&bias, outputs, 1.0);
        self.node(name, "Gemm", &[input, &weight, &bias], &[]);
    }
}

fn attribute(&(name, values): &(&str, &[i64])) -> AttributeProto {
    let one = name == "axis";
    AttributeProto {
        name: name.into(),
        r#type: if one {
            AttributeType::Int
        } else {
            AttributeType::Ints
        } as i32,
        i: if one { values[0] } else { 0 },
        ints: if one { vec![] } else { values.to_vec() },
        ..AttributeProto::default()
    }
}

fn value(name: &str, dims: &[usize]) -> ValueInfoProto {
    let dim = dims.iter().map(|&dim| Dimension {
        value: Some(dimension::Value::DimValue(dim as i64)),
        ..Dimension::default()
    });
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto {
            value: Some(Value::TensorType(Tensor {
                elem_type: DataType::Float as i32,
                shape: Some(TensorShapeProto { dim: dim.collect() }),
            })),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}
