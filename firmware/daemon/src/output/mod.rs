//! What goes to standard output: one line per event, and per level where asked for.

mod json;
mod text;

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use undertone_analysis::Told;

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// JSON lines, for programs.
    Json,
    /// Text, for people.
    Text,
}

/// What the lines need to know besides what is told.
#[derive(Debug, Clone)]
pub struct Context {
    /// The model's labels, in its order.
    pub labels: Vec<String>,
    /// Samples per second of the positions in events, in Hz.
    pub event_rate: u32,
    /// Frames per second of the positions in levels, in Hz.
    pub source_rate: u32,
    /// Different at every start of the daemon.
    pub boot_id: String,
    /// True when the audio is of now, so that wall-clock time means something.
    pub live: bool,
}

/// One thing for the output.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The channel that it is about.
    pub channel: usize,
    /// The number of the event since the start, from 1; a missing number is a lost event. Levels have none.
    pub seq: u64,
    /// What is told.
    pub told: Told,
}

/// Writes messages as lines.
pub struct Lines<W> {
    out: W,
    format: OutputFormat,
    context: Context,
}

impl<W: Write> Lines<W> {
    /// Lines on `out`, of which each is flushed at once.
    pub fn new(out: W, format: OutputFormat, context: Context) -> Self {
        Lines {
            out,
            format,
            context,
        }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// When `out` cannot be written to; a reader that has gone away is [`io::ErrorKind::BrokenPipe`].
    pub fn write(&mut self, message: &Message) -> io::Result<()> {
        let channel = message.channel;
        let line = match &message.told {
            Told::Event(event) => {
                let wall_ms = if self.context.live { now_ms() } else { None };
                match self.format {
                    OutputFormat::Json => {
                        json::event(&self.context, channel, event, message.seq, wall_ms)?
                    }
                    OutputFormat::Text => text::event(&self.context, channel, event),
                }
            }
            Told::Level(level) => match self.format {
                OutputFormat::Json => json::level(&self.context, channel, level)?,
                OutputFormat::Text => text::level(&self.context, channel, level),
            },
        };
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

/// A position in samples as milliseconds, rounded to the nearest.
fn milliseconds(position: u64, rate: u32) -> u64 {
    let rate = u128::from(rate.max(1));
    u64::try_from((u128::from(position) * 1000 + rate / 2) / rate).unwrap_or(u64::MAX)
}

fn now_ms() -> Option<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

/// The name of a label, `unknown` for none.
fn label_name(context: &Context, label: undertone_events::Label) -> &str {
    match label {
        undertone_events::Label::Known(index) => {
            context.labels.get(index).map_or("unknown", String::as_str)
        }
        undertone_events::Label::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_analysis::{Level, Signal};
    use undertone_events::{EndReason, Event, EventKind, Label, Scores};

    fn lines(format: OutputFormat, live: bool, told: &[Told]) -> Vec<String> {
        let context = Context {
            labels: vec!["neutral".into(), "happy".into()],
            event_rate: 16_000,
            source_rate: 48_000,
            boot_id: "b00t".into(),
            live,
        };
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, format, context);
        for (told, seq) in told.iter().zip(1..) {
            lines
                .write(&Message {
                    channel: 1,
                    seq,
                    told: told.clone(),
                })
                .unwrap();
        }
        String::from_utf8(out)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn end() -> Told {
        Told::Event(Event {
            id: 7,
            kind: EventKind::End,
            label: Label::Known(1),
            scores: Scores::from_slice(&[0.25, 0.75]).unwrap(),
            confidence: 0.75,
            start_sample: 8_000,
            at_sample: 32_000,
            reason: Some(EndReason::Silence),
        })
    }

    fn level() -> Told {
        Told::Level(Level {
            at_frame: 24_000,
            rms_dbfs: -120.0,
            peak_dbfs: -120.0,
            signal: Signal::None,
        })
    }

    #[test]
    fn an_event_is_one_json_line_with_every_field_of_the_design() {
        let told = lines(OutputFormat::Json, false, &[level(), end(), end()]);
        assert_eq!(
            told[1],
            r#"{"kind":"end","id":7,"channel":1,"label":"happy","confidence":0.75,"scores":{"neutral":0.25,"happy":0.75},"reason":"silence","start_ms":500,"at_ms":2000,"seq":2,"boot_id":"b00t"}"#
        );
        assert!(told[2].contains(r#""seq":3"#));
        assert_eq!(
            told[0],
            r#"{"kind":"level","channel":1,"at_ms":500,"rms_dbfs":-120.0,"peak_dbfs":-120.0,"signal":"none"}"#
        );
    }

    #[test]
    fn only_live_audio_has_wall_clock_time() {
        assert!(!lines(OutputFormat::Json, false, &[end()])[0].contains("wall_ms"));
        let live: serde_json::Value =
            serde_json::from_str(&lines(OutputFormat::Json, true, &[end()])[0]).unwrap();
        assert!(live["wall_ms"].as_u64().unwrap() > 1_600_000_000_000);
    }

    #[test]
    fn an_unknown_label_is_called_unknown() {
        let Told::Event(event) = end() else {
            unreachable!()
        };
        let unknown = Told::Event(Event {
            label: Label::Unknown,
            kind: EventKind::Start,
            reason: None,
            ..event
        });
        let line = &lines(OutputFormat::Json, false, std::slice::from_ref(&unknown))[0];
        assert!(
            line.contains(r#""kind":"start""#)
                && line.contains(r#""label":"unknown""#)
                && !line.contains("reason")
        );
    }

    #[test]
    fn text_is_for_people() {
        assert_eq!(
            lines(OutputFormat::Text, false, &[end(), level()]),
            [
                "     2.00 s  channel 1  end     happy      75 %  after 1.50 s (silence)",
                "     0.50 s  channel 1  level  -120.0 dBFS, peak -120.0 dBFS, signal none"
            ]
        );
    }
}
