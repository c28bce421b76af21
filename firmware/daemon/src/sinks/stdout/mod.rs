//! Standard output: one line per event, and per level where asked for.

mod text;

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use super::{Sink, SinkError};
use crate::config::OutputFormat;
use crate::status::json;
use crate::status::{Info, Report};

const NAME: &str = "stdout";

/// Writes reports as lines, each flushed at once. State and health are not told here.
pub struct Lines<W> {
    out: W,
    format: OutputFormat,
    levels: bool,
    info: Option<Arc<Info>>,
}

impl<W: Write> Lines<W> {
    /// Lines on `out`.
    pub fn new(out: W, format: OutputFormat) -> Self {
        Lines {
            out,
            format,
            levels: true,
            info: None,
        }
    }

    /// With levels, or without even where there are some.
    #[must_use]
    pub fn with_levels(self, levels: bool) -> Self {
        Lines { levels, ..self }
    }

    /// Writes a line, if there is something to tell.
    ///
    /// # Errors
    /// When `out` cannot be written to; a reader that has gone away is [`ErrorKind::BrokenPipe`].
    pub fn write(&mut self, report: &Report) -> io::Result<()> {
        if let Report::Info(info) = report {
            self.info = Some(Arc::clone(info));
        }
        let Some(info) = &self.info else {
            return Ok(());
        };
        let line = match (report, self.format) {
            (Report::Event(event), OutputFormat::Json) => {
                json::event(info, event, json::Times::Audio)?
            }
            (Report::Event(event), OutputFormat::Text) => text::event(info, event),
            (Report::Level(_), _) if !self.levels => return Ok(()),
            (Report::Level(level), OutputFormat::Json) => json::level(level)?,
            (Report::Level(level), OutputFormat::Text) => text::level(level),
            (Report::Aggregate(aggregate), OutputFormat::Json) => {
                json::aggregate(info, aggregate, json::Times::Audio)?
            }
            (Report::Aggregate(aggregate), OutputFormat::Text) => text::aggregate(info, aggregate),
            (Report::Dropped(dropped), OutputFormat::Json) => {
                json::dropped(&info.boot_id, *dropped)?
            }
            (Report::Dropped(dropped), OutputFormat::Text) => text::dropped(*dropped),
            (Report::Info(_) | Report::Status(_) | Report::Health(_), _) => return Ok(()),
        };
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }
}

impl<W: Write + Send + 'static> Sink for Lines<W> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn take(&mut self, report: &Report) -> Result<(), SinkError> {
        self.write(report).map_err(|reason| match reason.kind() {
            ErrorKind::BrokenPipe => SinkError::Closed(NAME),
            _ => SinkError::Write { name: NAME, reason },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{Aggregate, Dropped, EventReport, LevelReport, Stamp};
    use undertone_analysis::{Level, Signal};
    use undertone_events::{EndReason, Event, EventKind, Label, Scores};

    fn info() -> Report {
        Report::Info(Arc::new(Info {
            version: "0.1.0",
            boot_id: "b00t".into(),
            model_hash: "00".repeat(32),
            licence: "open",
            labels: vec!["neutral".into(), "happy".into()],
            purpose: "evaluation".into(),
            subjects: undertone_deployment::Subjects::Volunteers,
            legal_basis: None,
            live: false,
        }))
    }

    fn lines(format: OutputFormat, reports: &[Report]) -> Vec<String> {
        let mut out = Vec::new();
        let mut lines = Lines::new(&mut out, format);
        for report in [&[info()], reports].concat() {
            lines.write(&report).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn end(seq: u64) -> EventReport {
        EventReport {
            channel: 1,
            role: None,
            seq,
            stamp: Stamp::default(),
            start_ms: 500,
            at_ms: 2000,
            event: Event {
                id: 7,
                kind: EventKind::End,
                label: Label::Known(1),
                scores: Scores::from_slice(&[0.25, 0.75]).unwrap(),
                confidence: 0.75,
                start_sample: 8_000,
                at_sample: 32_000,
                reason: Some(EndReason::Silence),
            },
        }
    }

    fn level() -> Report {
        Report::Level(LevelReport {
            channel: 1,
            role: None,
            at_ms: 500,
            level: Level {
                at_frame: 24_000,
                rms_dbfs: -120.0,
                peak_dbfs: -120.0,
                noise_floor_dbfs: -120.0,
                signal: Signal::None,
                dead: true,
                speech_ratio: 0.25,
                raised: true,
            },
        })
    }

    fn interval() -> Report {
        Report::Aggregate(Aggregate {
            channel: 0,
            role: Some("agent".into()),
            seq: 9,
            stamp: Stamp::default(),
            interval_ms: 60_000,
            speech_ms: 12_500,
            utterances: 3,
            histogram: [2, 0, 1].into_iter().collect(),
        })
    }

    #[test]
    fn an_event_is_one_json_line_with_every_field_of_the_design() {
        let told = lines(
            OutputFormat::Json,
            &[level(), Report::Event(end(2)), Report::Event(end(3))],
        );
        assert_eq!(
            told[1],
            r#"{"kind":"end","id":7,"channel":1,"label":"happy","confidence":0.75,"scores":{"neutral":0.25,"happy":0.75},"reason":"silence","start_ms":500,"at_ms":2000,"seq":2,"boot_id":"b00t"}"#
        );
        assert!(told[2].contains(r#""seq":3"#));
        assert_eq!(
            told[0],
            r#"{"kind":"level","channel":1,"at_ms":500,"rms_dbfs":-120.0,"peak_dbfs":-120.0,"noise_floor_dbfs":-120.0,"signal":"none","dead":true,"speech_ratio":0.25,"raised_voice":true}"#
        );
    }

    #[test]
    fn intervals_and_lost_events_have_lines_of_their_own() {
        let dropped = Report::Dropped(Dropped {
            count: 2,
            first_seq: 4,
            last_seq: 5,
        });
        assert_eq!(
            lines(OutputFormat::Json, &[interval(), dropped.clone()]),
            [
                r#"{"kind":"aggregate","channel":0,"role":"agent","interval_ms":60000,"speech_ms":12500,"utterances":3,"histogram":{"neutral":2,"happy":0,"unknown":1},"seq":9,"boot_id":"b00t"}"#,
                r#"{"kind":"dropped","count":2,"first_seq":4,"last_seq":5,"boot_id":"b00t"}"#,
            ]
        );
        assert_eq!(
            lines(OutputFormat::Text, &[interval(), dropped]),
            [
                "  interval  channel 0  60 s, 12 s of speech, 3 utterance(s): 2 neutral, 1 unknown",
                "   dropped  2 event(s), number 4 to 5",
            ]
        );
    }

    #[test]
    fn wall_clock_time_is_told_where_there_is_one() {
        let mut event = end(1);
        assert!(!lines(OutputFormat::Json, &[Report::Event(event.clone())])[0].contains("wall_ms"));
        event.stamp.wall_ms = Some(1_700_000_000_000);
        let told = &lines(OutputFormat::Json, &[Report::Event(event)])[0];
        assert!(
            told.contains(r#""at_ms":2000,"wall_ms":1700000000000,"seq":1"#),
            "{told}"
        );
    }

    #[test]
    fn an_unknown_label_is_called_unknown() {
        let mut start = end(1);
        start.event = Event {
            label: Label::Unknown,
            kind: EventKind::Start,
            reason: None,
            ..start.event
        };
        let line = &lines(OutputFormat::Json, &[Report::Event(start)])[0];
        assert!(
            line.contains(r#""kind":"start""#)
                && line.contains(r#""label":"unknown""#)
                && !line.contains("reason")
        );
    }

    #[test]
    fn text_is_for_people() {
        assert_eq!(
            lines(OutputFormat::Text, &[Report::Event(end(1)), level()]),
            [
                "     2.00 s  channel 1  end     happy      75 %  after 1.50 s (silence)",
                "     0.50 s  channel 1  level  -120.0 dBFS, peak -120.0 dBFS, noise -120.0 dBFS, signal none, dead, speech 25 %, raised voice"
            ]
        );
    }
}
