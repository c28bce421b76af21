//! A large encoder as a guide: what the first layers of a speech recogniser make of a clip, which a small network is taught to
//! say as well while it learns to tell emotions ([`crate::training::guided`]).
//!
//! The encoder is Whisper's (Radford et al. 2022), as its `model.safetensors` is published: it has heard so many voices that
//! what its first layers make of one tells emotions of strangers apart by a line. Nothing of it is exported or needed on a box.

mod encoder;
mod weights;

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use safetensors::SafeTensorError;
use undertone_dsp::{Feature, FrontendConfig};

use crate::corpora::Clip;
use crate::features::activity::{self, MARGIN_FRAMES};
use crate::features::{ClipFeatures, FeatureError, compute, extract_samples, spoken_samples};
use encoder::Encoder;
use weights::Weights;

/// Rate of what the encoder hears, in Hz.
pub(crate) const RATE: u32 = 16_000;
/// Samples of one of its feature frames.
const HOP: usize = 160;
/// Feature frames of a token.
const FRAMES_A_TOKEN: usize = 2;
/// Samples of one of its tokens.
pub(crate) const TOKEN: usize = FRAMES_A_TOKEN * HOP;
/// Most samples of a step that a token is averaged over: any encoder hears as much.
pub(crate) const LONGEST_STEP: usize = 50 * TOKEN;
/// Silence after a clip, in samples: what the encoder was trained to hear there.
const SILENCE: usize = 3200;
/// Bands below the loudest one of a clip by more than this count as that low, in dB.
const RANGE_DB: f32 = 80.0;

/// Why a guide cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum GuideError {
    /// The file cannot be read.
    #[error("guide {}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no safetensors file.
    #[error("guide {}: is not the `model.safetensors` of a Whisper model", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        source: SafeTensorError,
    },
    /// A tensor is missing, or not as the encoder needs it.
    #[error("guide {}: {name} {reason}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The recipe names another guide.
    #[error(
        "guide {found} (its file and `guide.layers` decide) is not the one that the recipe names, {named}: give that one, or \
         `--set guide.encoder=null` to train another recipe"
    )]
    Other {
        /// Hash of the one that was given.
        found: String,
        /// Hash in the recipe.
        named: String,
    },
    /// The recipe names a guide, and none is given.
    #[error("the recipe learns from guide {0}: name its file with --guide")]
    Missing(String),
}

/// An encoder, ready to listen.
#[derive(Debug)]
pub struct Guide {
    hash: String,
    encoder: Encoder,
    frontend: FrontendConfig,
    device: Device,
}

impl Guide {
    /// The first `layers` layers of the encoder in the safetensors file `path`.
    ///
    /// # Errors
    /// [`GuideError`] if it cannot be read or is no Whisper encoder with as many layers.
    pub fn open(path: &Path, layers: usize, device: &Device) -> Result<Self, GuideError> {
        let weights = Weights::read(path)?;
        let device = device.clone().inner();
        let encoder = Encoder::new(&weights, layers, &device)?;
        let frontend = FrontendConfig {
            sample_rate: RATE,
            frame_length: 400,
            hop_length: HOP,
            fft_size: 400,
            mel_bands: encoder.bands(),
            mel_low_hz: 0.0,
            mel_high_hz: 8_000.0,
            mfcc_count: 0,
        };
        if let Err(source) = frontend.validate() {
            let reason = format!("asks for {} mel bands: {source}", encoder.bands());
            return Err(weights.wrong("conv1.weight", reason));
        }
        Ok(Self {
            hash: weights.hash(),
            frontend,
            encoder,
            device,
        })
    }

    /// Hash of what is used of the file, by which recipes name it.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What the encoder makes of the spoken part of every clip, as [`Guide::listen`] gives it; `frontend` is that of the network that is
    /// guided, and `stride` its frames to an encoder step.
    ///
    /// # Errors
    /// [`FeatureError`] of the first clip that fails, by order of `clips`.
    pub fn run(
        &self,
        clips: &[Clip],
        frontend: &FrontendConfig,
        stride: usize,
        cache: Option<&Path>,
    ) -> Result<Vec<ClipFeatures>, FeatureError> {
        // Of the front end, what decides where a clip is cut and how long a step is.
        let [rate, frame, hop] = [
            frontend.sample_rate as usize,
            frontend.frame_length,
            frontend.hop_length,
        ];
        let description = format!(
            "{} {stride} {rate} {frame} {hop} {} {MARGIN_FRAMES} {SILENCE} {RANGE_DB}",
            self.hash,
            activity::RANGE_DB,
        );
        let rows = self.encoder.width();
        compute(clips, cache, &description, rows, |clip| {
            let samples = spoken_samples(&clip.path, frontend)?;
            self.listen(&samples, frontend.hop_length * stride)
        })
    }

    /// What the encoder makes of `samples` at 16 kHz: its answer averaged over steps of `step` samples, whole
    /// tokens of them (320), each of the encoder's width.
    /// Of what is longer than it can hear, half a minute, the beginning.
    ///
    /// # Errors
    /// [`FeatureError`] if the front end refuses its configuration.
    pub fn listen(&self, samples: &[f32], step: usize) -> Result<ClipFeatures, FeatureError> {
        let tokens = (step.min(LONGEST_STEP) / TOKEN).max(1);
        let steps = samples.len().div_ceil(tokens * TOKEN);
        let steps = steps.clamp(1, self.encoder.longest() / tokens);
        let frames = steps * tokens * FRAMES_A_TOKEN + SILENCE / HOP;
        let frames = frames.min(self.encoder.longest() * FRAMES_A_TOKEN);
        // Frames are centred on multiples of the hop.
        let before = self.frontend.frame_length / 2;
        let mut padded = vec![0.0; before];
        padded.extend_from_slice(samples);
        padded.resize((frames - 1) * HOP + self.frontend.frame_length, 0.0);
        let (_, mut heard) = extract_samples(&self.frontend, &[Feature::LogMel], &padded)?;
        let loudest = heard.values.iter().copied().fold(f32::MIN, f32::max);
        for value in &mut heard.values {
            // The recogniser's own scale: bel, a quarter of it, and about 0 in the middle.
            *value = (value.max(loudest - RANGE_DB) / 10.0 + 4.0) / 4.0;
        }
        let data = TensorData::new(heard.values, [1, frames, self.frontend.mel_bands]);
        let mels = Tensor::<3>::from_data(data, &self.device).swap_dims(1, 2);
        let width = self.encoder.width();
        let answer = self.encoder.forward(mels);
        let answer = answer.narrow(0, 0, steps * tokens);
        let answer: Tensor<3> = answer.reshape([steps, tokens, width]);
        let answer = answer.mean_dim(1);
        Ok(ClipFeatures {
            rows: width,
            values: answer.into_data().iter::<f32>().collect(),
        })
    }
}
