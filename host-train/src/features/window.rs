//! One fixed window of a clip as a single vector, as the field's notebooks make it.
//!
//! They call `librosa.load(path, duration=2.5, offset=0.6)`, compute `zero_crossing_rate`, `rms` and `mfcc` with their
//! defaults, and put the flattened results behind each other: the whole ZCR track, the whole RMS track, then the MFCC frame by
//! frame. The defaults that matter: frames are centred (half a frame of zeros on either side for RMS and MFCC, of
//! the edge's value for ZCR), and the log-mel spectrum is limited to 80 dB below its maximum in the window (`power_to_db`,
//! `top_db=80`). Two things differ: the sound is resampled by `undertone-dsp`, and a clip that ends before the
//! window does is continued with silence, where the notebooks fill up the table of features with zeros, which shifts the columns.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use undertone_decode::{Limits, read_file};
use undertone_dsp::{Dct, Feature, Frontend, FrontendConfig, ZERO_THRESHOLD, resample};

use super::extract::compute;
use super::{ClipFeatures, FeatureError};
use crate::corpora::Clip;

/// Range of the log-mel spectrum below its maximum in the window, in dB.
const TOP_DB: f32 = 80.0;

/// Which part of a clip is read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    /// Start in seconds.
    pub offset_seconds: f64,
    /// Length in seconds.
    pub seconds: f64,
}

impl Excerpt {
    /// 2.5 s from 0.6 s on.
    pub const CLASSIC: Self = Self {
        offset_seconds: 0.6,
        seconds: 2.5,
    };

    /// Samples of the window at this rate.
    #[must_use]
    pub fn samples(&self, rate: u32) -> usize {
        (self.seconds * f64::from(rate)) as usize
    }

    /// Values of the window's vector.
    #[must_use]
    pub fn values(&self, frontend: &FrontendConfig, features: &[Feature]) -> usize {
        let frames = 1 + self.samples(frontend.sample_rate) / frontend.hop_length.max(1);
        frames * frontend.rows(features)
    }
}

/// 22,050 Hz, 2048 samples every 512, 128 mel bands, 40 MFCC: librosa's defaults but for the number of MFCC.
#[must_use]
pub fn classic_frontend() -> FrontendConfig {
    FrontendConfig {
        sample_rate: 22_050,
        frame_length: 2048,
        hop_length: 512,
        fft_size: 2048,
        mel_bands: 128,
        mel_low_hz: 0.0,
        mel_high_hz: 11_025.0,
        mfcc_count: 40,
    }
}

/// Computes the window's vector for clips, with an optional folder for computed ones.
#[derive(Clone, Debug)]
pub struct WindowExtractor {
    /// Front end; its frames are centred here.
    pub frontend: FrontendConfig,
    /// Blocks of the vector, in order.
    pub features: Vec<Feature>,
    /// Part of the clip.
    pub window: Excerpt,
    /// Folder for computed features; `None` computes them anew.
    pub cache: Option<PathBuf>,
}

impl WindowExtractor {
    /// The vector of every clip, in the order of `clips`, each as one frame of [`Excerpt::values`] rows.
    ///
    /// # Errors
    /// [`FeatureError`] of the first clip that fails, by order of `clips`.
    pub fn run(&self, clips: &[Clip]) -> Result<Vec<ClipFeatures>, FeatureError> {
        self.frontend.validate()?;
        let description = format!("{:?} {:?} {:?}", self.frontend, self.features, self.window);
        let rows = self.window.values(&self.frontend, &self.features);
        compute(clips, self.cache.as_deref(), &description, rows, |clip| {
            self.clip(&clip.path)
        })
    }

    /// The vector of one file, its channels averaged.
    ///
    /// # Errors
    /// [`FeatureError::Decode`], and [`FeatureError::NoExcerpt`] if the clip ends before the window begins.
    pub fn clip(&self, path: &Path) -> Result<ClipFeatures, FeatureError> {
        self.vector(self.samples(path)?)
    }

    /// The vector of samples at the front end's rate, cut or continued with silence to the window's length.
    ///
    /// # Errors
    /// [`FeatureError::Dsp`] if the front end refuses its configuration.
    pub fn vector(&self, mut samples: Vec<f32>) -> Result<ClipFeatures, FeatureError> {
        samples.resize(self.window.samples(self.frontend.sample_rate), 0.0);
        let values = window_values(&self.frontend, &self.features, &samples)?;
        Ok(ClipFeatures {
            rows: values.len(),
            values,
        })
    }

    /// The window's samples at the front end's rate, fewer than it holds if the clip ends before.
    ///
    /// # Errors
    /// As [`WindowExtractor::clip`].
    pub fn samples(&self, path: &Path) -> Result<Vec<f32>, FeatureError> {
        let audio = read_file(path, &Limits::default())?;
        let mut samples = audio.mono();
        // As librosa does: first the excerpt, at the file's own rate, then the other rate.
        let start = (self.window.offset_seconds * f64::from(audio.sample_rate)) as usize;
        if samples.len() <= start {
            return Err(FeatureError::NoExcerpt {
                path: path.to_owned(),
                seconds: samples.len() as f64 / f64::from(audio.sample_rate),
                offset: self.window.offset_seconds,
            });
        }
        samples.drain(..start);
        samples.truncate(self.window.samples(audio.sample_rate));
        Ok(resample(
            samples,
            audio.sample_rate,
            self.frontend.sample_rate,
        )?)
    }
}

/// The vector of a window's samples, which are at the front end's rate.
///
/// # Errors
/// [`FeatureError::Dsp`] if the front end refuses its configuration.
pub fn window_values(
    config: &FrontendConfig,
    features: &[Feature],
    samples: &[f32],
) -> Result<Vec<f32>, FeatureError> {
    let (mut crossings, mut rms, mut log_mel) = (Vec::new(), Vec::new(), Vec::new());
    let mut frontend = Frontend::new(config)?;
    let padding = vec![0.0; config.frame_length / 2];
    for part in [&padding, samples, &padding] {
        frontend.push(part, |frame| {
            crossings.push(frame.zcr);
            rms.push(frame.rms);
            log_mel.extend_from_slice(frame.log_mel);
        });
    }
    pad_with_edges(&mut crossings, samples, config);

    let floor = log_mel.iter().copied().fold(f32::MIN, f32::max) - TOP_DB;
    log_mel.iter_mut().for_each(|db| *db = db.max(floor));

    let mut values = Vec::with_capacity(crossings.len() * config.rows(features));
    for feature in features {
        match feature {
            Feature::Zcr => values.extend_from_slice(&crossings),
            Feature::Rms => values.extend_from_slice(&rms),
            Feature::LogMel => values.extend_from_slice(&log_mel),
            Feature::Mfcc => {
                let dct = Dct::new(config.mel_bands, config.mfcc_count);
                let mut mfcc = vec![0.0; config.mfcc_count];
                for frame in log_mel.chunks_exact(config.mel_bands) {
                    dct.apply(frame, &mut mfcc);
                    values.extend_from_slice(&mfcc);
                }
            }
        }
    }
    Ok(values)
}

/// Turns the rate of a window between zeros into that of one between repetitions of its first and last sample: a
/// negative edge next to zeros counts as a crossing that librosa does not count.
fn pad_with_edges(crossings: &mut [f32], samples: &[f32], config: &FrontendConfig) {
    let padding = config.frame_length / 2;
    let negative = |sample: Option<&f32>| sample.is_some_and(|&sample| sample < -ZERO_THRESHOLD);
    // Each edge lies between the padded samples `edge - 1` and `edge`.
    for (edge, counted) in [
        (padding, negative(samples.first())),
        (padding + samples.len(), negative(samples.last())),
    ] {
        for (index, rate) in crossings.iter_mut().enumerate() {
            let start = index * config.hop_length;
            if counted && start < edge && edge < start + config.frame_length {
                *rate -= 1.0 / config.frame_length as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_classic_window_has_4536_values() {
        let features = [Feature::Zcr, Feature::Rms, Feature::Mfcc];
        assert_eq!(
            Excerpt::CLASSIC.values(&classic_frontend(), &features),
            42 * 108
        );
    }

    #[test]
    fn silence_gives_finite_values_and_no_crossings() {
        let samples = vec![0.0; 55_125];
        let values = window_values(
            &classic_frontend(),
            &[Feature::Zcr, Feature::Rms, Feature::Mfcc],
            &samples,
        )
        .unwrap();
        assert_eq!(values.len(), 4536);
        assert!(values[..216].iter().all(|&value| value == 0.0));
        assert!(values.iter().all(|value| value.is_finite()));
    }
}
