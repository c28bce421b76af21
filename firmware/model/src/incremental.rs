//! A streaming network on one channel: each frame is encoded once, and an answer is made of pooled statistics.

use tract_onnx::prelude::*;

use crate::direct::{BATCH, History};
use crate::error::ModelError;
use crate::metadata::Metadata;
use crate::network::{Half, Network, guard};
use crate::pool::Pool;
use crate::stream::{check_finite, check_length, values};

/// What convolutions look back at, and the pooled utterance.
///
/// Frames are taken in as they come and encoded when an answer is asked for or [`BATCH`] steps are together, because the
/// weights are then fetched once for all of them. When that happens changes no answer.
#[derive(Debug)]
pub(crate) struct Incremental {
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

impl Incremental {
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
            network,
        })
    }

    /// Takes the next frame, which has been checked.
    pub(crate) fn push(&mut self, frame: &[f32]) -> Result<(), ModelError> {
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

    /// Writes the logits into a buffer of one value for each class; `false` while there is no step.
    pub(crate) fn logits(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        self.encode()?;
        if !self.pool.statistics(&mut self.statistics) {
            return Ok(false);
        }
        let mut take = |logits: &[f32]| {
            check_finite("an answer's logits", logits)?;
            check_length("the model's answer", logits.len(), out.len())?;
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

    /// Values of [`Incremental::statistics`].
    pub(crate) fn statistics_len(&self) -> usize {
        self.statistics.len()
    }

    /// Writes what the head reads; `false` while there is no step.
    pub(crate) fn statistics(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        self.encode()?;
        Ok(self.pool.statistics(out))
    }

    /// Forgets the utterance.
    pub(crate) fn reset(&mut self) -> Result<(), ModelError> {
        self.encoder.reset(&self.network.encoder)?;
        self.pool.reset();
        self.filled = 0;
        Ok(())
    }
}

fn run(state: &mut TypedSimpleState, input: Tensor) -> Result<TVec<TValue>, ModelError> {
    guard(|| {
        state
            .run(tvec!(input.into()))
            .map_err(ModelError::inference)
    })
}
