//! `undertone-train export`: a finished run to one ONNX file.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use undertone_model::Model;
use undertone_train::export::calibrate::Calibration;
use undertone_train::export::{ExportError, Weights, export};
use undertone_train::training::checkpoint::RunFolder;
use undertone_train::training::prepare::{clips, prepare};
use undertone_train::training::validate::logits;

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
        let prepared = prepare(&clips, plan.recipe.clone(), Some(self.cache))?;
        anyhow::ensure!(
            prepared.plan == plan,
            "{}: these are not the clips that the run was trained on: give the same folders",
            self.run.display()
        );
        let device = Device::flex();
        let shape = plan.network.streaming().ok_or(ExportError::NotStreamable)?;
        let network = folder.best(shape.init(&device))?;
        let validation = &prepared.validation;
        let calibration = Calibration::fit(
            &logits(&network, validation, &plan.normalisation, &device),
            validation,
        );
        let (bytes, drift) = export(
            &network,
            &plan,
            &state,
            &calibration,
            self.weights,
            validation,
        )?;
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
