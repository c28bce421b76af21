//! Feature frames of whole corpora, by the box's own front end.
//!
//! In: clips and a [`FrontendConfig`](undertone_dsp::FrontendConfig). Out: one [`ClipFeatures`] per clip, computed in
//! parallel or read from a cache. [`Extractor`] gives the frames of a whole clip without leading and trailing silence, cut off ([`activity`]) as voice
//! activity does on the box, of which a [`LiveWindow`] is what a network on windows is given; [`WindowExtractor`] gives one fixed excerpt
//! as the field's notebooks read it.

pub mod activity;
mod cache;
mod extract;
pub mod live;
pub mod window;

use std::path::PathBuf;

pub use cache::CacheError;
pub(crate) use extract::compute;
pub use extract::{Extractor, extract_samples, read_samples, spoken_samples};
pub use live::LiveWindow;
pub use window::{Excerpt, WindowExtractor};

use serde::{Deserialize, Serialize};
use undertone_decode::DecodeError;
use undertone_dsp::DspError;

/// Feature frames of one clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClipFeatures {
    /// Values per frame.
    pub rows: usize,
    /// Frame after frame, `rows` values each.
    pub values: Vec<f32>,
}

impl ClipFeatures {
    /// Number of frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.values.len() / self.rows.max(1)
    }
}

/// What the classic network reads of a clip; the serialised forms are told apart by their fields.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Window {
    /// The same seconds of every clip as one vector, as the field's notebooks do; no box can.
    Excerpt(Excerpt),
    /// The last frames so far, as a box holds them.
    Live(LiveWindow),
}

/// Why features could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// The audio cannot be read; the message names the file.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The front end refuses its configuration.
    #[error("front end: {0}")]
    Dsp(#[from] DspError),
    /// Too short for a single frame.
    #[error("{}: {samples} samples give no frame of {frame_length}: leave the clip out", path.display())]
    TooShort {
        /// The clip.
        path: PathBuf,
        /// Samples at the front end's rate.
        samples: usize,
        /// Samples that one frame takes.
        frame_length: usize,
    },
    /// The excerpt that is to be read begins after the clip's end.
    #[error("{}: {seconds:.2} s long, and what is read of it begins at {offset} s: leave the clip out", path.display())]
    NoExcerpt {
        /// The clip.
        path: PathBuf,
        /// Its length.
        seconds: f64,
        /// Where the excerpt begins, in seconds.
        offset: f64,
    },
    /// Changing samples works at one rate only.
    #[error(
        "front end: {found} Hz, but changes of the sound are made at {needed} Hz: switch them off (`wave.share=0`, no `--condition`)"
    )]
    Rate {
        /// The front end's rate.
        found: u32,
        /// The rate that is needed.
        needed: u32,
    },
    /// The cache cannot be written.
    #[error(transparent)]
    Cache(#[from] CacheError),
}
