//! Published speech-emotion corpora on disk, as labelled clips.
//!
//! Comes in: folders with RAVDESS, TESS, SAVEE or CREMA-D in any published layout. Goes out: [`Clip`]s with speaker,
//! original emotion and product class ([`import()`]), a count against the release ([`ScanReport`]), what the audio
//! itself holds ([`deep`]), and splits in which no speaker is on both sides ([`select`]). Every file that does not fit
//! is named in [`Import::refused`]; nothing is skipped in silence, and nothing is ever written.

mod clip;
pub mod deep;
mod error;
pub mod folds;
mod grammar;
mod import;
mod labels;
mod scan;
pub mod select;
mod tables;
mod walk;

pub use clip::{Clip, ContentHash, Corpus, Intensity, Sex, SpeakerId, Spoken, Votes};
pub use error::CorpusError;
pub use folds::Protocol;
pub use import::{Import, Refused, SecondCopy, import};
pub use labels::{Emotion, Label};
pub use scan::{Completeness, CorpusReport, IdenticalClips, ScanReport};
