//! The runs of a plan, trained one by one.

use std::fs;
use std::path::PathBuf;

use burn::tensor::Device;
use sha2::{Digest, Sha256};

use super::MeasureError;
use crate::corpora::Clip;
use crate::digest;
use crate::evaluation::plan::Run;
use crate::export::{Weights, export_run};
use crate::features::ClipFeatures;
use crate::training::TrainingError;
use crate::training::checkpoint::{EpochFigures, RunFolder};
use crate::training::prepare::{hash, prepare_split};
use crate::training::recipe::Recipe;
use crate::training::run::{Material, train};
use crate::training::split::{RunClips, split_with};

/// Hash of all of a recipe that does not change from run to run.
#[must_use]
pub fn recipe_hash(recipe: &Recipe) -> String {
    let plain = Recipe {
        seed: 0,
        kept_out: Default::default(),
        ..recipe.clone()
    };
    let text = serde_json::to_vec(&plain).unwrap_or_default();
    digest::short(Sha256::new_with_prefix(text), 8)
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
    /// What the guide that `recipe` names says of them.
    pub said: Vec<ClipFeatures>,
    /// Folder for runs and their model files.
    pub runs: PathBuf,
    /// Where to train.
    pub device: Device,
}

impl Bench<'_> {
    /// The model file of a run.
    #[must_use]
    pub fn file(&self, run: &Run) -> PathBuf {
        run.file(&self.runs)
    }

    /// Whether a run is trained and its model file written.
    ///
    /// # Errors
    /// [`TrainingError::OtherRun`] if they are there of another recipe or of other clips, [`MeasureError::NoRun`] if the file is there
    /// alone; [`MeasureError`] otherwise.
    pub fn is_trained(&self, run: &Run) -> Result<bool, MeasureError> {
        let (path, file) = (self.runs.join(run.name()), self.file(run));
        if !file.exists() {
            return Ok(false);
        }
        if !path.join("recipe.json").exists() {
            return Err(MeasureError::NoRun { path: file });
        }
        let (_, plan, _) = RunFolder::load(&path)?;
        let (recipe, sides) = self.of(run)?;
        let clips = [&sides.train, &sides.validation, &sides.test].map(|side| hash(side));
        match plan.other_than(&recipe, &clips) {
            others if others.is_empty() => Ok(true),
            others => Err(TrainingError::OtherRun {
                path,
                differs: others.join(", "),
            }
            .into()),
        }
    }

    /// The recipe of a run, and who is on which side of it.
    fn of(&self, run: &Run) -> Result<(Recipe, RunClips), MeasureError> {
        let sides = split_with(self.clips, run.kept_out, run.seed, self.recipe.validation)?;
        let recipe = Recipe {
            seed: run.seed,
            kept_out: run.kept_out,
            classes: run.classes().taught_by(&sides.train),
            ..self.recipe.clone()
        };
        Ok((recipe, sides))
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
        let (recipe, sides) = self.of(run)?;
        let heard = (self.features.clone(), self.said.clone());
        let prepared = prepare_split(sides, self.clips, heard, recipe)?;
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
