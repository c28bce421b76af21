//! Every reason to refuse a file for its bytes, its metadata or its answers, provoked: the error is the right one and
//! its message names thing, value and remedy.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/refused.rs"]
mod refused;
mod support;

use prost::Message;
use refused::{floats, refused, says, tensor, with_metadata};
use support::{FILE, metadata, proto, resealed};
use undertone_model::onnx::{ModelProto, NodeProto, StringStringEntryProto};
use undertone_model::{MAX_FILE_BYTES, Metadata, Model, PREFIX, SelfTest, seal};

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
        "`stride` is not JSON",
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
        "`labels` is not JSON"
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
        (
            "self_test",
            "{\"frames\":64,\"logits\":[0,0,0,0,0,0,1e39]}",
            "`self_test.logits` has inf, no finite number",
        ),
        ("frontend", "{\"hop_length\":0}", "hop_length"),
        (
            "floor",
            "{\"low_db\":-1,\"high_db\":60,\"hold\":50,\"release_db\":0}",
            "floor.low_db is -1",
        ),
        (
            "floor",
            "{\"low_db\":35,\"high_db\":60,\"hold\":51,\"release_db\":0}",
            "`floor.hold` is 51, more than the 50 frames between answers",
        ),
        ("floor", "{\"low_db\":35}", "high_db"),
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
