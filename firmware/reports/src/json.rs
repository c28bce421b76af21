//! Reports as JSON objects on one line.

use serde::ser::{Serialize, SerializeMap, Serializer};
use undertone_analysis::Signal;
use undertone_events::{EndReason, EventKind, Label};

use crate::{Aggregate, Dropped, EventReport, Info, LevelReport, Report};

#[derive(serde::Serialize)]
struct EventLine<'a> {
    kind: EventKind,
    id: u64,
    channel: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    label: &'a str,
    confidence: f64,
    scores: Scores<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<EndReason>,
    start_ms: u64,
    at_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_ms: Option<u64>,
    #[serde(flatten)]
    clock: Option<Clock>,
    seq: u64,
    boot_id: &'a str,
}

#[derive(serde::Serialize)]
struct AggregateLine<'a> {
    kind: &'static str,
    channel: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    interval_ms: u64,
    speech_ms: u64,
    utterances: u32,
    histogram: Histogram<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_ms: Option<u64>,
    #[serde(flatten)]
    clock: Option<Clock>,
    seq: u64,
    boot_id: &'a str,
}

#[derive(serde::Serialize)]
struct LevelLine<'a> {
    kind: &'static str,
    channel: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    at_ms: u64,
    rms_dbfs: f64,
    peak_dbfs: f64,
    noise_floor_dbfs: f64,
    signal: Signal,
    dead: bool,
    speech_ratio: f64,
    raised_voice: bool,
}

#[derive(serde::Serialize)]
struct DroppedLine<'a> {
    kind: &'static str,
    #[serde(flatten)]
    dropped: Dropped,
    boot_id: &'a str,
}

/// What a line says about time besides the audio's own.
#[derive(serde::Serialize)]
struct Clock {
    monotonic_ms: u64,
    clock_synced: bool,
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

/// Counts by the name of their label, `unknown` last.
struct Histogram<'a>(&'a [String], &'a [u32]);

impl Serialize for Histogram<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = self.0.iter().map(String::as_str).chain(["unknown"]);
        serializer.collect_map(names.zip(self.1))
    }
}

/// Whether a line tells the clock of the box, beside the time of the audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// The audio's own time alone.
    Audio,
    /// The clock of the box as well.
    AudioAndClock,
}

/// An event.
///
/// # Errors
/// When serialisation fails, which values of these types do not make it do.
pub fn event(info: &Info, report: &EventReport, times: Times) -> serde_json::Result<String> {
    serde_json::to_string(&EventLine {
        kind: report.event.kind,
        id: report.event.id,
        channel: report.channel,
        role: report.role.as_deref(),
        label: label_name(info, report.event.label),
        confidence: rounded(report.event.confidence, 1e4),
        scores: Scores(&info.labels, &report.event.scores),
        reason: report.event.reason,
        start_ms: report.start_ms,
        at_ms: report.at_ms,
        wall_ms: report.stamp.wall_ms,
        clock: clock(report.stamp, times),
        seq: report.seq,
        boot_id: &info.boot_id,
    })
}

/// What an interval held.
///
/// # Errors
/// When serialisation fails, which values of these types do not make it do.
pub fn aggregate(info: &Info, report: &Aggregate, times: Times) -> serde_json::Result<String> {
    serde_json::to_string(&AggregateLine {
        kind: "aggregate",
        channel: report.channel,
        role: report.role.as_deref(),
        interval_ms: report.interval_ms,
        speech_ms: report.speech_ms,
        utterances: report.utterances,
        histogram: Histogram(&info.labels, &report.histogram),
        wall_ms: report.stamp.wall_ms,
        clock: clock(report.stamp, times),
        seq: report.seq,
        boot_id: &info.boot_id,
    })
}

/// A level.
///
/// # Errors
/// When serialisation fails, which values of these types do not make it do.
pub fn level(report: &LevelReport) -> serde_json::Result<String> {
    serde_json::to_string(&LevelLine {
        kind: "level",
        channel: report.channel,
        role: report.role.as_deref(),
        at_ms: report.at_ms,
        rms_dbfs: rounded(report.level.rms_dbfs, 10.0),
        peak_dbfs: rounded(report.level.peak_dbfs, 10.0),
        noise_floor_dbfs: rounded(report.level.noise_floor_dbfs, 10.0),
        signal: report.level.signal,
        dead: report.level.dead,
        speech_ratio: rounded(report.level.speech_ratio, 100.0),
        raised_voice: report.level.raised,
    })
}

/// Events that were given up; `boot_id` names the run whose numbers are meant.
///
/// # Errors
/// When serialisation fails, which values of these types do not make it do.
pub fn dropped(boot_id: &str, dropped: Dropped) -> serde_json::Result<String> {
    serde_json::to_string(&DroppedLine {
        kind: "dropped",
        dropped,
        boot_id,
    })
}

/// Any report, with its `kind`, the state of the box and its health included.
///
/// # Errors
/// When serialisation fails, which values of these types do not make it do.
pub fn report(info: &Info, report: &Report) -> serde_json::Result<String> {
    #[derive(serde::Serialize)]
    struct Whole<'a, T> {
        kind: &'static str,
        #[serde(flatten)]
        what: &'a T,
    }
    match report {
        Report::Info(what) => serde_json::to_string(&Whole {
            kind: "info",
            what: &**what,
        }),
        Report::Status(what) => serde_json::to_string(&Whole {
            kind: "status",
            what: &**what,
        }),
        Report::Health(what) => serde_json::to_string(&Whole {
            kind: "health",
            what: &**what,
        }),
        Report::Event(what) => event(info, what, Times::AudioAndClock),
        Report::Level(what) => level(what),
        Report::Aggregate(what) => aggregate(info, what, Times::AudioAndClock),
        Report::Dropped(what) => dropped(&info.boot_id, *what),
    }
}

/// An event, or another line, with the mark of whether it is of now.
pub fn marked(line: &str, historical: bool) -> String {
    let open = line.strip_suffix('}').unwrap_or(line);
    format!("{open},\"historical\":{historical}}}")
}

fn clock(stamp: crate::Stamp, times: Times) -> Option<Clock> {
    (times == Times::AudioAndClock).then_some(Clock {
        monotonic_ms: stamp.monotonic_ms,
        clock_synced: stamp.clock_synced,
    })
}

/// The name of a label, `unknown` for none.
pub fn label_name(info: &Info, label: Label) -> &str {
    match label {
        Label::Known(index) => info.labels.get(index).map_or("unknown", String::as_str),
        Label::Unknown => "unknown",
    }
}

/// Digits that mean nothing are not told.
fn rounded(value: f32, steps: f64) -> f64 {
    (f64::from(value) * steps).round() / steps
}
