//! Inference on one channel, frame by frame.

use tract_onnx::prelude::*;

use crate::direct::{BATCH, History};
use crate::error::ModelError;
use crate::metadata::Metadata;
use crate::network::{Half, Network, guard};
use crate::pool::Pool;

/// Largest magnitude of a feature: ten times the largest sample that the front end lets through, far beyond any level in
/// dB. Near the end of what `f32` holds, activations would turn infinite signals into zeros, and answers into nonsense.
pub const FRAME_LIMIT: f32 = 1e7;

/// The state of one channel: what convolutions look back at, and the pooled utterance.
///
/// Frames are taken in as they come and encoded when an answer is asked for or 16 steps are together, because the
/// weights are then fetched once for all of them. When that happens changes no answer.
#[derive(Debug)]
pub struct Stream {
    network: Network,
    encoder: State,
    head: State,
    pool: Pool,
    statistics: Vec<f32>,
    /// Frames that are not encoded yet, one after the other.
    pending: Box<[f32]>,
    filled: usize,
    rows: usize,
    stride: usize,
    classes: usize,
    temperature: f32,
}

/// What a half keeps from one run to the next.
#[derive(Debug)]
enum State {
    Direct(History),
    Library(TypedSimpleState),
}

impl State {
    fn of(half: &Half) -> Result<Self, ModelError> {
        Ok(match half {
            Half::Direct(direct) => State::Direct(direct.history()),
            Half::Library(library) => {
                State::Library(library.spawn().map_err(ModelError::inference)?)
            }
        })
    }

    /// Makes it as new.
    fn reset(&mut self, half: &Half) -> Result<(), ModelError> {
        match self {
            State::Direct(history) => history.clear(),
            State::Library(_) => *self = State::of(half)?,
        }
        Ok(())
    }
}

impl Stream {
    pub(crate) fn new(network: Network, metadata: &Metadata) -> Result<Self, ModelError> {
        let (rows, stride) = (metadata.rows(), metadata.stride);
        let steps = match network.encoder {
            Half::Direct(_) => BATCH,
            Half::Library(_) => 1,
        };
        Ok(Self {
            encoder: State::of(&network.encoder)?,
            head: State::of(&network.head)?,
            pool: Pool::new(metadata.width, metadata.window / stride),
            statistics: vec![0.0; 4 * metadata.width],
            pending: vec![0.0; rows * stride * steps].into(),
            filled: 0,
            rows,
            stride,
            classes: metadata.labels.len(),
            temperature: metadata.temperature,
            network,
        })
    }

    /// Takes the next feature frame: the rows that the model's metadata lists, each within ±[`FRAME_LIMIT`].
    ///
    /// A refused frame leaves the stream as it was. After [`ModelError::NotFinite`] the steps from there on are not
    /// pooled, but the encoder looks back at them until the stream is reset.
    ///
    /// # Errors
    /// [`ModelError::Length`] for a frame of another length; [`ModelError::Frame`] for one with a value that is NaN,
    /// infinite or out of range; [`ModelError::NotFinite`] if the network overflows; [`ModelError::Inference`] if the
    /// library fails.
    pub fn push(&mut self, frame: &[f32]) -> Result<(), ModelError> {
        check_length("a feature frame", frame.len(), self.rows)?;
        check_frame(frame)?;
        let start = self.filled * self.rows;
        self.pending[start..start + self.rows].copy_from_slice(frame);
        self.filled += 1;
        if self.filled * self.rows < self.pending.len() {
            return Ok(());
        }
        self.encode()
    }

    /// Encodes and pools the strides that are complete.
    fn encode(&mut self) -> Result<(), ModelError> {
        let steps = self.filled / self.stride;
        if steps == 0 {
            return Ok(());
        }
        let taken = steps * self.stride;
        let columns = &self.pending[..taken * self.rows];
        let pool = &mut self.pool;
        let mut take = |step: &[f32], score: &[f32]| {
            check_finite("an encoder step", step)?;
            check_finite("an attention score", score)?;
            pool.push(step, score.first().copied().unwrap_or(0.0));
            Ok(())
        };
        let outcome = match (&self.network.encoder, &mut self.encoder) {
            (Half::Direct(direct), State::Direct(history)) => {
                direct.run(history, columns, steps, |found| match found {
                    [step, score] => take(step, score),
                    _ => Ok(()),
                })
            }
            (_, State::Library(state)) => {
                let shape = (1, self.rows, self.stride);
                let input = tract_ndarray::Array3::from_shape_fn(shape, |(_, row, frame)| {
                    columns[frame * self.rows + row]
                });
                run(state, input.into())
                    .and_then(|found| take(values(&found[0])?, values(&found[1])?))
            }
            (Half::Library(_), State::Direct(_)) => Ok(()),
        };
        self.pending
            .copy_within(taken * self.rows..self.filled * self.rows, 0);
        self.filled -= taken;
        outcome
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

    /// The pooled statistics of the utterance so far, from which the answer is made: mean, deviation, maximum and
    /// attention-weighted mean of the encoder's steps, [`Metadata::width`] values each; `None` while there is no step.
    pub fn pooled(&mut self) -> Option<&[f32]> {
        self.pool
            .statistics(&mut self.statistics)
            .then_some(self.statistics.as_slice())
    }

    /// Writes the logits for the utterance so far, before temperature and softmax; `false` while there is no step.
    ///
    /// # Errors
    /// As [`Stream::probabilities`].
    pub fn logits(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        check_length("the buffer for an answer", out.len(), self.classes)?;
        self.encode()?;
        if !self.pool.statistics(&mut self.statistics) {
            return Ok(false);
        }
        let mut take = |logits: &[f32]| {
            check_finite("an answer's logits", logits)?;
            check_length("the model's answer", logits.len(), self.classes)?;
            out.copy_from_slice(logits);
            Ok(true)
        };
        match (&self.network.head, &mut self.head) {
            (Half::Direct(direct), State::Direct(history)) => {
                let mut answered = Ok(false);
                direct.run(history, &self.statistics, 1, |found| match found {
                    [logits] => {
                        answered = take(logits);
                        Ok(())
                    }
                    _ => Ok::<(), ModelError>(()),
                })?;
                answered
            }
            (_, State::Library(state)) => {
                let input = Tensor::from_shape(&[1, self.statistics.len()], &self.statistics)
                    .map_err(ModelError::inference)?;
                take(values(&run(state, input)?[0])?)
            }
            (Half::Library(_), State::Direct(_)) => Ok(false),
        }
    }

    /// Writes the statistics that the head reads, `4 * width` values, for the utterance so far; `false` while there is no step.
    ///
    /// # Errors
    /// [`ModelError::Length`] for a buffer of another length.
    pub fn statistics(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        check_length(
            "the buffer for statistics",
            out.len(),
            self.statistics.len(),
        )?;
        Ok(self.pool.statistics(out))
    }

    /// Forgets the utterance; the next frame begins a new one. To be called at gaps and at ends of speech.
    ///
    /// # Errors
    /// [`ModelError::Inference`] if the library cannot make a new state.
    pub fn reset(&mut self) -> Result<(), ModelError> {
        self.encoder.reset(&self.network.encoder)?;
        self.pool.reset();
        self.filled = 0;
        Ok(())
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

fn run(state: &mut TypedSimpleState, input: Tensor) -> Result<TVec<TValue>, ModelError> {
    guard(|| {
        state
            .run(tvec!(input.into()))
            .map_err(ModelError::inference)
    })
}

fn check_length(what: &'static str, found: usize, expected: usize) -> Result<(), ModelError> {
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

fn check_finite(what: &'static str, values: &[f32]) -> Result<(), ModelError> {
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
