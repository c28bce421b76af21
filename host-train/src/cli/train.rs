//! `undertone-train train`: trains a network.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use undertone_train::training::device::Place;
use undertone_train::training::prepare::{clips, prepare};
use undertone_train::training::recipe::Recipe;
use undertone_train::training::run::train;
use undertone_train::training::schedule::Schedule;

use super::output;

/// Networks that can be trained.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Network {
    /// The streamable network, which ships.
    Streaming,
    /// The network of the field's notebooks, with their recipe, for comparison.
    Classic,
}

/// Train a network on corpora; interrupt it at will and start it again to resume.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Folders with RAVDESS, TESS, SAVEE or CREMA-D.
    #[arg(required = true)]
    corpora: Vec<PathBuf>,
    /// Folder for checkpoints and, to resume, from an earlier start.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Which network; it decides the defaults of the recipe.
    #[arg(long, value_enum, default_value_t = Network::Streaming)]
    network: Network,
    /// Keep the speakers of this fold of every corpus out, for testing.
    #[arg(long, value_name = "N")]
    fold: Option<u8>,
    /// Seed of weights, order, augmentation and validation speakers.
    #[arg(long, default_value_t = Recipe::default().seed)]
    seed: u64,
    /// Epochs of the schedule [default: 40, classic: 50].
    #[arg(long)]
    epochs: Option<usize>,
    /// Clips per step.
    #[arg(long, default_value_t = Recipe::default().batch)]
    batch: usize,
    /// Peak (one-cycle) or initial (plateau) learning rate [default: 0.003, classic: 0.001].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// How the learning rate moves [default: one-cycle, classic: plateau].
    #[arg(long, value_enum)]
    schedule: Option<Schedule>,
    /// Stop after this many epochs without a better validation score.
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
    /// Where to compute.
    #[arg(long, value_enum, default_value_t = Place::Cpu)]
    device: Place,
    /// Folder for computed features.
    #[arg(long, value_name = "DIR", default_value = "runs/cache")]
    cache: PathBuf,
    /// Compute features anew.
    #[arg(long)]
    no_cache: bool,
}

impl TrainArgs {
    pub(crate) fn run(self) -> Result<()> {
        let device = self.device.device()?;
        let usual = match self.network {
            Network::Streaming => Recipe::default(),
            Network::Classic => Recipe::classic(),
        };
        let recipe = Recipe {
            seed: self.seed,
            fold: self.fold,
            epochs: self.epochs.unwrap_or(usual.epochs),
            batch: self.batch,
            learning_rate: self.learning_rate.unwrap_or(usual.learning_rate),
            schedule: self.schedule.unwrap_or(usual.schedule),
            patience: self.patience,
            ..usual
        };
        recipe.check()?;
        let clips = clips(&self.corpora, |left_out| eprintln!("left out: {left_out}"))?;
        let prepared = prepare(&clips, recipe, (!self.no_cache).then_some(self.cache))?;
        eprintln!(
            "{} training clips, {} validation clips of {}",
            prepared.train.len(),
            prepared.validation.len(),
            prepared.plan.corpora.join(", ")
        );
        let state = train(
            &self.run,
            &prepared.plan,
            &prepared.train,
            &prepared.validation,
            &device,
            |epoch, figures| {
                let corpora: Vec<String> = figures
                    .corpora
                    .iter()
                    .map(|(corpus, score)| format!("{corpus} {:.1}", 100.0 * score))
                    .collect();
                eprintln!(
                    "epoch {epoch}: loss {:.4}, validation UA {:.1} ({}), {:.0} s",
                    figures.loss,
                    100.0 * figures.score,
                    corpora.join(", "),
                    figures.seconds
                );
            },
        )?;
        let (epoch, score) = state
            .best
            .context("no epoch was trained: give --epochs 1 or more")?;
        output::text(&format!(
            "best epoch {epoch}: validation UA {:.1} %, in {}\n",
            100.0 * score,
            self.run.display()
        ))
    }
}
