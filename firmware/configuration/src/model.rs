//! `[model]`: what analyses the audio.

use std::path::PathBuf;

use serde::Deserialize;

use super::field::{Field, field};

pub(super) const FIELDS: &[Field] = &[field(
    "model.path",
    "none",
    "the path of an .onnx file that undertone-train exported",
    "The model; without it, the one inside the program.",
)];

/// The `[model]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSection {
    /// A model file; the embedded model when left out.
    pub path: Option<PathBuf>,
}
