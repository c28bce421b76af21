//! The model: the one inside this program, or a file.

use std::path::Path;

use undertone_model::{Licence, MAX_FILE_BYTES, Model};

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
    let about = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !about.is_file() {
        return Err("is no file; name an .onnx file that undertone-train exported".into());
    }
    if about.len() > MAX_FILE_BYTES as u64 {
        return Err(format!(
            "is {} MiB long, but no model is longer than {} MiB",
            about.len() >> 20,
            MAX_FILE_BYTES >> 20
        ));
    }
    std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))
}
