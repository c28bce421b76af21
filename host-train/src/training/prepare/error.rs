//! Why clips could not be made ready.

use crate::corpora::CorpusError;
use crate::features::FeatureError;
use crate::guide::GuideError;
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
    /// The guide cannot be had.
    #[error(transparent)]
    Guide(#[from] GuideError),
}
