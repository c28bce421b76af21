//! `undertone-train evaluate --protocol`: the published comparisons, fold by fold.

mod leaky;
mod scoring;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use undertone_train::corpora::Clip;
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::leaky::Way;
use undertone_train::evaluation::measure::{Bench, all_testable, open, recipe_hash};
use undertone_train::evaluation::plan::{Run, plan};
use undertone_train::evaluation::protocol::Protocol;
use undertone_train::evaluation::results::{HeadOf, Origin};
use undertone_train::features::Window;
use undertone_train::guide::Guide;
use undertone_train::training::device::Place;
use undertone_train::training::prepare::{clips, guide_says, hash, recipe_features};
use undertone_train::training::recipe::Recipe;

use super::output;
use super::recipe::RecipeArgs;

/// Which comparisons, and how.
#[derive(Debug, Args)]
pub(crate) struct ProtocolArgs {
    /// Train and score these protocols; a finished fold is kept at once, and not measured again.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) protocol: Vec<Protocol>,
    /// Only say which runs the protocols need.
    #[arg(long, requires = "protocol")]
    plan: bool,
    /// Seeds, one run of each fold for every one.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// Folder for runs and their model files.
    #[arg(long, value_name = "DIR", default_value = "runs/protocols")]
    runs: PathBuf,
    /// Take the model files from here (fold-1-seed-1.onnx and so on) and train nothing; not for `leaky`.
    #[arg(long, value_name = "DIR", conflicts_with = "guide")]
    models: Option<PathBuf>,
    /// Folder for results.
    #[arg(long, value_name = "DIR", default_value = "models/evaluation")]
    results: PathBuf,
    /// What the recipe goes by among the results.
    #[arg(long, default_value = "default")]
    name: String,
    /// Whose head answers: the run's, or a new one for the corpus of each fold, fitted to what the run has heard of it, as `adapt`
    /// makes one of a site's many clips.
    #[arg(long, value_enum, default_value_t = HeadOf::Run)]
    head: HeadOf,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Where to train.
    #[arg(long, value_enum, default_value_t = Place::Cpu)]
    device: Place,
}

impl ProtocolArgs {
    /// Runs the protocols on the corpora in `folders`.
    pub(crate) fn run(
        &self,
        folders: &[PathBuf],
        conditions: &[Condition],
        cache: &Path,
    ) -> Result<()> {
        let runs = plan(&self.protocol, &self.seeds);
        for protocol in [Protocol::ZeroShot, Protocol::Leaky] {
            anyhow::ensure!(
                self.head == HeadOf::Run || !self.protocol.contains(&protocol),
                "--head corpus: {protocol} has no clips to fit a head to; leave it out"
            );
        }
        anyhow::ensure!(
            self.models.is_none() || !self.protocol.contains(&Protocol::Leaky),
            "--models: leaky trains the classic network, of which there is no file; leave one of the two out"
        );
        if self.plan {
            return output::text(&self.describe(&runs));
        }
        let clips = clips(folders, |left_out| eprintln!("left out: {left_out}"))?;
        let asked = runs.iter().filter(|run| match &self.models {
            Some(models) => run.file(models).exists(),
            None => true,
        });
        all_testable(asked, &clips)?;
        if !runs.is_empty() {
            self.speakers(&runs, &clips, conditions, cache)?;
        }
        if self.protocol.contains(&Protocol::Leaky) {
            self.leaky(&clips)?;
        }
        Ok(())
    }

    fn describe(&self, runs: &[Run]) -> String {
        let mut lines = vec![format!("{} runs of the streamable network:", runs.len())];
        for run in runs {
            let folds = run
                .folds
                .iter()
                .map(|fold| format!("{} {}", fold.protocol, fold.name));
            lines.push(format!(
                "{:<18} {}",
                run.name(),
                folds.collect::<Vec<_>>().join(", ")
            ));
        }
        if self.protocol.contains(&Protocol::Leaky) {
            let ways = Way::ALL.len() * self.seeds.len();
            lines.push(format!("{ways} runs of the classic network: leaky"));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// The recipe of protocol runs. It stands for all of them: what a run tells apart follows from who is kept out.
    fn base(&self, device: &Device) -> Result<(Recipe, Option<Guide>)> {
        let (recipe, guide) = self.recipe.read(device)?;
        let recipe = recipe.changed(&["classes=calm-apart".to_owned()])?;
        Ok((recipe, guide))
    }

    fn speakers(
        &self,
        runs: &[Run],
        clips: &[Clip],
        conditions: &[Condition],
        cache: &Path,
    ) -> Result<()> {
        let device = self.device.device()?;
        let (recipe, guide) = self.base(&device)?;
        recipe.check()?;
        anyhow::ensure!(
            self.models.is_some() || !matches!(recipe.window, Some(Window::Excerpt(_))),
            "a network that reads one excerpt of a clip (`window.seconds`, --network classic) is for no box, and these protocols score what a box would run: \
             give --network windowed"
        );
        let (recipe_hash, models) = match &self.models {
            Some(models) => ("given".to_owned(), models),
            None => (recipe_hash(&recipe), &self.runs),
        };
        let origin = Origin {
            recipe: recipe_hash,
            clips: hash(clips),
        };
        let (features, said) = match self.models {
            Some(_) => Default::default(),
            None => {
                let features = recipe_features(clips, &recipe, Some(cache.to_owned()))?;
                let said = guide_says(guide.as_ref(), clips, &recipe, Some(cache))?;
                (features, said)
            }
        };
        let bench = Bench {
            clips,
            features,
            said,
            recipe,
            runs: models.clone(),
            device,
        };
        std::fs::create_dir_all(models)
            .with_context(|| format!("cannot make {}", models.display()))?;
        for run in runs {
            let wanting = self.wanting(run, conditions, &origin)?;
            if wanting.is_empty() {
                eprintln!("{}: is measured", run.name());
                continue;
            }
            let (file, answered) = (bench.file(run), self.answered(run, &origin)?);
            // A file that has answered under this name is that of the recipe, whether its run is still there or not.
            let known = file.exists() && !answered.is_empty();
            if self.models.is_none() && !known && !bench.is_trained(run)? {
                eprintln!("{}: training", run.name());
                bench.train(run, output::epoch)?;
            }
            if file.exists() {
                let opened = open(&file, run, clips)?;
                self.same_file(&file, &opened.0, &answered)?;
                self.score(run, (&file, opened), clips, &wanting, &origin, cache)?;
            } else {
                eprintln!(
                    "{}: is not there, its folds stay unmeasured",
                    file.display()
                );
            }
        }
        Ok(())
    }
}
