//! Reading model files.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use undertone_model::{Model, read_bounded};

/// The model in `file`.
pub(crate) fn load(file: &Path) -> Result<Model> {
    let bytes = File::open(file)
        .and_then(read_bounded)
        .with_context(|| format!("cannot read {}", file.display()))?;
    Model::from_bytes(&bytes).with_context(|| file.display().to_string())
}
