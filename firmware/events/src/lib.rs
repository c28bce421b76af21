//! From probabilities to speech segments to events: pure state machines.
//!
//! In: voice activity probabilities, one per hop of the detector ([`Segmenter`]), and the model's distributions
//! over its labels ([`Tracker`]), each with its position on the sample clock of the analysed channel.
//! Out: where speech starts and ends ([`SegmentEdge`]), and [`Event`]s: every `start` is followed by any number of
//! `update`s and by exactly one `end`. Where single utterances are nobody's business, [`Aggregator`] makes histograms of
//! them.
//!
//! All positions are counts of samples since the start of the channel, at the rate given to the constructor.
//! Nothing here does I/O, looks at a clock or allocates after construction, so that the same input always gives the
//! same events, at real-time pace or faster.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod aggregator;
mod channels;
mod error;
mod event;
mod segmenter;
mod tracker;

pub use aggregator::{Aggregate, Aggregator};
pub use channels::Channels;
pub use error::EventsError;
pub use event::{EndReason, Event, EventKind, Label, MAX_LABELS, Scores};
pub use segmenter::{SegmentEdge, Segmenter, SegmenterConfig, SegmenterState};
pub use tracker::{IdRange, Mode, Tracker, TrackerConfig};

/// Converts milliseconds to samples, rounding to the nearest sample.
pub(crate) fn samples(milliseconds: u32, sample_rate: u32) -> u64 {
    (u64::from(milliseconds) * u64::from(sample_rate) + 500) / 1000
}
