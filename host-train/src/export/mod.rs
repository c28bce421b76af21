//! Trained weights to one ONNX file, checked against the trainer.
//!
//! A network that can be run on a box is [`Exportable`]: `streaming` and `windowed` write the two of them as ONNX, normalisation of
//! the input in front. [`mod@quantise`] stores the weights as 8-bit integers, [`calibrate`] fits what the box needs to
//! read the output, `describe` tells the rest. [`export`] seals all into a file, reads it back through `undertone-model`, and refuses it if the
//! `f32` form differs from the trainer at all, or the 8-bit form from the `f32` form by more than [`Drift`] allows.

pub mod calibrate;
mod check;
mod describe;
mod fold;
mod heard;
mod layers;
mod moments;
mod onnx;
pub mod quantise;
mod rounding;
mod streaming;
mod windowed;

use burn::store::RecordError;
use burn::tensor::Device;
use undertone_model::onnx::ModelProto;
use undertone_model::{Drift, MAX_FILE_BYTES, Metadata, Model, ModelError, SelfTest, seal};

use self::calibrate::Calibration;
pub(crate) use self::describe::UPDATE_HOP;
use crate::evaluation::model::logits;
use crate::features::ClipFeatures;
use crate::network::classic::ClassicNet;
use crate::network::streaming::StreamingNet;
use crate::network::{Network, NetworkConfig};
use crate::training::TrainingError;
use crate::training::batch::Example;
use crate::training::checkpoint::{Plan, RunFolder, State};
use crate::training::normalise::Normalisation;
use crate::training::validate;

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
        "exported file: gives logit {found} where the trainer gives {expected} (validation clip {clip}): not written; the exporter is at \
         fault, not the run: export it with another version of this program"
    )]
    Differs {
        /// Position of the clip among those that validate.
        clip: usize,
        /// What the file gives.
        found: f32,
        /// What the trainer gives.
        expected: f32,
    },
    /// The written form answers otherwise than the `f32` form.
    #[error(
        "exported file: 8-bit weights change the label of {:.2} % of clips and a probability by {:.4}; at most {:.2} % and \
         {:.4} are allowed, and leaving a twelfth of them as f32 is not enough: not written, use `--weights f32`",
        100.0 * drift.labels(), drift.probability, 100.0 * Drift::MOST_LABELS, Drift::MOST_PROBABILITY
    )]
    Drifts {
        /// What was measured.
        drift: Drift,
    },
    /// The file would be larger than a box reads.
    #[error(
        "exported file: {bytes} bytes, more than the {limit} that a model may have: not written, store the weights as 8-bit \
         integers (`--weights int8`), or train a smaller network (`--set classic.hidden=[64,32]`)"
    )]
    TooLarge {
        /// Size of the file.
        bytes: usize,
        /// Largest size allowed.
        limit: usize,
    },
    /// The network reads an excerpt of a clip as one vector.
    #[error(
        "the run trained the classic network on the notebooks' excerpt of a clip, which no box has: train it on the frames of a \
         box (`--network windowed`)"
    )]
    Excerpt,
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

/// A network that a box can run.
pub trait Exportable: Network {
    /// The network with `normalisation` in front of it, as ONNX without metadata.
    ///
    /// # Errors
    /// [`ExportError::Weights`] if a layer lacks what the graph needs; [`ExportError::Excerpt`].
    fn graph(&self, normalisation: &Normalisation) -> Result<ModelProto, ExportError>;
}

impl Exportable for StreamingNet {
    fn graph(&self, normalisation: &Normalisation) -> Result<ModelProto, ExportError> {
        streaming::write(self, normalisation)
    }
}

impl Exportable for ClassicNet {
    fn graph(&self, normalisation: &Normalisation) -> Result<ModelProto, ExportError> {
        windowed::write(self, normalisation)
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
    match &plan.network {
        NetworkConfig::Streaming(shape) => {
            let network = folder.best(shape.init(&device))?;
            calibrated(&network, plan, state, weights, validation)
        }
        NetworkConfig::Classic(shape) => {
            let network = folder.best(shape.init(&device))?;
            calibrated(&network, plan, state, weights, validation)
        }
    }
}

fn calibrated(
    network: &impl Exportable,
    plan: &Plan,
    state: &State,
    weights: Weights,
    validation: &[Example],
) -> Result<Written, ExportError> {
    let logits = validate::logits(network, validation, &plan.normalisation, &Device::flex());
    let calibration = Calibration::fit(&logits, validation);
    let (bytes, drift) = export(network, plan, state, &calibration, weights, validation)?;
    Ok(Written {
        bytes,
        drift,
        calibration,
    })
}

/// The bytes of a model file for `network`, and how far its stored weights moved its answers.
///
/// `clips` (not normalised) are what it is checked on: its `f32` form against the trainer, the written form against the
/// `f32` form. Rounding knows what every second of them sounds like to
/// each layer. Where integers move its answers too far, its first large layers stay `f32`.
///
/// # Errors
/// [`ExportError`]; nothing is returned unless both checks hold ([`TOLERANCE`], [`Drift::MOST_LABELS`], [`Drift::MOST_PROBABILITY`]).
pub fn export(
    network: &impl Exportable,
    plan: &Plan,
    state: &State,
    calibration: &Calibration,
    weights: Weights,
    clips: &[Example],
) -> Result<(Vec<u8>, Drift), ExportError> {
    let network = network.valid();
    let mut metadata = describe::describe(plan, state, calibration)?;
    let onnx = network.graph(&plan.normalisation)?;
    let exact = Model::unverified(onnx.clone(), metadata.clone())?;
    check::against_trainer(&exact, &network, plan, clips)?;
    let choices = match weights {
        Weights::F32 => vec![Vec::new()],
        Weights::Int8 => quantise::choices(&onnx)?,
    };
    let large = choices.first().map_or(&[][..], Vec::as_slice);
    let heard = clips.iter().step_by(2);
    let heard = heard.map(|clip| as_taken(clip, &network, plan));
    let curvatures = heard::curvatures(&onnx, large, heard)?;
    let mut first = None;
    for names in choices {
        let mut stored = onnx.clone();
        quantise::quantise(&mut stored, &names, &curvatures)?;
        let bytes = sealed(&mut stored, &mut metadata)?;
        let drift = check::drift(&exact, &Model::from_bytes(&bytes)?, clips)?;
        if drift.within(Drift::MOST_LABELS, Drift::MOST_PROBABILITY) {
            return Ok((bytes, drift));
        }
        first = first.or(Some(drift));
    }
    Err(ExportError::Drifts {
        drift: first.unwrap_or_default(),
    })
}

/// A clip as the graph of `network` takes it: its last window, or its first frames over the floor.
fn as_taken(clip: &Example, network: &impl Network, plan: &Plan) -> ClipFeatures {
    let mut clip = match network.window() {
        Some(window) => window.last(&clip.features),
        None => {
            let mut clip = clip.features.clone();
            clip.values.truncate(heard::FRAMES * clip.rows);
            clip
        }
    };
    if let Some(floor) = plan.normalisation.floor {
        floor.raise_all(&mut clip.values, clip.rows);
    }
    clip
}

/// The bytes of `graph`, whose self test is what it answers itself.
fn sealed(graph: &mut ModelProto, metadata: &mut Metadata) -> Result<Vec<u8>, ExportError> {
    let written = Model::unverified(graph.clone(), metadata.clone())?;
    let rows = metadata.rows();
    let input = ClipFeatures {
        rows,
        values: SelfTest::input(metadata.self_test.frames, rows),
    };
    metadata.self_test.logits = logits(&written, &input)?;
    let bytes = seal(graph, metadata)?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ExportError::TooLarge {
            bytes: bytes.len(),
            limit: MAX_FILE_BYTES,
        });
    }
    Ok(bytes)
}
