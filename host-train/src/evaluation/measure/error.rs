//! Why a run could not be measured.

use std::path::PathBuf;

use undertone_model::ModelError;

use crate::adapt::AdaptError;
use crate::corpora::{Corpus, CorpusError};
use crate::export::ExportError;
use crate::features::FeatureError;
use crate::training::TrainingError;
use crate::training::prepare::PrepareError;

/// Why a run could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// A file cannot be read or written.
    #[error("{}: cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The clips cannot be split.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The clips cannot be made ready.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Features cannot be had.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// Training failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The model cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A model file is refused, or fails.
    #[error("{}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// No head can be fitted to a corpus.
    #[error("{}: a head for {corpus}", path.display())]
    Adapt {
        /// The file.
        path: PathBuf,
        /// The corpus.
        corpus: Corpus,
        /// Why not.
        source: AdaptError,
    },
    /// A model file has heard whom it is to be tested on, or was trained on other corpora.
    #[error(
        "{}: was not trained without exactly the {} clips kept out here ({kept_out}): give the corpora that it was trained on",
        path.display(), clips
    )]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// Who must be kept out.
        kept_out: String,
        /// Number of clips.
        clips: usize,
    },
    /// A model file is of another seed than its name says.
    #[error("{}: is of seed {found}, not of {needed} as its name says: name it by its seed", path.display())]
    OtherSeed {
        /// The file.
        path: PathBuf,
        /// Its seed.
        found: u64,
        /// The seed of its name.
        needed: u64,
    },
    /// A model file was fitted to clips after training.
    #[error("{}: was adapted, perhaps to clips of whom it is to be tested on: give the file that it was made of", path.display())]
    Adapted {
        /// The file.
        path: PathBuf,
    },
    /// A model file lies where a run would write its own, and what it is of is not known.
    #[error(
        "{}: is there without the folder of the run that it is of: move it away to train anew, or score it with --models and another --name",
        path.display()
    )]
    NoRun {
        /// The file.
        path: PathBuf,
    },
    /// There is nobody to test on.
    #[error(
        "{fold} has no clip of {corpus} here: give the folder with all of that corpus, or leave the protocol out"
    )]
    NoClips {
        /// The protocol and its fold.
        fold: String,
        /// The corpus.
        corpus: Corpus,
    },
    /// A model file cannot tell a class of the protocol.
    #[error("{}: cannot tell `{class}`, which {fold} asks for: train with --set classes=calm-apart", path.display())]
    MissingClass {
        /// The file.
        path: PathBuf,
        /// The class.
        class: &'static str,
        /// The protocol.
        fold: String,
    },
}
