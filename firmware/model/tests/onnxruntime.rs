//! onnx's checker and onnxruntime, which share no code with this crate, read the shipped file and agree with its self
//! test.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

/// Set by `cargo verify`: an interpreter that has onnx, onnxruntime and numpy.
const VARIABLE: &str = "UNDERTONE_PYTHON";

fn check(model: &Path) -> Option<(bool, String)> {
    let Some(python) = std::env::var_os(VARIABLE) else {
        eprintln!("skipped: {VARIABLE} is unset; `cargo verify` sets it");
        return None;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(&python)
        .arg(root.join("tests/python/check_model.py"))
        .arg(model)
        .output()
        .unwrap_or_else(|error| panic!("{VARIABLE}={}: {error}", python.display()));
    let said = [output.stdout, output.stderr].concat();
    Some((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}

#[test]
fn onnxruntime_gives_the_answers_recorded_in_the_shipped_file() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/undertone-research.onnx");
    if let Some((passed, said)) = check(&file) {
        assert!(passed && said.contains("checker passed"), "{said}");
    }
}

#[test]
fn the_check_fails_on_a_file_that_answers_otherwise() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/undertone-research.onnx");
    let mut bytes = std::fs::read(file).unwrap();
    // The recorded answers are text: every logit becomes a larger one of the same length.
    let at = bytes
        .windows(10)
        .position(|window| window == b"\"logits\":[")
        .unwrap()
        + 10;
    let first = bytes[at..].iter().position(u8::is_ascii_digit).unwrap();
    bytes[at + first] = b'9';
    let changed = std::env::temp_dir().join(format!("undertone-{}.onnx", std::process::id()));
    std::fs::write(&changed, bytes).unwrap();
    let result = check(&changed);
    std::fs::remove_file(&changed).unwrap();
    if let Some((passed, said)) = result {
        assert!(!passed && said.contains("largest difference"), "{said}");
    }
}
