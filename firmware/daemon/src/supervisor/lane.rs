//! One source in the analysis thread: its ring, its analyser, and what was found so far.

use std::sync::Arc;
use std::time::Duration;

use undertone_analysis::{Analyser, AnalysisError, Channels, Format, ScorerError, Signal, Told};
use undertone_events::EndReason;

use super::message::{Notice, SourceId};
use super::plan::{BLOCK, Plan, Timed};
use super::pulse::{Pulse, worse};
use super::reporter::{Place, Reporter};
use crate::capture::{Found, MarkKind, Reader};
use crate::health::Counters;

/// What is known of a source when it is handed to the analysis.
pub struct Lane {
    pub(super) id: SourceId,
    /// A device: its audio is of now.
    pub(super) live: bool,
    format: Format,
    channels: Channels,
    /// The number of its first channel, counted through all sources.
    first_channel: usize,
    roles: Vec<Option<Arc<str>>>,
    reader: Reader,
    analyser: Analyser<Timed>,
    buffer: Vec<f32>,
    /// Frames since its start, the missing ones included.
    position: u64,
    heard: u64,
    /// What was told of.
    dropped: u64,
    signal: Option<Signal>,
    pulse: Pulse,
    speech: bool,
}

/// What a turn came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Something was analysed.
    Busy,
    /// There was nothing to analyse.
    Idle,
    /// The audio has ended, and every utterance with it.
    Ended,
}

impl Lane {
    /// A source of this format; `roles` are those of its analysed channels.
    pub(super) fn new(
        id: SourceId,
        live: bool,
        (format, channels): (Format, Channels),
        (first_channel, roles): (usize, Vec<Option<Arc<str>>>),
        reader: Reader,
        plan: &Plan,
    ) -> Result<Self, AnalysisError> {
        Ok(Lane {
            id,
            live,
            format,
            channels,
            first_channel,
            roles,
            reader,
            analyser: plan.analyser(format, channels)?,
            buffer: vec![0.0; BLOCK * format.channels.max(1)],
            position: 0,
            heard: 0,
            dropped: 0,
            signal: None,
            pulse: Pulse::default(),
            speech: false,
        })
    }

    /// Audio that waits, in microseconds; 1 for anything else that wants a turn.
    pub(super) fn waiting(&self) -> u64 {
        let samples = self.reader.waiting() as u64;
        let frames = samples / self.format.channels.max(1) as u64;
        let audio = frames * 1_000_000 / u64::from(self.format.rate.max(1));
        if audio == 0 && self.reader.wants_turn() {
            1
        } else {
            audio
        }
    }

    /// How late the analysis of this source is.
    pub(super) fn late(&self) -> Duration {
        Duration::from_micros(self.waiting())
    }

    /// Frames that were dropped because its ring was full.
    pub(super) fn dropped(&self) -> u64 {
        self.reader.dropped()
    }

    /// Lets answers come so many times as far apart.
    pub(super) fn widen(&mut self, factor: u32) {
        self.analyser.widen(factor);
    }

    /// Another threshold for one label, or for all.
    pub(super) fn threshold(&mut self, label: Option<usize>, value: f32) {
        self.analyser.set_threshold(label, value);
    }

    /// Analyses what comes next: a block at most.
    pub(super) fn turn(
        &mut self,
        reporter: &mut Reporter,
        counters: &Counters,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<Turn, ScorerError> {
        let found = self.reader.next(&mut self.buffer);
        let dropped = self.reader.dropped();
        counters.dropped_frames.add(dropped - self.dropped);
        self.dropped = dropped;
        match found {
            Found::Samples(count) => {
                let frames = (count / self.format.channels.max(1)) as u64;
                self.position += frames;
                self.count_heard(frames, counters);
                let samples = std::mem::take(&mut self.buffer);
                let outcome = self.tell(reporter, notify, |analyser, tell| {
                    analyser.push(&samples[..count], tell)
                });
                self.buffer = samples;
                outcome?;
            }
            Found::Mark(MarkKind::Gap(frames)) => {
                self.position += frames;
                counters.gaps.add(1);
                counters.missing_frames.add(frames);
                self.tell(reporter, notify, |analyser, tell| {
                    analyser.gap(frames, tell)
                })?;
            }
            Found::Mark(MarkKind::End(reason)) => {
                self.close(reason, reporter, notify)?;
                self.show(Signal::None, notify);
            }
            Found::Abandoned => {
                self.close(EndReason::Shutdown, reporter, notify)?;
                return Ok(Turn::Ended);
            }
            Found::Nothing => return Ok(Turn::Idle),
        }
        Ok(Turn::Busy)
    }

    /// Ends what is open.
    pub(super) fn close(
        &mut self,
        reason: EndReason,
        reporter: &mut Reporter,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<(), ScorerError> {
        self.tell(reporter, notify, |analyser, tell| {
            analyser.close(reason, tell)
        })
    }

    /// Begins anew with another plan, at the same place of the audio.
    pub(super) fn rebuild(
        &mut self,
        plan: &Plan,
        reporter: &mut Reporter,
        notify: &mut dyn FnMut(Notice),
    ) -> Result<(), ScorerError> {
        let built = plan.analyser(self.format, self.channels);
        let analyser = built.map_err(|error| ScorerError(error.to_string()))?;
        self.close(EndReason::Shutdown, reporter, notify)?;
        self.analyser = analyser;
        let position = self.position;
        self.tell(reporter, notify, |analyser, tell| {
            analyser.gap(position, tell)
        })
    }

    /// Whatever analysis has to tell goes to the reporter, and what it means for the state to the supervisor.
    fn tell(
        &mut self,
        reporter: &mut Reporter,
        notify: &mut dyn FnMut(Notice),
        act: impl FnOnce(&mut Analyser<Timed>, &mut dyn FnMut(usize, Told)) -> Result<(), ScorerError>,
    ) -> Result<(), ScorerError> {
        let (first, roles, live, rate) =
            (self.first_channel, &self.roles, self.live, self.format.rate);
        let mut levels: Option<(Signal, bool, u64)> = None;
        let outcome = act(&mut self.analyser, &mut |number, told| {
            if let Told::Level(level) = &told {
                // Of several channels the worst counts; their levels end together.
                levels = match levels {
                    Some(later) if later.2 > level.at_frame => Some(later),
                    Some((signal, dead, at)) if at == level.at_frame => {
                        Some((worse(signal, level.signal), dead || level.dead, at))
                    }
                    _ => Some((level.signal, level.dead, level.at_frame)),
                };
            }
            let place = Place {
                channel: first + number,
                role: roles.get(number).cloned().flatten(),
                live,
                rate,
            };
            reporter.put(&place, told);
        });
        if let Some((signal, dead, at_frame)) = levels {
            // A recording may hold digital silence; a device that does is dead.
            let was = self.pulse.is_dead();
            self.pulse.take(self.live && dead, at_frame, rate);
            if self.pulse.is_dead() != was {
                notify(Notice::Dead(self.id, !was));
            }
            let signal = if self.pulse.is_dead() {
                Signal::None
            } else {
                signal
            };
            self.show(signal, notify);
        }
        let speech = self.analyser.is_speech();
        if speech != self.speech {
            self.speech = speech;
            notify(Notice::Speech(self.id, speech));
        }
        outcome
    }

    fn show(&mut self, signal: Signal, notify: &mut dyn FnMut(Notice)) {
        if self.signal.replace(signal) != Some(signal) {
            notify(Notice::Signal(self.id, signal));
        }
    }

    fn count_heard(&mut self, frames: u64, counters: &Counters) {
        let rate = u64::from(self.format.rate.max(1));
        let milliseconds = |frames: u64| (u128::from(frames) * 1000 / u128::from(rate)) as u64;
        let before = milliseconds(self.heard);
        self.heard += frames;
        counters.heard_frames.add(frames);
        counters.heard_ms.add(milliseconds(self.heard) - before);
    }
}
