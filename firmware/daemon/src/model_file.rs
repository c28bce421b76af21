//! The model: the one inside this program, or a file.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use undertone_model::{Licence, MAX_FILE_BYTES, Model, read_bounded};

use crate::error::DaemonError;
use crate::talk::say;

/// The model that is used when no file is named.
const EMBEDDED: &[u8] = include_bytes!("../../../models/undertone-research.onnx");

/// Reads and checks the model, and says on standard error what it is.
///
/// # Errors
/// [`DaemonError::Model`] with the file and the reason.
pub fn load(path: Option<&Path>) -> Result<Model, DaemonError> {
    let model = open(path)?;
    let about = model.metadata();
    let licence = match about.provenance.licence {
        Licence::Open => "open",
        Licence::Research => "research (no commercial use)",
    };
    say!(
        "model {}, hash {}, licence class {licence}",
        name(path),
        about.content_hash
    );
    say!("labels: {}", about.labels.join(", "));
    Ok(model)
}

/// Reads and checks the model.
///
/// # Errors
/// [`DaemonError::Model`] with the file and the reason.
pub fn open(path: Option<&Path>) -> Result<Model, DaemonError> {
    let refuse = |reason: String| DaemonError::Model {
        name: name(path),
        reason,
    };
    match path {
        None => Model::from_bytes(EMBEDDED),
        Some(path) => Model::from_bytes(&read(path).map_err(refuse)?),
    }
    .map_err(|error| refuse(error.to_string()))
}

fn name(path: Option<&Path>) -> String {
    path.map_or("embedded".to_owned(), |path| path.display().to_string())
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    // A pipe of that name keeps nobody waiting.
    let mut options = OpenOptions::new();
    let options = options.read(true).custom_flags(libc::O_NONBLOCK);
    let file = options.open(path).map_err(unreadable)?;
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err("is not a file; name an .onnx file that undertone-train exported".into());
    }
    if about.len() > MAX_FILE_BYTES as u64 {
        return Err(format!(
            "is {} MiB long, but no model is longer than {} MiB",
            about.len() >> 20,
            MAX_FILE_BYTES >> 20
        ));
    }
    // It may grow while it is read.
    read_bounded(file).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(path: &Path) -> String {
        open(Some(path)).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_model_file_is_refused_by_name_and_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        for path in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
            let told = refusal(path);
            assert!(told.contains(&path.display().to_string()), "{told}");
            assert!(told.contains("is not a file"), "{told}");
        }
        let long = folder.path().join("long.onnx");
        let file = std::fs::File::create(&long).unwrap();
        file.set_len(MAX_FILE_BYTES as u64 + 1).unwrap();
        assert!(refusal(&long).contains("no model is longer than 16 MiB"));
        let told = refusal(&folder.path().join("none.onnx"));
        assert!(
            told.contains("none.onnx") && told.contains("cannot be read"),
            "{told}"
        );
    }
}
