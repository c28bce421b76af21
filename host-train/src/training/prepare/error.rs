//! Why clips could not be made ready.

use undertone_model::ModelError;

use crate::corpora::CorpusError;
use crate::features::FeatureError;
use crate::training::TrainingError;
use crate::training::label::Untold;
use crate::training::split::FEWEST_SPEAKERS;

/// Why clips could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The folders hold no corpus, or the clips cannot be split.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// No corpus has speakers to spare.
    #[error(
        "no speaker can be spared for validation: at least one corpus must have {FEWEST_SPEAKERS} or more speakers to train \
         on, as RAVDESS and CREMA-D have when they are complete; `undertone-train data scan` tells what is there"
    )]
    NoValidation,
    /// A clip's features cannot be computed.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The recipe is out of range.
    #[error(transparent)]
    Recipe(#[from] TrainingError),
    /// A clip has no class.
    #[error(transparent)]
    Untold(#[from] Untold),
    /// A teacher does not fit.
    #[error("teacher {hash} {reason}")]
    Teacher {
        /// Its content hash.
        hash: String,
        /// Why not.
        reason: &'static str,
    },
    /// A teacher fails.
    #[error("teacher: {0}")]
    Model(#[from] ModelError),
}
