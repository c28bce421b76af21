//! The Python that some tests compare with. Optional: without it those tests say that they skip.

use std::path::PathBuf;
use std::process::Command;

use crate::{command, workspace};

/// The tests read the interpreter's path from here.
pub(crate) const VARIABLE: &str = "UNDERTONE_PYTHON";

/// An interpreter with onnx, onnxruntime and numpy, or why there is none.
///
/// An interpreter named by [`VARIABLE`] is taken as it is; otherwise a virtual environment among the build outputs
/// is made once and used again.
pub(crate) fn interpreter() -> Result<PathBuf, String> {
    if let Some(given) = std::env::var_os(VARIABLE) {
        return Ok(given.into());
    }
    let venv = workspace::target_dir().join("verify-venv");
    let python = venv.join("bin/python");
    if !imports(&python, "onnx, onnxruntime, numpy") {
        eprintln!("Making {} for the comparisons with Python.", venv.display());
        if !command::succeeds_quietly(Command::new("python3").args(["-m", "venv"]).arg(&venv)) {
            return Err("python3 cannot make a virtual environment (package python3-venv)".into());
        }
        if !install(&python, &["onnx", "onnxruntime", "numpy"]) {
            return Err("onnx, onnxruntime and numpy cannot be installed here".into());
        }
    }
    Ok(python)
}

fn imports(python: &PathBuf, modules: &str) -> bool {
    python.is_file()
        && command::succeeds_quietly(
            Command::new(python).args(["-c", &format!("import {modules}")]),
        )
}

fn install(python: &PathBuf, packages: &[&str]) -> bool {
    let mut pip = Command::new(python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "1",
        "--timeout",
        "20",
    ]);
    pip.args(["--only-binary", ":all:"]).args(packages);
    command::succeeds(&mut pip).unwrap_or(false)
}
