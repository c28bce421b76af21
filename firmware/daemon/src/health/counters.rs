//! What is counted, by whoever sees it, and read by whoever reports it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Counts so many more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a run of the daemon counts. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Times a sound device lost samples.
    pub xruns: Counter,
    /// Gaps in the samples, from whatever cause.
    pub gaps: Counter,
    /// Frames that are missing in them.
    pub missing_frames: Counter,
    /// Frames that were analysed.
    pub heard_frames: Counter,
    /// Milliseconds of audio that were analysed, all sources together.
    pub heard_ms: Counter,
    /// Frames that were dropped because analysis was too slow.
    pub dropped_frames: Counter,
    /// Times a microphone was lost.
    pub losses: Counter,
    /// Utterances that began.
    pub utterances: Counter,
    /// Events that were told.
    pub events: Counter,
    /// Answers of the network.
    pub answers: Counter,
}
