//! `undertone model inspect` as a person or a script meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::{Command, Output};

fn inspect(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_undertone"))
        .args(["model", "inspect"])
        .args(words)
        .output()
        .unwrap()
}

fn refused(path: &str) -> String {
    let output = inspect(&[path, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{path}");
    assert!(
        output.stdout.is_empty(),
        "data goes to standard output, talk does not"
    );
    let talk = String::from_utf8(output.stderr).unwrap();
    assert!(
        talk.starts_with("error[") && talk.contains(path) && talk.contains("\nnext: "),
        "{talk}"
    );
    talk
}

#[test]
fn a_missing_file_a_folder_and_a_foreign_file_are_refused_by_name() {
    refused("/nowhere/model.onnx");
    refused(env!("CARGO_MANIFEST_DIR"));
    let foreign = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    assert!(refused(foreign).contains("is refused"));
}

#[test]
fn a_file_that_never_ends_is_refused_without_reading_it_all() {
    if Path::new("/dev/zero").exists() {
        refused("/dev/zero");
    }
}

#[test]
fn the_shipped_model_is_described_to_people_and_to_scripts() {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../models/undertone-research.onnx"
    );
    let people = inspect(&[model]);
    let text = String::from_utf8(people.stdout).unwrap();
    assert!(people.status.success());
    for wanted in [
        "labels",
        "licence",
        "research",
        "content_hash",
        "temperature",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let scripts = inspect(&[model, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&scripts.stdout).unwrap();
    assert_eq!(report["metadata"]["labels"][0], "neutral");
    assert_eq!(report["bytes"], std::fs::metadata(model).unwrap().len());
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    for words in [
        "notice --purpose evaluation --subjects volunteers --legal-basis consent --controller A --contact B",
        "model inspect ../../models/undertone-research.onnx",
    ] {
        // Nobody reads the pipe.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_undertone"))
            .args(words.split(' '))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(writer)
            .output()
            .unwrap();
        assert!(output.status.success(), "{words}: {output:?}");
    }
}
