//! Inference on one channel.

use tract_onnx::prelude::*;

use crate::error::ModelError;
use crate::held::Held;
use crate::incremental::Incremental;
use crate::metadata::Metadata;
use crate::windowed::Ring;

/// Largest magnitude of a feature: ten times the largest sample that the front end lets through, far beyond any level in
/// dB. Near the end of what `f32` holds, activations would turn infinite signals into zeros, and answers into nonsense.
pub const FRAME_LIMIT: f32 = 1e7;

/// The state of one channel.
#[derive(Debug)]
pub struct Stream {
    state: State,
    /// What lies between the frames and the network, if the model has a floor.
    held: Option<Held>,
    rows: usize,
    classes: usize,
    temperature: f32,
}

#[derive(Debug)]
pub(crate) enum State {
    Streaming(Box<Incremental>),
    Windowed(Ring),
}

impl State {
    fn reset(&mut self) -> Result<(), ModelError> {
        match self {
            Self::Streaming(network) => network.reset(),
            Self::Windowed(ring) => {
                ring.clear();
                Ok(())
            }
        }
    }

    fn push(&mut self, frame: &[f32]) -> Result<(), ModelError> {
        match self {
            Self::Streaming(network) => network.push(frame),
            Self::Windowed(ring) => {
                ring.push(frame);
                Ok(())
            }
        }
    }
}

impl Stream {
    pub(crate) fn new(state: State, metadata: &Metadata) -> Self {
        Self {
            state,
            held: metadata
                .floor
                .map(|floor| Held::new(floor, metadata.rows())),
            rows: metadata.rows(),
            classes: metadata.labels.len(),
            temperature: metadata.temperature,
        }
    }

    /// Takes the next feature frame: the rows that the model's metadata lists, each within ±[`FRAME_LIMIT`].
    ///
    /// A model with a floor holds the first frames of an utterance back; what goes wrong with them is told when they are let go or
    /// an answer is asked for. A refused frame leaves the stream as it was. After [`ModelError::NotFinite`] the steps from there on are not
    /// pooled, but the encoder looks back at them until the stream is reset.
    ///
    /// # Errors
    /// [`ModelError::Length`] for a frame of another length; [`ModelError::Frame`] for one with a value that is NaN,
    /// infinite or out of range; [`ModelError::NotFinite`] if the network overflows; [`ModelError::Inference`] if the
    /// library fails.
    pub fn push(&mut self, frame: &[f32]) -> Result<(), ModelError> {
        check_length("a feature frame", frame.len(), self.rows)?;
        check_frame(frame)?;
        match &mut self.held {
            Some(held) => held.push(frame, |frame| self.state.push(frame)),
            None => self.state.push(frame),
        }
    }

    /// Asks the network, which hears before what is still held back, and forgets it again: asking changes no later answer.
    fn ask<T>(
        &mut self,
        answer: impl FnOnce(&mut State) -> Result<T, ModelError>,
    ) -> Result<T, ModelError> {
        let Some(held) = self.held.as_mut().filter(|held| held.is_holding()) else {
            return answer(&mut self.state);
        };
        let heard = held.give(|frame| self.state.push(frame));
        let answered = heard.and_then(|()| answer(&mut self.state));
        self.state.reset()?;
        answered
    }

    /// Writes the calibrated distribution over the model's labels for the utterance so far; `false` and nothing
    /// written while it is too short for an answer. Never holds NaN.
    ///
    /// # Errors
    /// [`ModelError::Length`] for a buffer of another length; [`ModelError::NotFinite`] if the network overflows;
    /// [`ModelError::Inference`] if the library fails.
    pub fn probabilities(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        if !self.logits(out)? {
            return Ok(false);
        }
        softmax(out, self.temperature);
        Ok(true)
    }

    /// Writes the logits for the utterance so far, before temperature and softmax; `false` while there is no step, and
    /// for a windowed network while there are fewer frames than it answers for.
    ///
    /// # Errors
    /// As [`Stream::probabilities`].
    pub fn logits(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        check_length("the buffer for an answer", out.len(), self.classes)?;
        self.ask(|state| match state {
            State::Streaming(network) => network.logits(out),
            State::Windowed(ring) => ring.logits(out),
        })
    }

    /// Writes the statistics that the head reads, `4 * width` values, for the utterance so far; `false` while there is
    /// no step, and always for a windowed network, which has none.
    ///
    /// # Errors
    /// [`ModelError::Length`] for a buffer of another length, and as [`Stream::logits`].
    pub fn statistics(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        let expected = match &self.state {
            State::Streaming(network) => network.statistics_len(),
            State::Windowed(_) => 0,
        };
        check_length("the buffer for statistics", out.len(), expected)?;
        self.ask(|state| match state {
            State::Streaming(network) => network.statistics(out),
            State::Windowed(_) => Ok(false),
        })
    }

    /// Forgets the utterance; the next frame begins a new one. To be called at gaps and at ends of speech.
    ///
    /// # Errors
    /// [`ModelError::Inference`] if the library cannot make a new state.
    pub fn reset(&mut self) -> Result<(), ModelError> {
        if let Some(held) = &mut self.held {
            held.reset();
        }
        self.state.reset()
    }
}

/// Turns finite logits into probabilities in place: each is divided by `temperature`, and the softmax taken.
pub fn softmax(logits: &mut [f32], temperature: f32) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits
        .iter_mut()
        .for_each(|logit| *logit = ((*logit - most) / temperature).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|weight| *weight /= sum);
}

pub(crate) fn check_length(
    what: &'static str,
    found: usize,
    expected: usize,
) -> Result<(), ModelError> {
    if found == expected {
        Ok(())
    } else {
        Err(ModelError::Length {
            what,
            found,
            expected,
        })
    }
}

fn check_frame(frame: &[f32]) -> Result<(), ModelError> {
    let limits = -FRAME_LIMIT..=FRAME_LIMIT;
    match frame.iter().position(|value| !limits.contains(value)) {
        None => Ok(()),
        Some(row) => Err(ModelError::Frame {
            row,
            value: frame[row],
            limit: FRAME_LIMIT,
        }),
    }
}

pub(crate) fn check_finite(what: &'static str, values: &[f32]) -> Result<(), ModelError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(ModelError::NotFinite {
            what,
            index,
            value: values[index],
        }),
    }
}

pub(crate) fn values(value: &TValue) -> Result<&[f32], ModelError> {
    value
        .try_as_plain_ram()
        .and_then(|plain| plain.as_slice::<f32>())
        .map_err(ModelError::inference)
}
