//! `undertone-train train`: trains a network.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use undertone_train::training::device::Place;
use undertone_train::training::kept_out::KeptOut;
use undertone_train::training::prepare::{clips, prepare};
use undertone_train::training::run::{Material, train};

use super::output;
use super::recipe::RecipeArgs;

/// Train a network on corpora; interrupt it at will and start it again to resume.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Folders with RAVDESS, TESS, SAVEE or CREMA-D; trained on CREMA-D alone, a model has licence class `open`.
    #[arg(required = true)]
    corpora: Vec<PathBuf>,
    /// Folder for checkpoints and, to resume, from an earlier start.
    #[arg(long, value_name = "DIR")]
    run: PathBuf,
    /// Keep the speakers of this fold of every corpus out, for testing.
    #[arg(long, value_name = "N", conflicts_with = "keep_out")]
    fold: Option<u8>,
    /// Keep these speakers out: `fold-N` of every corpus, `luna-N` of RAVDESS, or a corpus.
    #[arg(long, value_name = "WHO")]
    keep_out: Option<KeptOut>,
    /// Seed of weights, order, augmentation and validation speakers [default: the recipe's, 1].
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    recipe: RecipeArgs,
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
        let kept_out = self.fold.map(KeptOut::Fold).or(self.keep_out);
        let (mut recipe, guide) = self.recipe.read(&device)?;
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        recipe.kept_out = kept_out.unwrap_or(recipe.kept_out);
        recipe.check()?;
        let clips = clips(&self.corpora, |left_out| eprintln!("left out: {left_out}"))?;
        let cache = (!self.no_cache).then_some(self.cache);
        let prepared = prepare(&clips, recipe, cache, guide.as_ref())?;
        eprintln!(
            "{} training clips, {} validation clips of {}",
            prepared.train.len(),
            prepared.validation.len(),
            prepared.plan.corpora.join(", ")
        );
        let material = Material {
            train: &prepared.train,
            validation: &prepared.validation,
            bank: prepared.bank.as_ref(),
        };
        let state = train(&self.run, &prepared.plan, material, &device, output::epoch)?;
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
