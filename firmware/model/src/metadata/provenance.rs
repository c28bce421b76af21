//! Where a model comes from.

use serde::{Deserialize, Serialize};

/// Whether the training data allows commercial use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Licence {
    /// Trained on data under an open licence alone.
    Open,
    /// Trained on data for research or non-commercial use.
    Research,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Corpora trained on.
    pub corpora: Vec<String>,
    /// Licence class of that data.
    pub licence: Licence,
    /// Seed of the run.
    pub seed: u64,
    /// Fold of every corpus whose speakers were kept out; `None` if they were others or nobody was.
    pub fold: Option<u8>,
    /// Who was kept out where that is no such fold: `luna-3`, `tess`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_out: Option<String>,
    /// Epoch whose weights these are.
    pub epoch: usize,
    /// Unweighted accuracy on the validation speakers, 0 to 1, mean over the corpora.
    pub validation: f64,
    /// Version of the trainer.
    pub trainer: String,
    /// Hashes of the training, validation and kept-out clips.
    pub clips: Vec<String>,
    /// What was done to the file after training; `None` if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapted: Option<Adaptation>,
}

/// A head fitted to the voices of one site or speaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adaptation {
    /// Content hash of the file that was adapted.
    pub from: String,
    /// Number of clips that it was fitted to.
    pub clips: usize,
    /// Hash over the content of these clips.
    pub content: String,
}
