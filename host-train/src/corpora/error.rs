//! What can go wrong with corpora.

use std::io;
use std::path::PathBuf;

use super::clip::SpeakerId;

/// Why corpora could not be imported or split.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// No folder was given.
    #[error(
        "no corpus folder given: name at least one folder that holds RAVDESS, TESS, SAVEE or CREMA-D"
    )]
    NoFolder,
    /// The path is a file or something else.
    #[error("{}: not a folder: give the folder that holds the clips", path.display())]
    NotAFolder {
        /// The path given.
        path: PathBuf,
    },
    /// The folder itself cannot be read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The path given.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// Nothing below the folder is a clip of a known corpus.
    #[error(
        "{}: holds no corpus: looked for clips named as in RAVDESS (03-01-05-02-01-01-12), TESS (OAF_back_fear), \
         SAVEE (DC_a01 or DC/a01) and CREMA-D (1001_DFA_ANG_XX), ending in .wav, .flac, .mp3 or .ogg; found {found}",
        path.display()
    )]
    NoCorpus {
        /// The folder given.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// The folder holds far more than any corpus.
    #[error("{}: more than {limit} files and folders: give the corpus's own folder", path.display())]
    TooManyEntries {
        /// The folder given.
        path: PathBuf,
        /// The most entries that are looked at.
        limit: usize,
    },
    /// An embedded fold table is broken.
    #[error("fold table {table}, line {line}: {reason}")]
    FoldTable {
        /// The table's file name.
        table: &'static str,
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// A fold that the protocol does not have.
    #[error("{protocol} has folds 1 to {folds}, not {fold}")]
    NoSuchFold {
        /// The protocol's name.
        protocol: &'static str,
        /// The fold asked for.
        fold: u8,
        /// How many there are.
        folds: u8,
    },
    /// A speaker of the protocol's corpus without a fold.
    #[error(
        "{protocol}: speaker {speaker} has no fold: leave the speaker's clips out, or keep nobody out"
    )]
    NoFoldForSpeaker {
        /// The protocol's name.
        protocol: &'static str,
        /// The speaker.
        speaker: SpeakerId,
    },
    /// A side of a split has no clips.
    #[error("{split}: no clips to {side} on: is the whole corpus there? `data scan` tells")]
    EmptySide {
        /// The split.
        split: String,
        /// `train` or `test`.
        side: &'static str,
    },
    /// A speaker is heard in training and in the test.
    #[error("leak: speaker {speaker} is in train ({}) and in test ({}): split by speaker", train.display(), test.display())]
    SharedSpeaker {
        /// The speaker.
        speaker: SpeakerId,
        /// One of their training clips.
        train: PathBuf,
        /// One of their test clips.
        test: PathBuf,
    },
    /// The same bytes are in training and in the test.
    #[error("leak: {} (train) and {} (test) are the same bytes: drop one of them", train.display(), test.display())]
    SharedContent {
        /// The training file.
        train: PathBuf,
        /// The test file.
        test: PathBuf,
    },
}
