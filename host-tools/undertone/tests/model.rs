//! `undertone model verify` and `compare` as a script meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../models/undertone-research.onnx"
);
const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/demo/speech.wav");

fn model(words: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_undertone"))
        .arg("model")
        .args(words)
        .output()
        .unwrap();
    (
        status.code(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

#[test]
fn the_shipped_model_is_ok_and_a_damaged_copy_of_it_is_refused_with_the_reason() {
    let (code, data, talk) = model(&["verify", MODEL]);
    assert_eq!((code, talk.as_str()), (Some(0), ""));
    assert!(data.starts_with("ok "), "{data}");
    let folder = std::env::temp_dir().join(format!("undertone-verify-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let damaged = folder.join("damaged.onnx");
    let mut bytes = std::fs::read(MODEL).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&damaged, bytes).unwrap();
    let (code, data, talk) = model(&["verify", MODEL, damaged.to_str().unwrap(), "--json"]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(code, Some(1));
    assert!(talk.contains("1 of 2 files"), "{talk}");
    let rows: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(
        (&rows[0]["ok"], &rows[1]["ok"]),
        (&true.into(), &false.into())
    );
    assert!(rows[1]["reason"].as_str().unwrap().contains("damaged.onnx"));
}

#[test]
fn a_model_answers_like_itself_and_a_bound_that_nothing_meets_fails() {
    let (code, data, _) = model(&["compare", MODEL, MODEL, SPEECH, "--json"]);
    assert_eq!(code, Some(0));
    let report: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(
        (&report["recordings"], &report["changed_labels"]),
        (&1.into(), &0.into())
    );
    let (code, _, talk) = model(&["compare", MODEL, MODEL, SPEECH, "--max-probability=-1"]);
    assert_eq!(code, Some(1));
    assert!(talk.contains("differs from"), "{talk}");
}

#[test]
fn a_recording_that_cannot_be_read_is_named() {
    let (code, data, talk) = model(&["compare", MODEL, MODEL, "/nowhere/call.wav"]);
    assert_eq!((code, data.as_str()), (Some(1), ""));
    assert!(talk.contains("/nowhere/call.wav"), "{talk}");
}
