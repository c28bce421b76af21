//! Events and levels as JSON lines.

use serde::ser::{Serialize, SerializeMap, Serializer};
use undertone_events::{EndReason, Event, EventKind};

use super::{Context, label_name, milliseconds};
use undertone_analysis::{Level, Signal};

#[derive(serde::Serialize)]
struct EventLine<'a> {
    kind: EventKind,
    id: u64,
    channel: usize,
    label: &'a str,
    confidence: f64,
    scores: Scores<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<EndReason>,
    start_ms: u64,
    at_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_ms: Option<u64>,
    seq: u64,
    boot_id: &'a str,
}

#[derive(serde::Serialize)]
struct LevelLine {
    kind: &'static str,
    channel: usize,
    at_ms: u64,
    rms_dbfs: f64,
    peak_dbfs: f64,
    signal: Signal,
}

/// Scores by the name of their label, in the model's order.
struct Scores<'a>(&'a [String], &'a [f32]);

impl Serialize for Scores<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (label, score) in self.0.iter().zip(self.1) {
            map.serialize_entry(label, &rounded(*score, 1e4))?;
        }
        map.end()
    }
}

pub(super) fn event(
    context: &Context,
    channel: usize,
    event: &Event,
    seq: u64,
    wall_ms: Option<u64>,
) -> serde_json::Result<String> {
    serde_json::to_string(&EventLine {
        kind: event.kind,
        id: event.id,
        channel,
        label: label_name(context, event.label),
        confidence: rounded(event.confidence, 1e4),
        scores: Scores(&context.labels, &event.scores),
        reason: event.reason,
        start_ms: milliseconds(event.start_sample, context.event_rate),
        at_ms: milliseconds(event.at_sample, context.event_rate),
        wall_ms,
        seq,
        boot_id: &context.boot_id,
    })
}

pub(super) fn level(
    context: &Context,
    channel: usize,
    level: &Level,
) -> serde_json::Result<String> {
    serde_json::to_string(&LevelLine {
        kind: "level",
        channel,
        at_ms: milliseconds(level.at_frame, context.source_rate),
        rms_dbfs: rounded(level.rms_dbfs, 10.0),
        peak_dbfs: rounded(level.peak_dbfs, 10.0),
        signal: level.signal,
    })
}

/// Digits that mean nothing are not told.
fn rounded(value: f32, steps: f64) -> f64 {
    (f64::from(value) * steps).round() / steps
}
