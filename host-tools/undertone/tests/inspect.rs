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
    assert!(talk.starts_with("error: ") && talk.contains(path), "{talk}");
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
