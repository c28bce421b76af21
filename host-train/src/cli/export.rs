//! `undertone-train export`: a finished run to one ONNX file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use undertone_model::Model;
use undertone_train::export::{Weights, Written, export_run};
use undertone_train::training::checkpoint::RunFolder;
use undertone_train::training::prepare::{clips, prepare};

/// Write the best epoch of a run as one ONNX file, calibrated and checked on the run's validation speakers.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Folder of the run.
    run: PathBuf,
    /// The corpora that it was trained on.
    #[arg(required = true)]
    corpora: Vec<PathBuf>,
    /// File to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// How the weights are stored.
    #[arg(long, value_enum, default_value_t = Weights::Int8)]
    weights: Weights,
    /// Folder for computed features.
    #[arg(long, value_name = "DIR", default_value = "runs/cache")]
    cache: PathBuf,
}

impl ExportArgs {
    pub(crate) fn run(self) -> Result<()> {
        let (folder, plan, state) = RunFolder::load(&self.run)?;
        let clips = clips(&self.corpora, |left_out| eprintln!("left out: {left_out}"))?;
        // Neither a guide nor changed samples have a part in what is written.
        let mut recipe = plan.recipe.clone();
        recipe.wave.share = 0.0;
        recipe.guide.encoder = None;
        let mut prepared = prepare(&clips, recipe, Some(self.cache), None)?;
        prepared.plan.recipe = plan.recipe.clone();
        anyhow::ensure!(
            prepared.plan == plan,
            "{}: these are not the clips that the run was trained on: give the same folders",
            self.run.display()
        );
        let validation = &prepared.validation;
        let Written {
            bytes,
            drift,
            calibration,
        } = export_run(&folder, &plan, &state, self.weights, validation)?;
        let model = Model::from_bytes(&bytes)?;
        fs::write(&self.output, &bytes)
            .with_context(|| format!("cannot write {}", self.output.display()))?;
        println!(
            "{}: {} bytes, {} parameters, hash {}, temperature {:.3}, unknown below {:.2}; on {} validation clips its f32 \
             form answers like the trainer, and stored weights change the label of {:.2} % and a probability by {:.4}",
            self.output.display(),
            bytes.len(),
            model.parameters(),
            &model.metadata().content_hash[..12],
            calibration.temperature,
            calibration.unknown_threshold,
            validation.len(),
            100.0 * drift.labels(),
            drift.probability
        );
        Ok(())
    }
}
