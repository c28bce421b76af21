//! Trains the runs of a plan, or takes their model files, and scores them: by the written file, in the box's own inference.

mod bench;
mod error;
mod own_head;

use std::fs;
use std::path::Path;

use rayon::prelude::*;
use undertone_model::{Model, ModelError, read_bounded};

use super::condition::Condition;
use super::date::today;
use super::metrics::{Figures, Outcome};
use super::model::logits;
use super::plan::Run;
use super::protocol::{Fold, Task};
use super::results::{FoldResult, HeadOf};
use super::speakers::by_speaker;
use crate::corpora::{Clip, CorpusError, Emotion};
use crate::features::ClipFeatures;
use crate::training::prepare::hash;
use crate::training::split::split;
use crate::training::validate::probabilities;

pub use bench::{Bench, recipe_hash};
pub use error::MeasureError;
pub use own_head::with_own_head;

/// The bytes of a model file, as many as one may have.
fn read(file: &Path) -> Result<Vec<u8>, MeasureError> {
    fs::File::open(file)
        .and_then(read_bounded)
        .map_err(|source| MeasureError::File {
            path: file.to_owned(),
            source,
        })
}

fn model_of(file: &Path, bytes: &[u8]) -> Result<Model, MeasureError> {
    Model::from_bytes(bytes).map_err(|source| MeasureError::Model {
        path: file.to_owned(),
        source,
    })
}

/// A run's model file, checked to have kept out exactly whom it must.
///
/// # Errors
/// [`MeasureError`].
pub fn open(file: &Path, run: &Run, clips: &[Clip]) -> Result<(Model, Vec<Clip>), MeasureError> {
    let model = model_of(file, &read(file)?)?;
    let test = split(clips, run.kept_out, run.seed)?.test;
    let provenance = &model.metadata().provenance;
    if provenance.adapted.is_some() {
        let path = file.to_owned();
        return Err(MeasureError::Adapted { path });
    }
    if provenance.seed != run.seed {
        return Err(MeasureError::OtherSeed {
            path: file.to_owned(),
            found: provenance.seed,
            needed: run.seed,
        });
    }
    if provenance.clips.last() != Some(&hash(&test)) {
        return Err(MeasureError::OtherRun {
            path: file.to_owned(),
            kept_out: run.kept_out.to_string(),
            clips: test.len(),
        });
    }
    Ok((model, test))
}

/// Refuses runs of which some fold has nobody to test on, before any of them is trained.
///
/// # Errors
/// [`MeasureError::NoClips`]; [`MeasureError::Corpus`] if the clips cannot be split.
pub fn all_testable<'a>(
    runs: impl Iterator<Item = &'a Run>,
    clips: &[Clip],
) -> Result<(), MeasureError> {
    for run in runs {
        let test = match split(clips, run.kept_out, run.seed) {
            Err(CorpusError::EmptySide { .. }) => Vec::new(),
            sides => sides?.test,
        };
        let nobody = |fold: &&Fold| test.iter().all(|clip| clip.corpus != fold.corpus);
        if let Some(fold) = run.folds.iter().find(nobody) {
            return Err(no_clips(fold));
        }
    }
    Ok(())
}

fn no_clips(fold: &Fold) -> MeasureError {
    MeasureError::NoClips {
        fold: format!("{} fold {}", fold.protocol, fold.name),
        corpus: fold.corpus,
    }
}

/// Scores a model on one fold and task. `heard` are the features of `test`, as they are in `condition`.
///
/// # Errors
/// [`MeasureError::MissingClass`], [`MeasureError::NoClips`], and [`MeasureError::Model`] if inference fails.
pub fn score(
    file: &Path,
    model: &Model,
    (fold, task, seed): (&Fold, &Task, u64),
    condition: Condition,
    test: &[Clip],
    heard: &[ClipFeatures],
) -> Result<FoldResult, MeasureError> {
    let labels = &model.metadata().labels;
    let places = task
        .emotions
        .iter()
        .map(|emotion| {
            let place = labels.iter().position(|label| label == emotion.name());
            place.ok_or_else(|| MeasureError::MissingClass {
                path: file.to_owned(),
                class: emotion.name(),
                fold: format!("{} ({})", fold.protocol, task.name),
            })
        })
        .collect::<Result<Vec<usize>, _>>()?;
    let asked: Vec<(&Clip, &ClipFeatures, usize)> = test
        .iter()
        .zip(heard)
        .filter(|(clip, _)| clip.corpus == fold.corpus)
        .filter_map(|(clip, heard)| Some((clip, heard, target(task, clip.emotion)?)))
        .collect();
    if asked.is_empty() {
        return Err(no_clips(fold));
    }
    let temperature = model.metadata().temperature;
    let outcomes = asked
        .par_iter()
        .map(|&(_, heard, target)| {
            let all = logits(model, heard)?;
            let logits: Vec<f32> = places.iter().map(|&place| all[place]).collect();
            Ok(Outcome {
                probabilities: probabilities(&logits, temperature),
                target,
            })
        })
        .collect::<Result<Vec<_>, ModelError>>()
        .map_err(|source| MeasureError::Model {
            path: file.to_owned(),
            source,
        })?;
    let speakers: Vec<String> = asked
        .iter()
        .map(|(clip, ..)| clip.speaker.to_string())
        .collect();
    let by = speakers.iter().map(String::as_str).zip(&outcomes);
    Ok(FoldResult {
        fold: fold.name.clone(),
        seed,
        task: task.name.to_owned(),
        condition,
        head: HeadOf::Run,
        date: today(),
        model: Some(model.metadata().content_hash.clone()),
        validation: model.metadata().provenance.validation,
        classes: task.emotions.clone(),
        figures: Figures::of(&outcomes, task.emotions.len()),
        speakers: by_speaker(by, task.emotions.len()),
    })
}

fn target(task: &Task, emotion: Emotion) -> Option<usize> {
    task.emotions.iter().position(|one| *one == emotion)
}
