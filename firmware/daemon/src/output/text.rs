//! Events and levels for people.

use undertone_events::{EndReason, Event, EventKind};

use super::{Context, label_name, milliseconds};
use undertone_analysis::{Level, Signal};

pub(super) fn event(context: &Context, channel: usize, event: &Event) -> String {
    let seconds = |position| milliseconds(position, context.event_rate) as f64 / 1000.0;
    let kind = match event.kind {
        EventKind::Start => "start",
        EventKind::Update => "update",
        EventKind::End => "end",
    };
    let length = seconds(event.at_sample) - seconds(event.start_sample);
    let reason = event
        .reason
        .map_or(String::new(), |reason| format!(" ({})", why(reason)));
    format!(
        "{:9.2} s  channel {channel}  {kind:<6}  {:<9} {:3.0} %  after {length:.2} s{reason}",
        seconds(event.at_sample),
        label_name(context, event.label),
        event.confidence * 100.0,
    )
}

pub(super) fn level(context: &Context, channel: usize, level: &Level) -> String {
    let signal = match level.signal {
        Signal::None => "none",
        Signal::Low => "low",
        Signal::Ok => "ok",
        Signal::Clipping => "clipping",
    };
    format!(
        "{:9.2} s  channel {channel}  level  {:.1} dBFS, peak {:.1} dBFS, signal {signal}",
        milliseconds(level.at_frame, context.source_rate) as f64 / 1000.0,
        level.rms_dbfs,
        level.peak_dbfs,
    )
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
