//! Every reason to refuse a file, provoked: the error is the right one and its message names thing, value and remedy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use prost::Message;
use support::{FILE, metadata, proto, refusal, resealed, silence_caught_panics};
use undertone_model::onnx::attribute_proto::AttributeType;
use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::tensor_shape_proto::dimension;
use undertone_model::onnx::type_proto::Value;
use undertone_model::onnx::{
    AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, StringStringEntryProto,
    TensorProto, ValueInfoProto,
};
use undertone_model::{MAX_FILE_BYTES, Metadata, Model, ModelError, PREFIX, SelfTest, seal};

fn node<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut NodeProto {
    graph
        .node
        .iter_mut()
        .find(|node| node.name == name)
        .unwrap()
}

fn attribute<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut AttributeProto {
    let mut attributes = node.attribute.iter_mut();
    attributes.find(|attribute| attribute.name == name).unwrap()
}

fn tensor<'a>(graph: &'a mut GraphProto, name: &str) -> &'a mut TensorProto {
    let mut tensors = graph.initializer.iter_mut();
    tensors.find(|tensor| tensor.name == name).unwrap()
}

/// Some tensor of `f32`.
fn floats(graph: &mut GraphProto) -> &mut TensorProto {
    let mut tensors = graph.initializer.iter_mut();
    let float = DataType::Float as i32;
    tensors.find(|tensor| tensor.data_type == float).unwrap()
}

/// The file with one metadata property replaced by `value`, or without it.
fn with_property(key: &str, value: Option<&str>) -> Vec<u8> {
    let mut proto = proto();
    let key = format!("{PREFIX}{key}");
    proto.metadata_props.retain(|property| property.key != key);
    if let Some(value) = value {
        let value = value.to_owned();
        proto
            .metadata_props
            .push(StringStringEntryProto { key, value });
    }
    proto.encode_to_vec()
}

/// The file with changed metadata and the hash that belongs to it.
fn with_metadata(change: impl FnOnce(&mut Metadata)) -> Vec<u8> {
    let mut metadata = metadata();
    change(&mut metadata);
    seal(&mut proto(), &metadata).unwrap()
}

#[track_caller]
fn says(error: &ModelError, words: &[&str]) {
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

macro_rules! refused {
    ($bytes:expr, $variant:ident, $($word:expr),+) => {{
        let error = refusal(&$bytes);
        assert!(matches!(error, ModelError::$variant { .. }), "{error:?}");
        says(&error, &[$($word),+]);
    }};
}

#[test]
fn bytes_that_are_no_onnx_file() {
    refused!(
        b"# Undertone\n\nA text file.\n".repeat(50),
        NotOnnx,
        "not an ONNX file",
        "copy it again"
    );
    refused!(
        FILE[..FILE.len() / 3],
        NotOnnx,
        "not an ONNX file",
        "truncated",
        "copy it again"
    );
    refused!([0xffu8; 4096], NotOnnx, "not an ONNX file");
    refused!(
        [],
        MissingMetadata,
        "`undertone.format`",
        "undertone-train export"
    );
}

#[test]
fn a_file_larger_than_any_model() {
    let bytes = vec![0; MAX_FILE_BYTES + 1];
    let (found, limit) = (bytes.len().to_string(), MAX_FILE_BYTES.to_string());
    refused!(bytes, TooLarge, &found, &limit, "give the .onnx file");
}

#[test]
fn a_file_of_much_that_is_no_weight() {
    let bytes = resealed(|graph| graph.node = vec![NodeProto::default(); 1 << 20]);
    refused!(
        bytes,
        Outline,
        "bytes of it are not weights",
        "262144",
        "undertone-train export"
    );
    let bytes = resealed(|graph| graph.doc_string = "x".repeat(300_000));
    refused!(bytes, Outline, "not weights");
}

#[test]
fn a_file_without_our_metadata_or_of_another_format() {
    let bare = ModelProto {
        metadata_props: vec![],
        ..proto()
    };
    refused!(
        bare.encode_to_vec(),
        MissingMetadata,
        "`undertone.format`",
        "undertone-train export"
    );
    refused!(
        with_property("format", None),
        MissingMetadata,
        "`undertone.format`"
    );
    refused!(
        with_property("format", Some("2")),
        Format,
        "format 2",
        "runs format 1",
        "update"
    );
    refused!(with_property("format", Some("-1")), Format, "runs format 1");
    refused!(
        with_property("format", Some("\"1\"")),
        Format,
        "runs format 1"
    );
}

#[test]
fn metadata_that_is_not_known_or_missing_or_twice_or_no_json() {
    let remedy = "export it again with `undertone-train export`";
    refused!(
        with_property("colour", Some("1")),
        BadMetadata,
        "colour",
        remedy
    );
    refused!(with_property("stride", None), BadMetadata, "stride", remedy);
    refused!(
        with_property("stride", Some("{")),
        BadMetadata,
        "`stride` is no JSON",
        remedy
    );
    refused!(
        with_property("labels", Some("[1,2]")),
        BadMetadata,
        "integer `1`, expected a string",
        remedy
    );
    let mut twice = proto();
    twice.metadata_props.push(twice.metadata_props[0].clone());
    refused!(
        twice.encode_to_vec(),
        BadMetadata,
        "stands there twice",
        remedy
    );
    let deep = "[".repeat(100_000);
    refused!(
        with_property("labels", Some(&deep)),
        BadMetadata,
        "`labels` is no JSON"
    );
}

#[test]
fn metadata_out_of_range() {
    for (key, value, said) in [
        ("temperature", "0", "`temperature` is 0, not 0.01 to 100"),
        ("temperature", "-1.5", "`temperature` is -1.5"),
        ("temperature", "1e99", "temperature"),
        ("temperature", "null", "does not fit"),
        (
            "unknown_threshold",
            "1.5",
            "`unknown_threshold` is 1.5, not 0 to 1",
        ),
        ("labels", "[\"one\"]", "`labels` is 1, not 2 to 16"),
        ("labels", "[\"a\",\"a\"]", "label \"a\" is taken"),
        (
            "labels",
            "[\"a\",\"unknown\"]",
            "label \"unknown\" is taken",
        ),
        (
            "labels",
            "[\"a\",\"B <b>\"]",
            "label \"B <b>\" is not 1 to 32 of a-z",
        ),
        ("stride", "0", "`stride` is 0, not 1 to 64"),
        (
            "stride",
            "18446744073709551615",
            "`stride` is 18446744073709551615",
        ),
        ("width", "1000000", "`width` is 1000000, not 1 to 4096"),
        (
            "window",
            "801",
            "`window` is 801, no multiple of the stride",
        ),
        ("window", "0", "`window` is 0"),
        ("update_hop", "0", "`update_hop` is 0"),
        ("features", "[]", "`rows` is 0"),
        (
            "self_test",
            "{\"frames\":1000000000,\"logits\":[]}",
            "`self_test.frames` is 1000000000",
        ),
        (
            "self_test",
            "{\"frames\":64,\"logits\":[0.5]}",
            "`self_test.logits` is 1, not 7 to 7",
        ),
        ("frontend", "{\"hop_length\":0}", "hop_length"),
        ("frontend", "{\"window\":\"hamming\"}", "window"),
    ] {
        refused!(
            with_property(key, Some(value)),
            BadMetadata,
            said,
            "export it again"
        );
    }
    let out = Metadata {
        temperature: 0.0,
        ..metadata()
    };
    says(
        &seal(&mut proto(), &out).unwrap_err(),
        &["`temperature` is 0"],
    );
}

#[test]
fn content_that_was_changed_after_it_was_sealed() {
    let mut changed = proto();
    let raw = &mut floats(changed.graph.as_mut().unwrap()).raw_data;
    raw[0] ^= 1;
    let stated = metadata().content_hash;
    refused!(
        changed.encode_to_vec(),
        Hash,
        &stated,
        "changed or damaged",
        "copy it again"
    );
    refused!(with_property("temperature", Some("0.5")), Hash, &stated);
    refused!(
        with_property("content_hash", Some("\"00\"")),
        Hash,
        "the file says 00"
    );
    let mut renamed = proto();
    renamed.producer_name = "somebody".into();
    refused!(renamed.encode_to_vec(), Hash, &stated);
}

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
    let bytes = resealed(|graph| attribute(node(graph, "stem"), "group").i = 0);
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
    let bytes = resealed(|graph| graph.node.push(graph.node[4].clone()));
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
        refused!(bytes, Graph, "holds a value that is no number");
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
    let error = refusal(&bytes);
    says(
        &error,
        &["model file:", "cannot be streamed", "without delay"],
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
    says(&refusal(&bytes), &["model file:"]);
    // Metadata of another network.
    says(
        &refusal(&with_metadata(|metadata| metadata.stride *= 2)),
        &["cannot be streamed"],
    );
    let wider = with_metadata(|metadata| metadata.width *= 2);
    says(&refusal(&wider), &["model file:"]);
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
fn labels_that_are_not_as_many_as_logits() {
    let bytes = with_metadata(|metadata| {
        metadata.labels.pop();
        metadata.self_test.logits.pop();
    });
    refused!(bytes, Graph, "logits", "for 6 labels", "export it again");
}

#[test]
fn answers_that_training_did_not_record() {
    let bytes = with_metadata(|metadata| metadata.self_test.logits[3] += 0.01);
    refused!(bytes, SelfTest, "training recorded", "report it");
    let bytes = resealed(|graph| {
        // Twice the weight: still a valid network, but not the one that was trained.
        let raw = &mut tensor(graph, "logits_bias").raw_data;
        let (first, _) = raw.split_first_chunk_mut::<4>().unwrap();
        *first = (f32::from_le_bytes(*first) + 1.0).to_le_bytes();
    });
    refused!(bytes, SelfTest, "training recorded");
    let longer = with_metadata(|metadata| metadata.self_test.frames += metadata.stride);
    refused!(longer, SelfTest, "training recorded");
}

#[test]
fn a_network_that_overflows() {
    let bytes = resealed(|graph| {
        let raw = &mut tensor(graph, "logits_bias").raw_data;
        raw[..4].copy_from_slice(&f32::MAX.to_le_bytes());
        raw[4..8].copy_from_slice(&f32::MIN.to_le_bytes());
        let raw = &mut tensor(graph, "hidden_bias").raw_data;
        for bytes in raw.as_chunks_mut::<4>().0 {
            *bytes = f32::MAX.to_le_bytes();
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

#[test]
fn the_file_itself_and_a_resealed_copy_are_run() {
    assert!(Model::from_bytes(FILE).is_ok());
    assert!(Model::from_bytes(&resealed(|_| {})).is_ok());
    assert_eq!(
        resealed(|_| {}),
        FILE,
        "sealing the same content gives the same bytes"
    );
    assert!(
        SelfTest::input(3, 2)
            .iter()
            .all(|value| (-80.0..=0.0).contains(value))
    );
}
