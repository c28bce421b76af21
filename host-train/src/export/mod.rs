//! Trained weights to one ONNX file, checked against the trainer.
//!
//! [`graph`] writes the network as ONNX (batch normalisation folded into the convolutions before it, normalisation of
//! the input in front), [`calibrate`] fits what the box needs to read its output, and [`export`] seals both into a
//! file, reads it back through `undertone-model` and refuses it if any answer differs.

pub mod calibrate;
mod fold;
pub mod graph;
mod onnx;

use burn::module::Module;
use burn::store::RecordError;
use burn::tensor::{Device, Tensor, TensorData};
use undertone_model::{FORMAT, Licence, Metadata, Model, ModelError, Provenance, SelfTest, seal};

use self::calibrate::Calibration;
use crate::corpora::Corpus;
use crate::features::ClipFeatures;
use crate::network::streaming::{StreamingNet, TIME_STRIDE};
use crate::training::batch::{Batch, Example};
use crate::training::checkpoint::{Plan, State};

/// Frames of the self test that is written into the file.
const SELF_TEST_FRAMES: usize = 64;
/// Frames that pooling looks back at: 8 s, longer than any training clip.
const WINDOW: usize = 800;
/// Frames between answers: 0.5 s.
const UPDATE_HOP: usize = 50;
/// Largest difference of a logit between trainer and file, absolute, on real clips.
pub const TOLERANCE: f32 = 2e-3;

/// Why a model cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The weights cannot be read.
    #[error("weights: {0}")]
    Weights(String),
    /// The file is refused when read back.
    #[error("exported file: {0}")]
    Model(#[from] ModelError),
    /// The file answers otherwise than the trainer.
    #[error(
        "exported file: gives logit {found} where the trainer gives {expected} (clip {clip}): not written"
    )]
    Differs {
        /// Position of the clip.
        clip: usize,
        /// What the file gives.
        found: f32,
        /// What the trainer gives.
        expected: f32,
    },
    /// The run trained another network than the streamable one.
    #[error(
        "the run trained the classic network, which the box does not stream: export a streaming run"
    )]
    NotStreamable,
    /// The run has no complete epoch.
    #[error("the run has no complete epoch: train it first")]
    Untrained,
}

impl From<RecordError> for ExportError {
    fn from(error: RecordError) -> Self {
        Self::Weights(error.to_string())
    }
}

/// The bytes of a model file for `network`, checked on `clips` (not normalised) against the trainer's own output.
///
/// # Errors
/// [`ExportError`]; nothing is returned unless the file gives the trainer's logits within [`TOLERANCE`].
pub fn export(
    network: &StreamingNet,
    plan: &Plan,
    state: &State,
    calibration: &Calibration,
    clips: &[Example],
) -> Result<Vec<u8>, ExportError> {
    let network = network.valid();
    let shape = plan.network.streaming().ok_or(ExportError::NotStreamable)?;
    let rows = shape.rows;
    let input = ClipFeatures {
        rows,
        values: SelfTest::input(SELF_TEST_FRAMES, rows),
    };
    let (epoch, validation) = state.best.ok_or(ExportError::Untrained)?;
    let open = plan
        .corpora
        .iter()
        .all(|corpus| corpus == Corpus::CremaD.key());
    let metadata = Metadata {
        format: FORMAT,
        labels: plan.labels.clone(),
        frontend: plan.recipe.frontend.clone(),
        features: plan.recipe.features.clone(),
        stride: TIME_STRIDE,
        width: shape.width,
        window: WINDOW,
        update_hop: UPDATE_HOP,
        temperature: calibration.temperature,
        unknown_threshold: calibration.unknown_threshold,
        provenance: Provenance {
            corpora: plan.corpora.clone(),
            licence: if open {
                Licence::Open
            } else {
                Licence::Research
            },
            seed: plan.recipe.seed,
            fold: plan.recipe.fold,
            epoch,
            validation,
            trainer: env!("CARGO_PKG_VERSION").to_owned(),
            clips: plan.clips.to_vec(),
        },
        self_test: SelfTest {
            frames: SELF_TEST_FRAMES,
            logits: trainer_logits(&network, plan, &input),
        },
        content_hash: String::new(),
    };
    let mut onnx = graph::write(&network, &plan.normalisation)?;
    let bytes = seal(&mut onnx, &metadata)?;
    let model = Model::from_bytes(&bytes)?;
    for (clip, example) in clips.iter().enumerate() {
        let mut found = vec![f32::NAN; plan.labels.len()];
        let mut stream = model.stream()?;
        for frame in example.features.values.chunks_exact(rows) {
            stream.push(frame)?;
        }
        stream.logits(&mut found)?;
        let expected = trainer_logits(&network, plan, &example.features);
        for (&found, &expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs();
            if difference.is_nan() || difference > TOLERANCE {
                return Err(ExportError::Differs {
                    clip,
                    found,
                    expected,
                });
            }
        }
    }
    Ok(bytes)
}

/// The trainer's logits for one clip of frames that are not normalised.
fn trainer_logits(network: &StreamingNet, plan: &Plan, clip: &ClipFeatures) -> Vec<f32> {
    let device = Device::flex();
    let mut clip = clip.clone();
    plan.normalisation.apply(&mut clip);
    let example = Example {
        features: clip.clone(),
        target: 0,
        known: vec![true; plan.labels.len()],
        group: 0,
    };
    let batch = Batch::stack(&[clip], &[&example], &device);
    network
        .clone()
        .fork(&device)
        .forward(batch.features, batch.mask)
        .into_data()
        .iter::<f32>()
        .collect()
}

/// A tensor's values in row-major order.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data: TensorData = tensor.into_data();
    data.iter::<f32>().collect()
}
