//! Audio file to feature frames.

use std::ops::Range;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use undertone_decode::{Limits, read_file};
use undertone_dsp::{Feature, Frontend, FrontendConfig, dbfs, resample};

use super::activity::{MARGIN_FRAMES, RANGE_DB, active_span};
use super::{ClipFeatures, FeatureError, cache};
use crate::corpora::Clip;

/// Computes features for clips, with an optional folder for computed ones.
#[derive(Clone, Debug)]
pub struct Extractor {
    /// Front end, as the model file will carry it.
    pub frontend: FrontendConfig,
    /// Rows of a frame, in order.
    pub features: Vec<Feature>,
    /// Folder for computed features; `None` computes them anew.
    pub cache: Option<PathBuf>,
}

impl Extractor {
    /// Features of every clip, in the order of `clips`.
    ///
    /// # Errors
    /// [`FeatureError`] of the first clip that fails, by order of `clips`.
    pub fn run(&self, clips: &[Clip]) -> Result<Vec<ClipFeatures>, FeatureError> {
        self.frontend.validate()?;
        let description = format!(
            "{:?} {:?} {RANGE_DB} {MARGIN_FRAMES}",
            self.frontend, self.features
        );
        let rows = self.frontend.rows(&self.features);
        compute(clips, self.cache.as_deref(), &description, rows, |clip| {
            self.clip(&clip.path)
        })
    }

    /// Features of the spoken part of one file, its channels averaged.
    ///
    /// # Errors
    /// [`FeatureError::Decode`] and [`FeatureError::TooShort`].
    pub fn clip(&self, path: &Path) -> Result<ClipFeatures, FeatureError> {
        let samples = read_samples(path, self.frontend.sample_rate)?;
        let (levels, mut clip) = extract_samples(&self.frontend, &self.features, &samples)?;
        let span = spoken_span(path, &self.frontend, &levels, samples.len())?;
        clip.values.truncate(span.end * clip.rows);
        clip.values.drain(..span.start * clip.rows);
        Ok(clip)
    }
}

/// Samples of a whole file at `rate` Hz, its channels averaged.
///
/// # Errors
/// [`FeatureError::Decode`] and [`FeatureError::Dsp`].
pub fn read_samples(path: &Path, rate: u32) -> Result<Vec<f32>, FeatureError> {
    let audio = read_file(path, &Limits::default())?;
    Ok(resample(audio.mono(), audio.sample_rate, rate)?)
}

/// Samples of the spoken part of a file, at the front end's rate: those that the frames of [`Extractor::clip`] are made of.
///
/// # Errors
/// As [`Extractor::clip`].
pub fn spoken_samples(path: &Path, frontend: &FrontendConfig) -> Result<Vec<f32>, FeatureError> {
    let mut samples = read_samples(path, frontend.sample_rate)?;
    let (levels, _) = extract_samples(frontend, &[Feature::Rms], &samples)?;
    let span = spoken_span(path, frontend, &levels, samples.len())?;
    samples.truncate((span.end - 1) * frontend.hop_length + frontend.frame_length);
    samples.drain(..span.start * frontend.hop_length);
    Ok(samples)
}

fn spoken_span(
    path: &Path,
    frontend: &FrontendConfig,
    levels: &[f32],
    samples: usize,
) -> Result<Range<usize>, FeatureError> {
    let span = active_span(levels);
    if span.is_empty() {
        return Err(FeatureError::TooShort {
            path: path.to_owned(),
            samples,
            frame_length: frontend.frame_length,
        });
    }
    Ok(span)
}

/// Level in dBFS and features of every frame of `samples`, which are at the front end's rate.
///
/// # Errors
/// [`FeatureError::Dsp`] if the front end refuses its configuration.
pub fn extract_samples(
    config: &FrontendConfig,
    features: &[Feature],
    samples: &[f32],
) -> Result<(Vec<f32>, ClipFeatures), FeatureError> {
    let rows = config.rows(features);
    let frames = config.frames(samples.len());
    let mut levels = Vec::with_capacity(frames);
    let mut values = vec![0.0; frames * rows];
    let mut chunks = values.chunks_exact_mut(rows.max(1));
    Frontend::new(config)?.push(samples, |frame| {
        levels.push(dbfs(frame.rms));
        if let Some(chunk) = chunks.next() {
            frame.write_rows(features, chunk);
        }
    });
    Ok((levels, ClipFeatures { rows, values }))
}

/// Runs `one` over all clips in parallel, unless `cache` has the result of this `description` already.
pub(crate) fn compute(
    clips: &[Clip],
    cache: Option<&Path>,
    description: &str,
    rows: usize,
    one: impl Fn(&Clip) -> Result<ClipFeatures, FeatureError> + Sync,
) -> Result<Vec<ClipFeatures>, FeatureError> {
    let file = cache.map(|dir| cache::path(dir, description, clips));
    if let Some(found) = file
        .as_deref()
        .and_then(|file| cache::read(file, rows, clips.len()))
    {
        return Ok(found);
    }
    let style = ProgressStyle::with_template("features {bar:30} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(clips.len() as u64).with_style(style);
    let features = clips
        .par_iter()
        .map(|clip| {
            let features = one(clip);
            bar.inc(1);
            features
        })
        .collect::<Result<Vec<_>, _>>()?;
    bar.finish_and_clear();
    if let Some(file) = file {
        cache::write(&file, &features)?;
    }
    Ok(features)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_at_another_rate_gives_the_features_of_the_same_sound_at_the_front_ends_rate() {
        let dir = tempfile::tempdir().unwrap();
        let extractor = Extractor {
            frontend: FrontendConfig::default(),
            features: vec![Feature::LogMel],
            cache: None,
        };
        let [slow, fast] = [16_000u32, 44_100].map(|rate| {
            let path = dir.path().join(format!("{rate}.wav"));
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: rate,
                bits_per_sample: 32,
                sample_format: hound::SampleFormat::Float,
            };
            let mut writer = hound::WavWriter::create(&path, spec).unwrap();
            for i in 0..rate {
                let phase = std::f32::consts::TAU * 700.0 * i as f32 / rate as f32;
                writer.write_sample(0.5 * phase.sin()).unwrap();
            }
            writer.finalize().unwrap();
            extractor.clip(&path).unwrap()
        });
        assert_eq!(slow.frames(), fast.frames());
        let middle = |clip: &ClipFeatures| clip.values[50 * 64..51 * 64].to_vec();
        let loudest = middle(&slow).into_iter().fold(f32::MIN, f32::max);
        for (a, b) in middle(&slow).into_iter().zip(middle(&fast)) {
            // What is 60 dB below the tone is the window's leakage and rounding.
            assert!((a - b).abs() < 0.1 || a.max(b) < loudest - 60.0, "{a} {b}");
        }
    }

    #[test]
    fn the_spoken_samples_give_the_frames_of_the_clip() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pause.wav");
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 16_000,
            bits_per_sample: 32,
            sample_format: hound::SampleFormat::Float,
        };
        let mut writer = hound::WavWriter::create(&path, spec).unwrap();
        for i in 0..32_000 {
            let loud = if (9_000..20_000).contains(&i) {
                0.5
            } else {
                1e-4
            };
            writer.write_sample(loud * (i as f32 * 0.3).sin()).unwrap();
        }
        writer.finalize().unwrap();
        let extractor = Extractor {
            frontend: FrontendConfig::default(),
            features: vec![Feature::LogMel],
            cache: None,
        };
        let samples = spoken_samples(&path, &extractor.frontend).unwrap();
        assert!(samples.len() < 20_000, "{}", samples.len());
        let (_, frames) =
            extract_samples(&extractor.frontend, &extractor.features, &samples).unwrap();
        assert_eq!(frames, extractor.clip(&path).unwrap());
    }
}
