//! What is told to the outside about one utterance.

use serde::{Deserialize, Serialize};

/// The most labels that an event can carry.
pub const MAX_LABELS: usize = 16;

/// One score per label of the model, in its order; a distribution that sums to one.
pub type Scores = heapless::Vec<f32, MAX_LABELS>;

/// Where an event stands in the life of its utterance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The first decision about an utterance.
    Start,
    /// The decision changed, or the update interval has passed.
    Update,
    /// The utterance is over; the scores are those of the whole utterance.
    End,
}

/// Why an utterance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The speaker stopped.
    Silence,
    /// Samples were lost.
    Gap,
    /// The program, or the source, came to its end.
    Shutdown,
    /// The microphone was muted.
    Mute,
    /// The microphone went away.
    DeviceLost,
    /// The utterance reached the configured maximum length.
    MaxLength,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// The index of one of the model's labels.
    Known(usize),
    /// No label reaches the model's threshold.
    Unknown,
}

/// One message about one utterance.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The same for all events of an utterance, larger for every later utterance of the channel.
    pub id: u64,
    /// Start, update or end.
    pub kind: EventKind,
    /// The decision.
    pub label: Label,
    /// Smoothed for `Start` and `Update`; the whole utterance's for `End`.
    pub scores: Scores,
    /// The score of the decided label, for `Unknown` the highest score; 0 to 1.
    pub confidence: f32,
    /// Where the utterance begins, in samples.
    pub start_sample: u64,
    /// What this event is about ends here, in samples: the audio heard so far, for `End` the end of the utterance.
    pub at_sample: u64,
    /// Why the utterance ended; present on `End` only.
    pub reason: Option<EndReason>,
}
