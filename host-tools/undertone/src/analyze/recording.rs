//! One recording, from its file to its timeline.

use std::panic::{AssertUnwindSafe, catch_unwind};

use undertone_analysis::{AnalysisSettings, Channels, Format, Told, analyser};
use undertone_decode::{Limits, Reader};
use undertone_events::{EndReason, EventKind, SegmenterConfig, TrackerConfig};
use undertone_model::Model;

use super::inputs::Input;
use super::roles::Roles;
use super::timeline::{HeardChannel, Timeline};

/// Frames analysed at once, at most.
const BLOCK: usize = 1024;

/// How recordings are heard.
pub(super) struct Listening<'a> {
    /// What decides.
    pub(super) model: &'a Model,
    /// Which channels are analysed, unless there are roles.
    pub(super) channels: Channels,
    /// Who is on which channel.
    pub(super) roles: Option<&'a Roles>,
    /// Whether decisions are kept while an utterance goes on.
    pub(super) updates: bool,
}

/// Hears a recording block by block. `progress` is told the share that has been heard, where that is known, and answers
/// whether to go on.
///
/// The timeline holds what was heard before a failure, which is told beside it, also when the program itself fails.
pub(super) fn hear(
    input: &Input,
    listening: &Listening<'_>,
    progress: &mut dyn FnMut(f64) -> bool,
) -> (Timeline, Result<(), String>) {
    let mut timeline = Timeline::new(input.name(), &listening.model.metadata().labels);
    if let Some(reason) = &input.refused {
        return (timeline, Err(reason.clone()));
    }
    let heard = catch_unwind(AssertUnwindSafe(|| {
        follow(input, listening, progress, &mut timeline)
    }));
    let outcome = heard.unwrap_or_else(|_| {
        Err("the analysis gave up; this is a fault of undertone, please report it".into())
    });
    (timeline, outcome)
}

fn follow(
    input: &Input,
    listening: &Listening<'_>,
    progress: &mut dyn FnMut(f64) -> bool,
    timeline: &mut Timeline,
) -> Result<(), String> {
    let limits = Limits {
        max_seconds: f64::INFINITY,
        ..Limits::default()
    };
    let mut reader = Reader::open(&input.path, &limits).map_err(|error| error.to_string())?;
    let selection = Selection::of(&reader, listening)?;
    timeline.sample_rate = reader.sample_rate();
    timeline.source_channels = reader.channels();
    timeline.channels = selection.channels.clone();

    let settings = AnalysisSettings {
        format: Format {
            rate: reader.sample_rate(),
            channels: selection.width,
        },
        channels: selection.mode,
        segments: SegmenterConfig::default(),
        events: TrackerConfig::default(),
        level_interval_ms: None,
        block_frames: BLOCK,
    };
    let mut analyser = analyser(listening.model, &settings).map_err(|error| error.to_string())?;
    let event_rate = listening.model.metadata().frontend.sample_rate;
    let promised = reader
        .promised_frames()
        .map(|frames| frames as f64 / f64::from(reader.sample_rate()));
    let tell = |number: usize, told: Told, timeline: &mut Timeline| {
        if let Told::Event(event) = told
            && (listening.updates || event.kind == EventKind::End)
        {
            let channel = selection
                .channels
                .get(number)
                .map_or(number, |channel| channel.number);
            timeline.take(channel, &event, event_rate);
        }
    };
    let mut kept = Vec::new();
    let ended = loop {
        let block = match reader.next_block() {
            Ok(Some(block)) => block,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error.to_string()),
        };
        let block = selection.keep(block, &mut kept);
        let pushed = analyser.push(block, &mut |number, told| tell(number, told, timeline));
        if let Err(error) = pushed {
            return Err(failed(&error));
        }
        timeline.seconds = reader.seconds();
        if !progress(promised.map_or(0.0, |promised| timeline.seconds / promised)) {
            break Err("stopped".into());
        }
    };
    let closed = analyser.close(EndReason::Shutdown, &mut |number, told| {
        tell(number, told, timeline)
    });
    ended.and(closed.map_err(|error| failed(&error)))
}

fn failed(error: &impl std::fmt::Display) -> String {
    format!("the model failed while running: {error}")
}

/// Which samples of a frame reach the analysis.
struct Selection {
    /// What the analysis is told, by its own numbering.
    channels: Vec<HeardChannel>,
    mode: Channels,
    /// Channels of the recording, and of what is kept.
    source: usize,
    width: usize,
}

impl Selection {
    fn of(reader: &Reader, listening: &Listening<'_>) -> Result<Self, String> {
        let source = reader.channels();
        let plain = |number| HeardChannel { number, role: None };
        let Some(roles) = listening.roles else {
            let channels = match listening.channels {
                Channels::Mix => vec![plain(0)],
                Channels::Each => (0..source).map(plain).collect(),
            };
            return Ok(Selection {
                channels,
                mode: listening.channels,
                source,
                width: source,
            });
        };
        if roles.channels() != source {
            return Err(format!(
                "{}: has {source} channel(s), but --roles names {} ({roles}); analyse it apart, with roles of its own",
                reader.path().display(),
                roles.channels()
            ));
        }
        let named = roles.analysed();
        let channels: Vec<HeardChannel> = named
            .map(|(number, role)| HeardChannel {
                number,
                role: Some(role.to_owned()),
            })
            .collect();
        Ok(Selection {
            mode: Channels::Each,
            source,
            width: channels.len(),
            channels,
        })
    }

    /// The samples of the channels that are analysed; those of others go no further than here.
    fn keep<'a>(&self, block: &'a [f32], kept: &'a mut Vec<f32>) -> &'a [f32] {
        if self.width == self.source {
            return block;
        }
        kept.clear();
        for frame in block.chunks_exact(self.source) {
            kept.extend(
                self.channels
                    .iter()
                    .filter_map(|channel| frame.get(channel.number)),
            );
        }
        kept
    }
}
