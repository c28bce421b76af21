//! Reports for people.

use undertone_analysis::Signal;
use undertone_events::{EndReason, EventKind};

use crate::status::json::label_name;
use crate::status::{Aggregate, Dropped, EventReport, Info, LevelReport};

pub(super) fn event(info: &Info, report: &EventReport) -> String {
    let event = &report.event;
    let kind = match event.kind {
        EventKind::Start => "start",
        EventKind::Update => "update",
        EventKind::End => "end",
    };
    let length = seconds(report.at_ms) - seconds(report.start_ms);
    let reason = event
        .reason
        .map_or(String::new(), |reason| format!(" ({})", why(reason)));
    format!(
        "{:9.2} s  channel {}  {kind:<6}  {:<9} {:3.0} %  after {length:.2} s{reason}",
        seconds(report.at_ms),
        report.channel,
        label_name(info, event.label),
        event.confidence * 100.0,
    )
}

pub(super) fn level(report: &LevelReport) -> String {
    let level = &report.level;
    let signal = match level.signal {
        Signal::None => "none",
        Signal::Low => "low",
        Signal::Ok => "ok",
        Signal::Clipping => "clipping",
    };
    let voice = if level.raised { ", raised voice" } else { "" };
    let dead = if level.dead { ", dead" } else { "" };
    format!(
        "{:9.2} s  channel {}  level  {:.1} dBFS, peak {:.1} dBFS, noise {:.1} dBFS, signal {signal}{dead}, speech {:.0} %{voice}",
        seconds(report.at_ms),
        report.channel,
        level.rms_dbfs,
        level.peak_dbfs,
        level.noise_floor_dbfs,
        level.speech_ratio * 100.0,
    )
}

pub(super) fn aggregate(info: &Info, report: &Aggregate) -> String {
    let names = info.labels.iter().map(String::as_str).chain(["unknown"]);
    let counts = names
        .zip(&report.histogram)
        .filter(|(_, count)| **count > 0);
    let counts: Vec<_> = counts
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    format!(
        "  interval  channel {}  {:.0} s, {:.0} s of speech, {} utterance(s): {}",
        report.channel,
        seconds(report.interval_ms),
        seconds(report.speech_ms),
        report.utterances,
        counts.join(", "),
    )
}

pub(super) fn dropped(dropped: Dropped) -> String {
    format!(
        "   dropped  {} event(s), number {} to {}",
        dropped.count, dropped.first_seq, dropped.last_seq
    )
}

fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

fn why(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Silence => "silence",
        EndReason::Gap => "samples were lost",
        EndReason::Shutdown => "end of the audio",
        EndReason::Mute => "muted",
        EndReason::DeviceLost => "the microphone is gone",
        EndReason::MaxLength => "longest segment",
    }
}
