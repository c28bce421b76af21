use std::path::PathBuf;

use undertone_model::ModelError;
use undertone_page::PageError;

use crate::corpora::CorpusError;
use crate::features::FeatureError;
use crate::training::TrainingError;
use crate::training::prepare::PrepareError;

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folders hold no corpus.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// A clip cannot be heard again.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The model fails.
    #[error("{}", path.display())]
    Model {
        /// The model file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelError,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The corpora's clips cannot be made ready.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A run's folder cannot be read.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The model cannot be tested on what is there.
    #[error("{}: {reason}", path.display())]
    Unmeasurable {
        /// The model file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A chart cannot be drawn.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A clip was asked for that is not there.
    #[error("no clip is called `{0}`: give the file's name without its ending, or corpus/name")]
    NoSuchClip(String),
}
