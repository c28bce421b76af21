//! Inference on one channel, frame by frame.

use tract_onnx::prelude::*;

use crate::error::ModelError;
use crate::metadata::Metadata;
use crate::network::{Network, guard};
use crate::pool::Pool;

/// Largest magnitude of a feature: ten times the largest sample that the front end lets through, far beyond any level in
/// dB. Near the end of what `f32` holds, activations would turn infinite signals into zeros, and answers into nonsense.
pub const FRAME_LIMIT: f32 = 1e7;

/// The state of one channel: what convolutions look back at, and the pooled utterance.
#[derive(Debug)]
pub struct Stream {
    network: Network,
    encoder: TypedSimpleState,
    head: TypedSimpleState,
    pool: Pool,
    statistics: Vec<f32>,
    pending: Vec<f32>,
    filled: usize,
    rows: usize,
    stride: usize,
    classes: usize,
    temperature: f32,
}

impl Stream {
    pub(crate) fn new(network: Network, metadata: &Metadata) -> Result<Self, ModelError> {
        let (rows, stride) = (metadata.rows(), metadata.stride);
        Ok(Self {
            encoder: network.encoder.spawn().map_err(ModelError::inference)?,
            head: network.head.spawn().map_err(ModelError::inference)?,
            pool: Pool::new(metadata.width, metadata.window / stride),
            statistics: vec![0.0; 4 * metadata.width],
            pending: vec![0.0; rows * stride],
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
    /// A refused frame leaves the stream as it was. After [`ModelError::NotFinite`] the step is not pooled, but the
    /// encoder looks back at it until the stream is reset.
    ///
    /// # Errors
    /// [`ModelError::Length`] for a frame of another length; [`ModelError::Frame`] for one with a value that is NaN,
    /// infinite or out of range; [`ModelError::NotFinite`] if the network overflows; [`ModelError::Inference`] if the
    /// library fails.
    pub fn push(&mut self, frame: &[f32]) -> Result<(), ModelError> {
        check_length("a feature frame", frame.len(), self.rows)?;
        check_frame(frame)?;
        for (row, &value) in frame.iter().enumerate() {
            self.pending[row * self.stride + self.filled] = value;
        }
        self.filled += 1;
        if self.filled < self.stride {
            return Ok(());
        }
        self.filled = 0;
        let input = Tensor::from_shape(&[1, self.rows, self.stride], &self.pending)
            .map_err(ModelError::inference)?;
        let outputs = run(&mut self.encoder, input)?;
        let step = values(&outputs[0])?;
        let score = values(&outputs[1])?;
        check_finite("an encoder step", step)?;
        check_finite("an attention score", score)?;
        self.pool.push(step, score.first().copied().unwrap_or(0.0));
        Ok(())
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

    /// Writes the logits for the utterance so far, before temperature and softmax; `false` while there is no step.
    ///
    /// # Errors
    /// As [`Stream::probabilities`].
    pub fn logits(&mut self, out: &mut [f32]) -> Result<bool, ModelError> {
        check_length("the buffer for an answer", out.len(), self.classes)?;
        if !self.pool.statistics(&mut self.statistics) {
            return Ok(false);
        }
        let input = Tensor::from_shape(&[1, self.statistics.len()], &self.statistics)
            .map_err(ModelError::inference)?;
        let outputs = run(&mut self.head, input)?;
        let logits = values(&outputs[0])?;
        check_finite("an answer's logits", logits)?;
        check_length("the model's answer", logits.len(), self.classes)?;
        out.copy_from_slice(logits);
        Ok(true)
    }

    /// Forgets the utterance; the next frame begins a new one. To be called at gaps and at ends of speech.
    ///
    /// # Errors
    /// [`ModelError::Inference`] if the library cannot make a new state.
    pub fn reset(&mut self) -> Result<(), ModelError> {
        self.encoder = self
            .network
            .encoder
            .spawn()
            .map_err(ModelError::inference)?;
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
