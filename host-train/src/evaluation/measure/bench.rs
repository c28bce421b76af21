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
use crate::training::checkpoint::{EpochFigures, RunFolder};
use crate::training::label::label;
use crate::training::prepare::{PrepareError, prepare_split};
use crate::training::recipe::Recipe;
use crate::training::run::{Material, train};
use crate::training::split::split_with;

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
        let recipe = Recipe {
            seed: run.seed,
            kept_out: run.kept_out,
            classes: run.classes(),
            ..self.recipe.clone()
        };
        let sides = split_with(self.clips, run.kept_out, run.seed, recipe.validation)?;
        let mut examples =
            label(self.clips, self.features.clone(), recipe.classes).map_err(PrepareError::from)?;
        for (example, said) in examples.iter_mut().zip(&self.said) {
            example.guide = said.clone();
        }
        let prepared = prepare_split(sides, self.clips, examples, recipe)?;
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
