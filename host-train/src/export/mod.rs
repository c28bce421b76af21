//! Trained weights to one ONNX file, checked against the trainer.
//!
//! [`graph`] writes the network as ONNX (batch normalisation folded into the convolutions before it, normalisation of
//! the input in front), [`mod@quantise`] stores its weights as 8-bit integers, [`calibrate`] fits what the box needs to
//! read its output. [`export`] seals all into a file, reads it back through `undertone-model`, and refuses it if the
//! `f32` form differs from the trainer at all, or the 8-bit form from the `f32` form by more than [`Drift`] allows.

pub mod calibrate;
mod check;
mod fold;
pub mod graph;
mod onnx;
pub mod quantise;

use burn::module::Module;
use burn::store::RecordError;
use burn::tensor::{Device, Tensor, TensorData};
use undertone_model::{
    Drift, FORMAT, Licence, Metadata, Model, ModelError, NetworkKind, Provenance, SelfTest, seal,
};

use self::calibrate::Calibration;
use crate::corpora::Corpus;
use crate::evaluation::model::logits;
use crate::features::ClipFeatures;
use crate::network::streaming::{StreamingNet, TIME_STRIDE};
use crate::training::TrainingError;
use crate::training::batch::Example;
use crate::training::checkpoint::{Plan, RunFolder, State};
use crate::training::validate;

/// Frames of the self test that is written into the file.
const SELF_TEST_FRAMES: usize = 64;
/// Frames that pooling looks back at: 8 s, longer than any training clip.
const WINDOW: usize = 800;
/// Frames between answers: 0.5 s.
const UPDATE_HOP: usize = 50;
/// Largest difference of a logit between the trainer and the `f32` form, absolute, on real clips.
pub const TOLERANCE: f32 = 2e-3;

/// How the weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Weights {
    /// 8-bit integers with a scale for each output channel.
    Int8,
    /// 32-bit floating point.
    F32,
}

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
    /// The written form answers otherwise than the `f32` form.
    #[error(
        "exported file: 8-bit weights change the label of {:.2} % of clips and a probability by {:.4}; at most {:.2} % and \
         {:.4} are allowed: not written, use `--weights f32`",
        100.0 * drift.labels(), drift.probability, 100.0 * Drift::MOST_LABELS, Drift::MOST_PROBABILITY
    )]
    Drifts {
        /// What was measured.
        drift: Drift,
    },
    /// The run trained another network than the streamable one.
    #[error(
        "the run trained the classic network, which the box does not stream: export a streaming run"
    )]
    NotStreamable,
    /// The run's weights cannot be loaded.
    #[error(transparent)]
    Run(#[from] TrainingError),
    /// The run has no complete epoch.
    #[error("the run has no complete epoch: train it first")]
    Untrained,
}

impl From<RecordError> for ExportError {
    fn from(error: RecordError) -> Self {
        Self::Weights(error.to_string())
    }
}

/// A model file, and how it was made.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub bytes: Vec<u8>,
    /// How far stored weights moved its answers.
    pub drift: Drift,
    /// How its logits are read.
    pub calibration: Calibration,
}

/// The model file of a run's best epoch, calibrated and checked on its validation examples.
///
/// # Errors
/// As [`export`], and [`ExportError::Run`] if the run's weights cannot be loaded.
pub fn export_run(
    folder: &RunFolder,
    plan: &Plan,
    state: &State,
    weights: Weights,
    validation: &[Example],
) -> Result<Written, ExportError> {
    let device = Device::flex();
    let shape = plan.network.streaming().ok_or(ExportError::NotStreamable)?;
    let network = folder.best(shape.init(&device))?;
    let logits = validate::logits(&network, validation, &plan.normalisation, &device);
    let calibration = Calibration::fit(&logits, validation);
    let (bytes, drift) = export(&network, plan, state, &calibration, weights, validation)?;
    Ok(Written {
        bytes,
        drift,
        calibration,
    })
}

/// The bytes of a model file for `network`, and how far its stored weights moved its answers.
///
/// `clips` (not normalised) are what it is checked on: its `f32` form against the trainer, the written form against the
/// `f32` form.
///
/// # Errors
/// [`ExportError`]; nothing is returned unless both checks hold ([`TOLERANCE`], [`Drift::MOST_LABELS`], [`Drift::MOST_PROBABILITY`]).
pub fn export(
    network: &StreamingNet,
    plan: &Plan,
    state: &State,
    calibration: &Calibration,
    weights: Weights,
    clips: &[Example],
) -> Result<(Vec<u8>, Drift), ExportError> {
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
    let mut metadata = Metadata {
        format: FORMAT,
        network: NetworkKind::Streaming,
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
            fold: plan.recipe.kept_out.fold(),
            epoch,
            validation,
            trainer: env!("CARGO_PKG_VERSION").to_owned(),
            clips: plan.clips.to_vec(),
            adapted: None,
        },
        self_test: SelfTest {
            frames: SELF_TEST_FRAMES,
            // Replaced by the answer of the form that is written.
            logits: vec![0.0; plan.labels.len()],
        },
        content_hash: String::new(),
    };
    let mut onnx = graph::write(&network, &plan.normalisation)?;
    let exact = Model::unverified(onnx.clone(), metadata.clone())?;
    check::against_trainer(&exact, &network, plan, clips)?;
    if weights == Weights::Int8 {
        quantise::quantise(&mut onnx)?;
    }
    let written = Model::unverified(onnx.clone(), metadata.clone())?;
    metadata.self_test.logits = logits(&written, &input)?;
    let bytes = seal(&mut onnx, &metadata)?;
    let drift = check::drift(&exact, &Model::from_bytes(&bytes)?, clips)?;
    if drift.within(Drift::MOST_LABELS, Drift::MOST_PROBABILITY) {
        Ok((bytes, drift))
    } else {
        Err(ExportError::Drifts { drift })
    }
}

/// A tensor's values in row-major order.
fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data: TensorData = tensor.into_data();
    data.iter::<f32>().collect()
}
