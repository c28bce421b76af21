//! Samples of any number of channels to events.
//!
//! In: interleaved samples and gaps of a source ([`Analyser`]), and a model. Out: what is [`Told`] about each channel:
//! events of utterances, and levels. Per channel: resampler, feature frames, voice activity, model, event tracker, and what
//! of all that may be told ([`Disclosure`]).
//!
//! It does no I/O, knows no clock and no thread: the same samples give the same events, however they are cut and
//! however fast they come. After construction nothing allocates, apart from the model.
//!
//! Several sources: [`analysers`] builds one [`Analyser`] each around one [`undertone_model::Model`] (shared, in memory
//! once; utterances are numbered without repetition across all of them). A thread that serves several asks [`Turns`]
//! whose audio comes next, and tells [`Overload`] how late it is; the [`Load::widening`] that comes back goes to
//! [`Analyser::widen`]. `tests/many.rs` is such a loop.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod channel;
mod decider;
mod disclosure;
mod error;
mod feature_ring;
mod front;
mod level;
mod model;
mod overload;
mod scorer;
mod turns;
pub mod vad;
mod voice;

pub use channel::{Channel, Told};
pub use decider::Decider;
pub use disclosure::Disclosure;
pub use error::AnalysisError;
pub use feature_ring::FeatureRing;
pub use front::{Front, FrontSettings};
pub use level::{Level, LevelMeter, Signal};
pub use model::{AnalysisSettings, analyser, analyser_with, analysers};
pub use overload::{Load, Overload, OverloadSettings};
pub use scorer::{Scorer, ScorerError};
pub use turns::Turns;
pub use voice::VoiceMeter;

pub use undertone_events::Channels;
use undertone_events::EndReason;

/// The shape of what a source delivers; fixed once it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Frames per second, in Hz.
    pub rate: u32,
    /// Interleaved samples per frame.
    pub channels: usize,
}

/// All channels of a source. It takes interleaved samples and tells with the number of the channel.
pub struct Analyser<S> {
    channels: Vec<Channel<S>>,
    source_channels: usize,
    mono: Box<[f32]>,
}

impl<S: Scorer> Analyser<S> {
    /// Analyses frames of `source_channels` samples: mixed when there is one [`Channel`], otherwise one channel each.
    pub fn new(channels: Vec<Channel<S>>, source_channels: usize, block_frames: usize) -> Self {
        Analyser {
            channels,
            source_channels: source_channels.max(1),
            mono: vec![0.0; block_frames.max(1)].into(),
        }
    }

    /// Takes interleaved samples; what does not fill a frame at the end is left out.
    ///
    /// # Errors
    /// When the model fails.
    pub fn push(
        &mut self,
        interleaved: &[f32],
        tell: &mut dyn FnMut(usize, Told),
    ) -> Result<(), ScorerError> {
        let width = self.source_channels;
        let mix = self.channels.len() == 1;
        for block in interleaved.chunks(self.mono.len() * width) {
            for (number, channel) in self.channels.iter_mut().enumerate() {
                let frames = block.chunks_exact(width);
                let mono = &mut self.mono[..frames.len()];
                for (sample, frame) in mono.iter_mut().zip(frames) {
                    let mean = || frame.iter().sum::<f32>() / width as f32;
                    *sample = if mix {
                        mean()
                    } else {
                        frame.get(number).copied().unwrap_or(0.0)
                    };
                }
                channel.push(mono, &mut |told| tell(number, told))?;
            }
        }
        Ok(())
    }

    /// So many frames are missing.
    ///
    /// # Errors
    /// When the model fails.
    pub fn gap(
        &mut self,
        frames: u64,
        tell: &mut dyn FnMut(usize, Told),
    ) -> Result<(), ScorerError> {
        self.each(tell, |channel, tell| channel.gap(frames, tell))
    }

    /// Ends what is open.
    ///
    /// # Errors
    /// When the model fails.
    pub fn close(
        &mut self,
        reason: EndReason,
        tell: &mut dyn FnMut(usize, Told),
    ) -> Result<(), ScorerError> {
        self.each(tell, |channel, tell| channel.close(reason, tell))
    }

    /// How many channels are analysed.
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// True while somebody speaks on any channel, short pauses included; also where no utterance may be told.
    pub fn is_speech(&self) -> bool {
        self.channels.iter().any(Channel::is_speech)
    }

    /// Lets answers come `factor` (at least 1) times as far apart as the model says, from the next one on; everything
    /// else stays. For analysis that cannot keep up ([`Overload`]).
    pub fn widen(&mut self, factor: u32) {
        let channels = self.channels.iter_mut();
        channels.for_each(|channel| channel.widen(factor));
    }

    /// Below `value` (0 to 1) a label, by its place in the model's order, is told as unknown from now on; every label when
    /// `None`.
    pub fn set_threshold(&mut self, label: Option<usize>, value: f32) {
        let channels = self.channels.iter_mut();
        channels.for_each(|channel| channel.set_threshold(label, value));
    }

    fn each(
        &mut self,
        tell: &mut dyn FnMut(usize, Told),
        mut act: impl FnMut(&mut Channel<S>, &mut dyn FnMut(Told)) -> Result<(), ScorerError>,
    ) -> Result<(), ScorerError> {
        let mut outcome = Ok(());
        for (number, channel) in self.channels.iter_mut().enumerate() {
            outcome = outcome.and(act(channel, &mut |told| tell(number, told)));
        }
        outcome
    }
}
