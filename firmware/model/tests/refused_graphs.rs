//! Every reason to refuse a graph, provoked: the error is the right one and its message names thing, value and remedy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/refused.rs"]
mod refused;
mod support;

use refused::{attribute, floats, node, refused, tensor, with_metadata};
use support::{metadata, proto, resealed, silence_caught_panics};
use undertone_model::onnx::attribute_proto::AttributeType;
use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::tensor_shape_proto::dimension;
use undertone_model::onnx::type_proto::Value;
use undertone_model::onnx::{
    AttributeProto, FunctionProto, ModelProto, NodeProto, StringStringEntryProto, ValueInfoProto,
};
use undertone_model::seal;

#[test]
fn a_graph_with_an_operator_or_attribute_that_is_not_run() {
    let remedy = "export it again";
    let bytes = resealed(|graph| node(graph, "stem_relu").op_type = "Loop".into());
    refused!(
        bytes,
        Graph,
        "\"stem_relu\" uses the operator \"Loop\", which is not run",
        remedy
    );
    let bytes = resealed(|graph| node(graph, "stem_relu").domain = "com.example".into());
    refused!(
        bytes,
        Graph,
        "\"stem_relu\" uses the operator \"Relu\"",
        remedy
    );
    let pads =
        |value: i64| resealed(move |graph| attribute(node(graph, "stem"), "pads").ints[1] = value);
    refused!(
        pads(1_000_000_000),
        Graph,
        "\"stem\"",
        "\"pads\" of 1000000000, not 0 to 4096",
        remedy
    );
    refused!(pads(-1), Graph, "\"pads\" of -1, not 0 to 4096");
    for name in ["strides", "dilations", "kernel_shape"] {
        for value in [0, -1, i64::MIN, 5_000] {
            let bytes = resealed(|graph| attribute(node(graph, "stem"), name).ints[0] = value);
            refused!(bytes, Graph, name, &format!("of {value}, not 1 to 4096"));
        }
    }
    let bytes = resealed(|graph| {
        node(graph, "stem").attribute.push(AttributeProto {
            name: "group".into(),
            r#type: AttributeType::Int as i32,
            ..AttributeProto::default()
        });
    });
    refused!(bytes, Graph, "\"group\" of 0");
    let bytes = resealed(|graph| attribute(node(graph, "stem"), "pads").ints = vec![1; 1_000]);
    refused!(bytes, Graph, "\"pads\" of 1000 values");
    let bytes = resealed(|graph| attribute(node(graph, "stem"), "pads").r#type = 2);
    refused!(bytes, Graph, "\"pads\" of another kind than Ints");
    let bytes = resealed(|graph| {
        let stem = node(graph, "stem");
        stem.attribute.push(stem.attribute[0].clone());
    });
    refused!(bytes, Graph, "twice");
    let bytes = resealed(|graph| {
        let auto = AttributeProto {
            name: "auto_pad".into(),
            r#type: AttributeType::String as i32,
            s: b"SAME_UPPER".to_vec(),
            ..AttributeProto::default()
        };
        node(graph, "stem").attribute.push(auto);
    });
    refused!(
        bytes,
        Graph,
        "\"auto_pad\", which `Conv` does not take here"
    );
    let bytes = resealed(|graph| {
        let alpha = AttributeProto {
            name: "alpha".into(),
            r#type: AttributeType::Float as i32,
            f: f32::NAN,
            ..AttributeProto::default()
        };
        node(graph, "logits").attribute.push(alpha);
    });
    refused!(bytes, Graph, "\"alpha\" of NaN");
}

#[test]
fn a_graph_with_other_inputs_outputs_or_wires() {
    let bytes = resealed(|graph| graph.input.push(graph.output[0].clone()));
    refused!(
        bytes,
        Graph,
        "inputs [\"features\", \"logits\"], not `features` alone"
    );
    let bytes = resealed(|graph| graph.output[0].name = "steps".into());
    refused!(bytes, Graph, "outputs [\"steps\"], not `logits` alone");
    let bytes = resealed(|graph| graph.input[0].r#type = None);
    refused!(bytes, Graph, "gives `features` no type");
    let bytes = resealed(|graph| {
        let Some(Value::TensorType(tensor)) = &mut graph.input[0].r#type.as_mut().unwrap().value
        else {
            panic!("the input is no tensor");
        };
        let expression = format!("{}frames{}", "(".repeat(100_000), ")".repeat(100_000));
        tensor.shape.as_mut().unwrap().dim[2].value = Some(dimension::Value::DimParam(expression));
    });
    refused!(
        bytes,
        Graph,
        "`features` a type other than f32 or a shape of more"
    );
    let bytes = resealed(|graph| graph.value_info.push(ValueInfoProto::default()));
    refused!(bytes, Graph, "notes on values");
    let bytes = resealed(|graph| graph.node.reverse());
    refused!(
        bytes,
        Graph,
        "\"logits\" reads \"hidden_relu\", which nothing before it gives"
    );
    let bytes = resealed(|graph| node(graph, "stem_relu").input[0] = "stem_relu".into());
    refused!(
        bytes,
        Graph,
        "reads \"stem_relu\", which nothing before it gives"
    );
    let bytes = resealed(|graph| {
        let relu = node(graph, "stem_relu").clone();
        graph.node.push(relu);
    });
    refused!(bytes, Graph, "two values named");
    let bytes = resealed(|graph| node(graph, "stem_relu").output.push("more".into()));
    refused!(bytes, Graph, "not one named like itself");
    let bytes = resealed(|graph| node(graph, "stem_relu").input.clear());
    refused!(bytes, Graph, "has 0 inputs, `Relu` takes 1..=1");
    let bytes = resealed(|graph| graph.node.retain(|node| node.name != "logits"));
    refused!(bytes, Graph, "no node named `logits`");
    let bytes = resealed(|graph| {
        let relu = graph.node.iter().find(|node| node.op_type == "Relu");
        let relu = relu.unwrap().clone();
        let copies = (0..600).map(|index| NodeProto {
            name: format!("copy{index}"),
            output: vec![format!("copy{index}")],
            ..relu.clone()
        });
        graph.node.extend(copies);
    });
    refused!(bytes, Graph, "nodes, more than 512");
}

#[test]
fn a_model_with_more_than_a_graph() {
    let mut functions = proto();
    functions.functions.push(FunctionProto::default());
    refused!(
        seal(&mut functions, &metadata()).unwrap(),
        Graph,
        "holds functions"
    );
    let mut newer = proto();
    newer.opset_import[0].version = 99;
    refused!(
        seal(&mut newer, &metadata()).unwrap(),
        Graph,
        "operator sets 13..=18"
    );
    let mut empty = ModelProto {
        graph: None,
        ..proto()
    };
    refused!(seal(&mut empty, &metadata()).unwrap(), Graph, "is missing");
}

#[test]
fn a_tensor_that_is_elsewhere_or_of_another_size_or_no_number() {
    let bytes = resealed(|graph| tensor(graph, "mean").data_location = Some(1));
    refused!(
        bytes,
        Graph,
        "tensor \"mean\" lies in another file",
        "export it again"
    );
    let bytes = resealed(|graph| {
        let key = "location".to_owned();
        let value = "/etc/passwd".to_owned();
        let mean = tensor(graph, "mean");
        mean.external_data
            .push(StringStringEntryProto { key, value });
        mean.raw_data.clear();
    });
    refused!(bytes, Graph, "lies in another file");
    for dims in [
        vec![1, 65, 1],
        vec![1 << 31, 1 << 31, 1 << 31],
        vec![-1, -64],
        vec![],
    ] {
        let bytes = resealed(|graph| tensor(graph, "mean").dims = dims);
        refused!(
            bytes,
            Graph,
            "\"mean\" does not hold as many values as its shape says"
        );
    }
    let bytes = resealed(|graph| tensor(graph, "mean").dims = vec![1; 7]);
    refused!(bytes, Graph, "at most six dimensions");
    let bytes = resealed(|graph| {
        tensor(graph, "mean").dims = vec![0];
        tensor(graph, "mean").raw_data.clear();
    });
    refused!(bytes, Graph, "\"mean\" is empty");
    let bytes = resealed(|graph| tensor(graph, "mean").data_type = DataType::Double as i32);
    refused!(bytes, Graph, "has a type that is not run");
    for value in [f32::NAN, f32::INFINITY] {
        let bytes = resealed(|graph| {
            floats(graph).raw_data[..4].copy_from_slice(&value.to_le_bytes());
        });
        refused!(bytes, Graph, "holds a value that is not a number");
    }
    let bytes = resealed(|graph| {
        tensor(graph, "time_axis").raw_data = i64::MAX.to_le_bytes().to_vec();
    });
    refused!(bytes, Graph, "\"time_axis\" holds an integer out of range");
    let bytes = resealed(|graph| {
        let axes = tensor(graph, "time_axis");
        axes.dims = vec![10_000];
        axes.raw_data = vec![0; 80_000];
    });
    refused!(
        bytes,
        Graph,
        "\"time_axis\" has more integers than axes or a shape need"
    );
}

#[test]
fn a_network_that_cannot_be_streamed_exactly() {
    silence_caught_panics();
    // Padding half on either side, as most networks have it: the output needs frames that have not come yet.
    let bytes =
        resealed(|graph| attribute(node(graph, "temporal0_conv"), "pads").ints = vec![0, 1, 0, 1]);
    refused!(
        bytes,
        Graph,
        "cannot be streamed",
        "without delay",
        "export it again"
    );
    // A mean over all frames inside the encoder.
    let bytes = resealed(|graph| {
        let at = graph
            .node
            .iter()
            .position(|node| node.name == "stem")
            .unwrap();
        let axes = AttributeProto {
            name: "axes".into(),
            r#type: AttributeType::Ints as i32,
            ints: vec![3],
            ..AttributeProto::default()
        };
        let mean = NodeProto {
            name: "clip_mean".into(),
            op_type: "ReduceMean".into(),
            input: vec!["plane".into()],
            output: vec!["clip_mean".into()],
            attribute: vec![axes],
            ..NodeProto::default()
        };
        let less = NodeProto {
            name: "less".into(),
            op_type: "Sub".into(),
            input: vec!["plane".into(), "clip_mean".into()],
            output: vec!["less".into()],
            ..NodeProto::default()
        };
        graph.node[at].input[0] = "less".into();
        graph.node.splice(at..at, [mean, less]);
    });
    refused!(bytes, Inference, "model file: cannot be run", "clip_mean");
    // Metadata of another network.
    let slower = with_metadata(|metadata| metadata.stride *= 2);
    refused!(slower, Graph, "cannot be streamed", "export it again");
    let wider = with_metadata(|metadata| metadata.width *= 2);
    refused!(wider, Graph, "cannot be streamed");
}

#[test]
fn a_graph_that_pools_otherwise_than_it_is_run() {
    for (name, operator) in [("pool_maximum", "ReduceMean"), ("pool_weight", "Tanh")] {
        let bytes = resealed(|graph| node(graph, name).op_type = operator.into());
        refused!(bytes, Graph, "makes other statistics", "export it again");
    }
    let bytes = resealed(|graph| {
        node(graph, "pool_parts").input.swap(0, 1);
    });
    refused!(bytes, Graph, "makes other statistics");
}

#[test]
fn a_network_that_overflows() {
    let bytes = resealed(|graph| {
        // Whatever was learnt: sums of many times the largest number.
        for (name, value) in [("hidden_bias", f32::MAX), ("logits_weight", 2.0)] {
            let raw = &mut tensor(graph, name).raw_data;
            for bytes in raw.as_chunks_mut::<4>().0 {
                *bytes = value.to_le_bytes();
            }
        }
    });
    refused!(
        bytes,
        NotFinite,
        "an answer's logits has",
        "not a finite number",
        "export the model again"
    );
}
