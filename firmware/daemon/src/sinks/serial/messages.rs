//! From reports to messages of the wire.

use undertone_events::{EventKind, Label as Decided};
use undertone_wire::{
    BoxState, Dropped, Event, Health, Heartbeat, Hello, Label, MAX_LABELS, Phase, Scores, Signal,
    score,
};

use crate::status::{self, EventReport, Info, State, Status};

/// Who is talking.
pub(super) fn hello(info: &Info) -> Hello {
    let boot = padded(&bytes_of(&info.boot_id));
    let model = padded(&bytes_of(&info.model_hash));
    Hello::new("undertone", info.version, model, boot)
}

/// The labels of the model, as many as the line knows.
pub(super) fn labels(info: &Info) -> impl Iterator<Item = Label> + '_ {
    let of = info.labels.len().min(MAX_LABELS) as u8;
    (0..of).zip(&info.labels).map(move |(index, label)| Label {
        index,
        of,
        name: cut(label),
    })
}

/// What a voice expresses. A channel above 255 is told as 255.
pub(super) fn event(report: &EventReport) -> Event {
    let event = &report.event;
    Event {
        phase: match event.kind {
            EventKind::Start => Phase::Start,
            EventKind::Update => Phase::Update,
            EventKind::End => Phase::End,
        },
        id: event.id,
        channel: u8::try_from(report.channel).unwrap_or(u8::MAX),
        label: match event.label {
            Decided::Known(index) => u8::try_from(index).ok(),
            Decided::Unknown => None,
        },
        confidence: fraction(event.confidence),
        scores: scores(&event.scores),
        seq: report.seq,
        monotonic_ms: report.stamp.monotonic_ms,
    }
}

/// The line is alive; before the first status the box is starting.
pub(super) fn heartbeat(uptime_ms: u64, status: Option<&Status>) -> Heartbeat {
    Heartbeat {
        uptime_ms,
        state: status.map_or(BoxState::Starting, |status| state(status.state)),
        signal: status.map_or(Signal::None, |status| signal(status.signal)),
    }
}

/// How the box is; numbers that do not fit are told as the greatest that does.
pub(super) fn health(health: &status::Health, waiting: usize) -> Health {
    Health {
        // Rust's conversion saturates; NaN does not come from a thermometer, and would be 0.
        temperature_dc: health
            .temperature_c
            .map(|celsius| (celsius * 10.0).round() as i16),
        throttled: health.throttled.unwrap_or(false),
        xruns: u32::try_from(health.xruns).unwrap_or(u32::MAX),
        gaps: u32::try_from(health.gaps).unwrap_or(u32::MAX),
        queue_depth: u16::try_from(waiting).unwrap_or(u16::MAX),
        inference_p50_us: health.inference_p50_us,
        inference_p95_us: health.inference_p95_us,
        inference_p99_us: health.inference_p99_us,
    }
}

/// What was given up.
pub(super) fn dropped(dropped: status::Dropped) -> Dropped {
    Dropped {
        count: u32::try_from(dropped.count).unwrap_or(u32::MAX),
        first_seq: dropped.first_seq,
        last_seq: dropped.last_seq,
    }
}

/// As many scores as the line has room for.
fn scores(probabilities: &[f32]) -> Scores {
    let first = &probabilities[..probabilities.len().min(MAX_LABELS)];
    Scores::from_probabilities(first).unwrap_or_default()
}

/// What is no probability does not come from a model, and would be told as 0.
fn fraction(probability: f32) -> u16 {
    score(probability).unwrap_or(0)
}

fn state(state: State) -> BoxState {
    match state {
        State::Starting => BoxState::Starting,
        State::Listening => BoxState::Listening,
        State::Speech => BoxState::Speech,
        State::Muted => BoxState::Muted,
        State::Stalled => BoxState::Stalled,
        State::MicLost => BoxState::MicLost,
        State::Degraded => BoxState::Degraded,
    }
}

fn signal(signal: undertone_analysis::Signal) -> Signal {
    use undertone_analysis::Signal as Heard;
    match signal {
        Heard::None => Signal::None,
        Heard::Low => Signal::Low,
        Heard::Ok => Signal::Ok,
        Heard::Clipping => Signal::Clipping,
    }
}

/// As many whole characters as fit.
fn cut(text: &str) -> heapless::String<32> {
    let mut short = heapless::String::new();
    for letter in text.chars() {
        if short.push(letter).is_err() {
            break;
        }
    }
    short
}

/// The bytes that hexadecimal digits stand for; nothing when they are none.
fn bytes_of(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    bytes.collect::<Option<Vec<u8>>>().unwrap_or_default()
}

/// The first bytes, filled up with zeros.
fn padded<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    for (slot, byte) in out.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    out
}
