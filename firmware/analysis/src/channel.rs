//! One analysed channel: mono samples at the source's rate to events and levels.

use undertone_dsp::Resampler;
use undertone_events::{Aggregate, EndReason, Event};

use crate::decider::Decider;
use crate::disclosure::Disclosure;
use crate::front::Front;
use crate::level::{Level, LevelMeter};
use crate::scorer::{Scorer, ScorerError};
use crate::voice::VoiceMeter;

/// By how many decibels a voice is raised, where nothing else is said.
const RAISED_DB: f32 = 6.0;

/// What a channel has to tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// About an utterance.
    Event(Event),
    /// About the signal.
    Level(Level),
    /// About an interval, instead of its utterances.
    Aggregate(Aggregate),
}

/// Resampler, front, model and tracker of one channel.
pub struct Channel<S> {
    source_rate: u32,
    model_rate: u32,
    /// Source frames since the start, the missing ones included.
    position: u64,
    levels: Option<LevelMeter>,
    resampler: Resampler,
    front: Front,
    decider: Decider<S>,
    voice: VoiceMeter,
    disclosure: Disclosure,
}

impl<S: Scorer> Channel<S> {
    /// A channel whose samples come at `source_rate` and are analysed at `model_rate`.
    pub fn new(
        resampler: Resampler,
        rates: (u32, u32),
        front: Front,
        decider: Decider<S>,
        levels: Option<LevelMeter>,
    ) -> Self {
        Channel {
            source_rate: rates.0,
            model_rate: rates.1,
            position: 0,
            levels,
            resampler,
            front,
            decider,
            voice: VoiceMeter::new(RAISED_DB),
            disclosure: Disclosure::Events,
        }
    }

    /// The same, telling no more than `disclosure` allows; a voice is raised from `raised_db` decibels on.
    #[must_use]
    pub fn disclosing(self, disclosure: Disclosure, raised_db: f32) -> Self {
        Channel {
            voice: VoiceMeter::new(raised_db),
            disclosure,
            ..self
        }
    }

    /// Lets answers come `factor` (at least 1) times as far apart, from the next one on.
    pub fn widen(&mut self, factor: u32) {
        self.decider.widen(factor);
    }

    /// Below `value` (0 to 1) a label is told as unknown from now on; every label when `None`.
    pub fn set_threshold(&mut self, label: Option<usize>, value: f32) {
        self.decider.set_threshold(label, value);
    }

    /// True while somebody speaks, short pauses included; whatever of it may be told.
    pub fn is_speech(&self) -> bool {
        self.front.is_in_segment()
    }

    /// Takes the next samples.
    ///
    /// # Errors
    /// When the model fails.
    pub fn push(
        &mut self,
        mut samples: &[f32],
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), ScorerError> {
        let mut outcome = Ok(());
        while !samples.is_empty() {
            // A level says how much was spoken, so that what is heard must not run ahead of it.
            let until_level = self.levels.as_ref().map_or(usize::MAX, LevelMeter::wanted);
            let (now, later) = samples.split_at(samples.len().min(until_level));
            samples = later;
            let mut level = None;
            if let Some(levels) = &mut self.levels {
                levels.push(now, self.position, |full| level = Some(full));
            }
            self.position += now.len() as u64;
            self.resample(Some(now), tell, &mut outcome);
            if let Some(level) = level {
                let (speech_ratio, raised) = self.voice.take();
                tell(Told::Level(Level {
                    speech_ratio,
                    raised,
                    ..level
                }));
            }
        }
        outcome
    }

    /// So many source frames are missing: what was open ends here, and nothing spans the gap.
    ///
    /// # Errors
    /// When the model fails.
    pub fn gap(&mut self, frames: u64, tell: &mut dyn FnMut(Told)) -> Result<(), ScorerError> {
        let outcome = self.close(EndReason::Gap, tell);
        self.position += frames;
        self.front
            .restart(rescale(self.position, self.source_rate, self.model_rate));
        outcome
    }

    /// Ends what is open, for a reason, and forgets the audio so far.
    ///
    /// # Errors
    /// When the model fails.
    pub fn close(
        &mut self,
        reason: EndReason,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), ScorerError> {
        let mut outcome = Ok(());
        self.resample(None, tell, &mut outcome);
        outcome?;
        let (front, decider) = (&mut self.front, &mut self.decider);
        let in_speech = front.hears_speech();
        front.finish();
        let until = if in_speech {
            Some(front.position())
        } else {
            front.certain_until()
        };
        let disclosure = &mut self.disclosure;
        if let Some(until) = until {
            decider.close(front, until, reason, &mut |told| {
                disclosure.pass(told, tell);
            })?;
        }
        disclosure.close(reason, front.position(), tell);
        self.voice.take();
        self.resampler.reset();
        front.restart(rescale(self.position, self.source_rate, self.model_rate));
        if let Some(levels) = &mut self.levels {
            levels.reset();
        }
        Ok(())
    }

    /// Hears these samples, or what the resampler still holds.
    fn resample(
        &mut self,
        samples: Option<&[f32]>,
        tell: &mut dyn FnMut(Told),
        outcome: &mut Result<(), ScorerError>,
    ) {
        let Channel {
            resampler,
            front,
            decider,
            voice,
            disclosure,
            ..
        } = self;
        let hear = |mut resampled: &[f32]| {
            while let Some(edge) = front.take(&mut resampled) {
                voice.hop(front.hop(), front.hears_speech());
                if outcome.is_ok() && !matches!(disclosure, Disclosure::Acoustic) {
                    *outcome = decider.after_hop(front, edge, &mut |told| {
                        disclosure.pass(told, tell);
                    });
                }
                disclosure.advance(front.position(), tell);
            }
        };
        match samples {
            Some(samples) => resampler.push(samples, hear),
            None => resampler.flush(hear),
        }
    }
}

/// A position at one rate as the nearest position at another.
fn rescale(position: u64, from: u32, to: u32) -> u64 {
    let scaled = u128::from(position) * u128::from(to) + u128::from(from / 2);
    u64::try_from(scaled / u128::from(from.max(1))).unwrap_or(u64::MAX)
}
