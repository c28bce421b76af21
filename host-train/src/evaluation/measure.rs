//! Trains the runs of a plan, or takes their model files, and scores them: by the written file, in the box's own inference.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use undertone_model::{Model, ModelError, read_bounded};

use super::condition::Condition;
use super::date::today;
use super::metrics::{Figures, Outcome};
use super::model::logits;
use super::plan::Run;
use super::protocol::{Fold, Task};
use super::results::FoldResult;
use super::speakers::by_speaker;
use crate::corpora::{Clip, CorpusError, Emotion};
use crate::export::{ExportError, Weights, export_run};
use crate::features::{ClipFeatures, FeatureError};
use crate::training::TrainingError;
use crate::training::checkpoint::{EpochFigures, RunFolder};
use crate::training::label::label;
use crate::training::prepare::{PrepareError, hash, prepare_split};
use crate::training::recipe::Recipe;
use crate::training::run::{Material, train};
use crate::training::split::{split, split_with};
use crate::training::validate::probabilities;

/// Why a run could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// A file cannot be read or written.
    #[error("{}: cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The clips cannot be split.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The clips cannot be made ready.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Features cannot be had.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// Training failed.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The model cannot be written.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A model file is refused, or fails.
    #[error("{}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// A model file has heard whom it is to be tested on, or was trained on other corpora.
    #[error(
        "{}: was not trained without exactly the {} clips kept out here ({kept_out}): give the corpora that it was trained on",
        path.display(), clips
    )]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// Who must be kept out.
        kept_out: String,
        /// Number of clips.
        clips: usize,
    },
    /// A model file cannot tell a class of the protocol.
    #[error("{}: cannot tell `{class}`, which {fold} asks for: train with --set classes=calm-apart", path.display())]
    MissingClass {
        /// The file.
        path: PathBuf,
        /// The class.
        class: &'static str,
        /// The protocol.
        fold: String,
    },
}

/// Hash of all of a recipe that does not change from run to run.
#[must_use]
pub fn recipe_hash(recipe: &Recipe) -> String {
    let mut plain = Recipe {
        seed: 0,
        kept_out: Default::default(),
        ..recipe.clone()
    };
    plain.teacher.models.clear();
    let text = serde_json::to_vec(&plain).unwrap_or_default();
    let hash = Sha256::digest(text);
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Where and how runs are trained.
#[derive(Debug)]
pub struct Bench<'a> {
    /// All clips.
    pub clips: &'a [Clip],
    /// Their features, as `recipe` reads them.
    pub features: Vec<ClipFeatures>,
    /// The recipe; seed, speakers and classes are the run's.
    pub recipe: Recipe,
    /// Folder for runs and their model files.
    pub runs: PathBuf,
    /// Folder with the model files of other runs, by the same names and of any seed, that teach those without the same speakers.
    pub teachers: Option<PathBuf>,
    /// Where to train.
    pub device: Device,
}

impl Bench<'_> {
    /// The model file of a run.
    #[must_use]
    pub fn file(&self, run: &Run) -> PathBuf {
        self.runs.join(format!("{}.onnx", run.name()))
    }

    /// Trains a run as far as it is not, and writes its model file. `report` hears of every finished epoch.
    ///
    /// # Errors
    /// [`MeasureError`].
    pub fn train(
        &self,
        run: &Run,
        report: impl FnMut(usize, &EpochFigures),
    ) -> Result<(), MeasureError> {
        let mut recipe = Recipe {
            seed: run.seed,
            kept_out: run.kept_out,
            classes: run.classes(),
            ..self.recipe.clone()
        };
        let teachers = self.teachers(run)?;
        recipe.teacher.models = teachers
            .iter()
            .map(|teacher| teacher.metadata().content_hash.clone())
            .collect();
        let sides = split_with(self.clips, run.kept_out, run.seed, recipe.validation)?;
        let examples =
            label(self.clips, self.features.clone(), recipe.classes).map_err(PrepareError::from)?;
        let prepared = prepare_split(sides, self.clips, examples, recipe, &teachers)?;
        let material = Material {
            train: &prepared.train,
            validation: &prepared.validation,
            bank: prepared.bank.as_ref(),
        };
        let folder = self.runs.join(run.name());
        let state = train(&folder, &prepared.plan, material, &self.device, report)?;
        let (folder, plan, _) = RunFolder::load(&folder)?;
        let validation = &prepared.validation;
        let written = export_run(&folder, &plan, &state, Weights::Int8, validation)?;
        let file = self.file(run);
        let partial = file.with_extension("onnx.partial");
        fs::write(&partial, written.bytes)
            .and_then(|()| fs::rename(&partial, &file))
            .map_err(|source| MeasureError::File { path: file, source })
    }
}

impl Bench<'_> {
    fn teachers(&self, run: &Run) -> Result<Vec<Model>, MeasureError> {
        let Some(dir) = &self.teachers else {
            return Ok(Vec::new());
        };
        let failed = |source| MeasureError::File {
            path: dir.clone(),
            source,
        };
        let begin = format!("{}-seed-", run.kept_out);
        let mut files = fs::read_dir(dir)
            .map_err(failed)?
            .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
            .collect::<Result<Vec<_>, _>>()?;
        files.retain(|file| {
            let name = file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| name.starts_with(&begin) && name.ends_with(".onnx"))
        });
        files.sort();
        files.iter().map(|file| load(file)).collect()
    }
}

fn load(file: &Path) -> Result<Model, MeasureError> {
    let bytes = fs::File::open(file)
        .and_then(read_bounded)
        .map_err(|source| MeasureError::File {
            path: file.to_owned(),
            source,
        })?;
    Model::from_bytes(&bytes).map_err(|source| MeasureError::Model {
        path: file.to_owned(),
        source,
    })
}

/// A run's model file, checked to have kept out exactly whom it must.
///
/// # Errors
/// [`MeasureError`].
pub fn open(file: &Path, run: &Run, clips: &[Clip]) -> Result<(Model, Vec<Clip>), MeasureError> {
    let model = load(file)?;
    let test = split(clips, run.kept_out, run.seed)?.test;
    let provenance = &model.metadata().provenance;
    if provenance.clips.last() != Some(&hash(&test)) || provenance.seed != run.seed {
        return Err(MeasureError::OtherRun {
            path: file.to_owned(),
            kept_out: run.kept_out.to_string(),
            clips: test.len(),
        });
    }
    Ok((model, test))
}

/// Scores a model on one fold and task. `heard` are the features of `test`, as they are in `condition`.
///
/// # Errors
/// [`MeasureError::MissingClass`], and [`MeasureError::Model`] if inference fails.
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
