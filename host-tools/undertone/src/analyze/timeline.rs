//! What was heard in one recording.

use serde::{Deserialize, Serialize};
use undertone_events::{EndReason, Event, EventKind, Label};

/// A recording from its beginning to its end, or to where it is damaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timeline {
    /// The recording, by the path under which it was found.
    pub(crate) file: String,
    /// How much of it was heard.
    pub(crate) seconds: f64,
    /// Its sample rate in Hz; 0 when it could not be opened.
    pub(crate) sample_rate: u32,
    /// How many channels it has.
    pub(crate) source_channels: usize,
    /// The channels that were analysed; one of no role, number 0, where their mean was.
    pub(crate) channels: Vec<HeardChannel>,
    /// The model's labels, in the order of scores.
    pub(crate) labels: Vec<String>,
    /// In the order in which they were told.
    pub(crate) heard: Vec<Heard>,
}

/// A channel that was analysed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeardChannel {
    /// Its number in the recording, from 0.
    pub(crate) number: usize,
    /// Who is on it.
    pub(crate) role: Option<String>,
}

/// What stands behind an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HeardKind {
    /// The first decision about an utterance.
    Start,
    /// A decision while it goes on.
    Update,
    /// The whole utterance: the daemon's `end`.
    Utterance,
}

/// One decision; the daemon's events hold the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Heard {
    /// What stands behind it.
    pub(crate) kind: HeardKind,
    /// The channel's number in the recording.
    pub(crate) channel: usize,
    /// The same for all entries of an utterance, unique in the recording.
    pub(crate) id: u64,
    /// Where the utterance begins, in milliseconds of the recording.
    pub(crate) start_ms: u64,
    /// Where it ends, or up to where it was heard.
    pub(crate) end_ms: u64,
    /// The decision, `unknown` when the model is not sure enough.
    pub(crate) label: String,
    /// The probability of the label, of the most probable one for `unknown`; 0 to 1 in steps of 1/10,000.
    pub(crate) confidence: f64,
    /// One probability per label, likewise.
    pub(crate) scores: Vec<f64>,
    /// Why it ended; of utterances only.
    pub(crate) reason: Option<EndReason>,
}

impl Timeline {
    /// Of a recording that is about to be opened.
    pub(super) fn new(file: String, labels: &[String]) -> Self {
        Timeline {
            file,
            seconds: 0.0,
            sample_rate: 0,
            source_channels: 0,
            channels: Vec::new(),
            labels: labels.to_vec(),
            heard: Vec::new(),
        }
    }

    /// The utterances, without the decisions on the way.
    pub(crate) fn utterances(&self) -> impl Iterator<Item = &Heard> {
        self.heard
            .iter()
            .filter(|heard| heard.kind == HeardKind::Utterance)
    }

    /// Who is on a channel.
    pub(super) fn role(&self, number: usize) -> Option<&str> {
        let channel = self
            .channels
            .iter()
            .find(|channel| channel.number == number);
        channel.and_then(|channel| channel.role.as_deref())
    }

    /// Takes an event whose positions count samples at `rate` Hz.
    pub(super) fn take(&mut self, channel: usize, event: &Event, rate: u32) {
        let label = match event.label {
            Label::Known(index) => self.labels.get(index).map_or("unknown", String::as_str),
            Label::Unknown => "unknown",
        };
        self.heard.push(Heard {
            kind: match event.kind {
                EventKind::Start => HeardKind::Start,
                EventKind::Update => HeardKind::Update,
                EventKind::End => HeardKind::Utterance,
            },
            channel,
            id: event.id,
            start_ms: milliseconds(event.start_sample, rate),
            end_ms: milliseconds(event.at_sample, rate),
            label: label.to_owned(),
            confidence: rounded(event.confidence),
            scores: event.scores.iter().copied().map(rounded).collect(),
            reason: event.reason,
        });
    }
}

/// Digits that mean nothing are not told.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

fn milliseconds(position: u64, rate: u32) -> u64 {
    let rate = u128::from(rate.max(1));
    u64::try_from((u128::from(position) * 1000 + rate / 2) / rate).unwrap_or(u64::MAX)
}
