//! Reading a model file.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use undertone_model::{Model, read_bounded};

/// The model that is used when no file is named; the daemon has the same inside.
const EMBEDDED: &[u8] = include_bytes!("../../../../models/undertone-research.onnx");

/// Reads a model file, no more of it than a model may have.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    read_bounded(file).with_context(|| format!("cannot read {}", path.display()))
}

/// Reads and checks a model as the daemon does.
pub(super) fn load(path: &Path) -> Result<Model> {
    Model::from_bytes(&read(path)?).with_context(|| format!("{} is refused", path.display()))
}

/// The bytes of a file, or of the model inside this program.
pub(crate) fn read_or_default(path: Option<&Path>) -> Result<Vec<u8>> {
    path.map_or(Ok(EMBEDDED.to_vec()), read)
}

/// The model of a file, or the one inside this program.
pub(crate) fn load_or_default(path: Option<&Path>) -> Result<Model> {
    match path {
        Some(path) => load(path),
        None => Model::from_bytes(EMBEDDED).context("the model inside this program is refused"),
    }
}
