//! The recipe on the command line: a usual one, a file, single fields.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use undertone_train::guide::Guide;
use undertone_train::training::recipe::Recipe;
use undertone_train::training::schedule::Schedule;

/// Networks that can be trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Network {
    /// The streamable network, which ships.
    Streaming,
    /// The network of the field's notebooks, with their recipe, for comparison: no box can run it.
    Classic,
    /// The same network on windows of the frames that a box has: it can be exported.
    Windowed,
}

/// How to train.
#[derive(Debug, Args)]
pub(crate) struct RecipeArgs {
    /// Which network; it decides the defaults of the recipe.
    #[arg(long, value_enum, default_value_t = Network::Streaming)]
    network: Network,
    /// Take the recipe from this JSON file; fields that it lacks are as in the default recipe.
    #[arg(long, value_name = "FILE", conflicts_with = "network")]
    recipe: Option<PathBuf>,
    /// Change one field of the recipe, for instance `augmentation.noise=0.5` or `shape.width=160`; may be given again.
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Learn too what the encoder of a Whisper model (its `model.safetensors`) makes of the clips.
    #[arg(long, value_name = "FILE")]
    guide: Option<PathBuf>,
    /// Epochs of the schedule [default: 40, classic and windowed: 50].
    #[arg(long)]
    epochs: Option<usize>,
    /// Clips per step [default: 32, classic and windowed: 64].
    #[arg(long)]
    batch: Option<usize>,
    /// Peak (one-cycle) or initial (plateau) learning rate [default: 0.003, classic and windowed: 0.001].
    #[arg(long)]
    learning_rate: Option<f64>,
    /// How the learning rate moves [default: one-cycle, classic and windowed: plateau].
    #[arg(long, value_enum)]
    schedule: Option<Schedule>,
    /// Stop after this many epochs without a better validation score.
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<usize>,
}

impl RecipeArgs {
    /// The recipe, not yet checked, and the guide that was given; where the recipe names none, it names that one; the guide listens on `device`.
    pub(crate) fn read(&self, device: &Device) -> Result<(Recipe, Option<Guide>)> {
        let usual = match (&self.recipe, self.network) {
            (Some(file), _) => {
                let text =
                    fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
                Recipe::from_json(&text)
                    .with_context(|| format!("{}: is not a recipe", file.display()))?
            }
            (None, Network::Streaming) => Recipe::default(),
            (None, Network::Classic) => Recipe::classic(),
            (None, Network::Windowed) => Recipe::windowed(),
        };
        let mut recipe = usual.changed(&self.set)?;
        self.timed(&mut recipe);
        let open = |file: &PathBuf| Guide::open(file, recipe.guide.layers, device);
        let guide = self.guide.as_ref().map(open).transpose()?;
        if let Some(guide) = &guide {
            let named = &mut recipe.guide.encoder;
            named.get_or_insert_with(|| guide.hash().to_owned());
        }
        Ok((recipe, guide))
    }

    /// What options of their own say of a recipe: how long, in what steps and how fast it learns.
    pub(crate) fn timed(&self, recipe: &mut Recipe) {
        recipe.epochs = self.epochs.unwrap_or(recipe.epochs);
        recipe.batch = self.batch.unwrap_or(recipe.batch);
        recipe.learning_rate = self.learning_rate.unwrap_or(recipe.learning_rate);
        recipe.schedule = self.schedule.unwrap_or(recipe.schedule);
        recipe.patience = self.patience.or(recipe.patience);
    }
}
