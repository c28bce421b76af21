//! Audio file to feature frames.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use undertone_decode::{Limits, read_file};
use undertone_dsp::{Feature, Frontend, FrontendConfig, dbfs};

use super::activity::active_span;
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
        let file = self.cache.as_ref().map(|dir| cache::path(dir, self, clips));
        if let Some(found) = file
            .as_deref()
            .and_then(|file| cache::read(file, self, clips.len()))
        {
            return Ok(found);
        }
        let style = ProgressStyle::with_template("features {bar:30} {pos}/{len} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(clips.len() as u64).with_style(style);
        let features = clips
            .par_iter()
            .map(|clip| {
                let features = self.clip(&clip.path);
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

    /// Features of the spoken part of one file, its channels averaged.
    ///
    /// # Errors
    /// [`FeatureError::Decode`] and [`FeatureError::TooShort`].
    pub fn clip(&self, path: &Path) -> Result<ClipFeatures, FeatureError> {
        let audio = read_file(path, &Limits::default())?;
        let mut samples = Vec::new();
        samples.extend_from_slice(&audio.mono()); // TEMP resample
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
