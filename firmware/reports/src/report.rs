//! Everything that a box tells.

use std::sync::Arc;

use serde::Serialize;
use undertone_analysis::Level;
use undertone_deployment::{LegalBasis, Subjects};
use undertone_events::{Event, MAX_LABELS};

use crate::health::Health;
use crate::state::{Status, text};

/// What does not change while a model and a configuration are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Version of the daemon, `major.minor.patch`.
    pub version: &'static str,
    /// Random name of this run, 16 hexadecimal digits.
    #[serde(serialize_with = "text")]
    pub boot_id: Arc<str>,
    /// Content hash of the model, 64 hexadecimal digits.
    pub model_hash: String,
    /// `open` or `research`.
    pub licence: &'static str,
    /// The model's labels, in the order of [`Event::scores`].
    pub labels: Vec<String>,
    /// The declared purpose.
    pub purpose: String,
    /// Who is listened to, as declared.
    pub subjects: Subjects,
    /// On what ground, as declared.
    pub legal_basis: Option<LegalBasis>,
    /// True when every source is a device: its audio is of now, and wall-clock time means something.
    pub live: bool,
}

/// Everything that a sink receives. The first report of every sink is an [`Info`].
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// What is in use; again after a change.
    Info(Arc<Info>),
    /// About an utterance.
    Event(EventReport),
    /// About the signal.
    Level(LevelReport),
    /// The state of the box, at every change.
    Status(Arc<Status>),
    /// How the box is, at a steady pace.
    Health(Arc<Health>),
    /// Events that this sink did not get.
    Dropped(Dropped),
    /// What an interval held; instead of events where only intervals may be told.
    Aggregate(Aggregate),
}

/// When something was reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds since the start of the daemon, by a clock that never jumps.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970; `None` when the audio is not of now.
    pub wall_ms: Option<u64>,
    /// True when the system says that its clock follows a reference.
    pub clock_synced: bool,
}

/// An event of an utterance, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct EventReport {
    /// The channel, from 0, counted through all sources.
    pub channel: usize,
    /// The role of the channel, where one is configured.
    pub role: Option<Arc<str>>,
    /// Number of the event in this run, from 1; a missing number is a lost event.
    pub seq: u64,
    /// When it was told.
    pub stamp: Stamp,
    /// Where the utterance begins, in the audio's own time.
    pub start_ms: u64,
    /// Up to where it was heard, in the audio's own time.
    pub at_ms: u64,
    /// What was decided.
    pub event: Event,
}

/// The level of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelReport {
    /// The channel, from 0, counted through all sources.
    pub channel: usize,
    /// The role of the channel, where one is configured.
    pub role: Option<Arc<str>>,
    /// Where the interval ends, in the audio's own time.
    pub at_ms: u64,
    /// The level.
    pub level: Level,
}

/// Events that were given up, told in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// How many.
    pub count: u64,
    /// [`EventReport::seq`] of the first of them.
    pub first_seq: u64,
    /// [`EventReport::seq`] of the last of them.
    pub last_seq: u64,
}

/// What one interval of a channel held, without saying when within it.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The channel, from 0, counted through all sources.
    pub channel: usize,
    /// The role of the channel, where one is configured.
    pub role: Option<Arc<str>>,
    /// Number in this run; shares its counter with events.
    pub seq: u64,
    /// When it was told.
    pub stamp: Stamp,
    /// Length of the interval in milliseconds.
    pub interval_ms: u64,
    /// Milliseconds of speech in it.
    pub speech_ms: u64,
    /// Utterances that ended in it.
    pub utterances: u32,
    /// Utterances by label, in the model's order; `unknown` ones after the last label.
    pub histogram: heapless::Vec<u32, { MAX_LABELS + 1 }>,
}
