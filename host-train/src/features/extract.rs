//! Audio file to feature frames.

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
        let audio = read_file(path, &Limits::default())?;
        let samples = resample(audio.mono(), audio.sample_rate, self.frontend.sample_rate)?;
        let (levels, mut clip) = extract_samples(&self.frontend, &self.features, &samples)?;
        if levels.is_empty() {
            return Err(FeatureError::TooShort {
                path: path.to_owned(),
                samples: samples.len(),
                frame_length: self.frontend.frame_length,
            });
        }
        let span = active_span(&levels);
        clip.values.truncate(span.end * clip.rows);
        clip.values.drain(..span.start * clip.rows);
        Ok(clip)
    }
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
pub(super) fn compute(
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
}
