//! `undertone-train evaluate --protocol`: the published comparisons, fold by fold.

mod leaky;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use undertone_train::corpora::Clip;
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::leaky::Way;
use undertone_train::evaluation::measure::{
    Bench, MeasureError, open, recipe_hash, score, with_own_head,
};
use undertone_train::evaluation::plan::{Run, plan};
use undertone_train::evaluation::protocol::{Fold, Protocol};
use undertone_train::evaluation::results::{FoldResult, HeadOf, Results};
use undertone_train::features::{ClipFeatures, Extractor};
use undertone_train::guide::Guide;
use undertone_train::training::device::Place;
use undertone_train::training::prepare::{clips, guide_says, recipe_features};
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
    /// Take the model files from here (fold-1-seed-1.onnx and so on) and train nothing.
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
        if self.plan {
            return output::text(&self.describe(&runs));
        }
        let clips = clips(folders, |left_out| eprintln!("left out: {left_out}"))?;
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
        let (hash, models) = match &self.models {
            Some(models) => ("given".to_owned(), models),
            None => (recipe_hash(&recipe), &self.runs),
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
            if self.wanting(run, conditions, &hash)?.is_empty() {
                eprintln!("{}: is measured", run.name());
                continue;
            }
            let file = bench.file(run);
            if !file.exists() {
                if self.models.is_some() {
                    eprintln!(
                        "{}: is not there, its folds stay unmeasured",
                        file.display()
                    );
                    continue;
                }
                eprintln!("{}: training", run.name());
                bench.train(run, output::epoch)?;
            }
            self.score(run, &file, clips, conditions, &hash, cache)?;
        }
        Ok(())
    }

    /// The conditions in which some fold of a run is not measured.
    fn wanting(&self, run: &Run, conditions: &[Condition], hash: &str) -> Result<Vec<Condition>> {
        let mut wanting = Vec::new();
        for fold in &run.folds {
            let results = Results::open(&self.results, &self.name, fold.protocol, hash)?;
            for task in &fold.tasks {
                for &condition in conditions {
                    let what = (fold.name.as_str(), run.seed, task.name);
                    if !results.has(what, self.head, condition) && !wanting.contains(&condition) {
                        wanting.push(condition);
                    }
                }
            }
        }
        Ok(wanting)
    }

    fn score(
        &self,
        run: &Run,
        file: &Path,
        clips: &[Clip],
        conditions: &[Condition],
        hash: &str,
        cache: &Path,
    ) -> Result<()> {
        let (model, test) = open(file, run, clips)?;
        let (frontend, features) = (&model.metadata().frontend, &model.metadata().features);
        let extractor = Extractor {
            frontend: frontend.clone(),
            features: features.clone(),
            cache: Some(cache.to_owned()),
        };
        // The folds of a run are of different corpora.
        let own = |fold: &Fold| match self.head {
            HeadOf::Run => Ok(None),
            HeadOf::Corpus => {
                with_own_head((file, &model), run, fold.corpus, clips, &extractor).map(Some)
            }
        };
        let own = run.folds.iter().map(own).collect::<Result<Vec<_>, _>>()?;
        for condition in self.wanting(run, conditions, hash)? {
            let heard: Vec<ClipFeatures> = match condition {
                Condition::Clean => extractor.run(&test)?,
                other => other.features(&test, frontend, features)?,
            };
            for (fold, own) in run.folds.iter().zip(&own) {
                let model = own.as_ref().unwrap_or(&model);
                for task in &fold.tasks {
                    let mut results =
                        Results::open(&self.results, &self.name, fold.protocol, hash)?;
                    let what = (fold.name.as_str(), run.seed, task.name);
                    if results.has(what, self.head, condition) {
                        continue;
                    }
                    let what = (fold, task, run.seed);
                    let result = match score(file, model, what, condition, &test, &heard) {
                        Err(error @ MeasureError::MissingClass { .. }) => {
                            eprintln!("{error}");
                            continue;
                        }
                        other => other?,
                    };
                    let result = FoldResult {
                        head: self.head,
                        ..result
                    };
                    eprintln!(
                        "{} fold {}, {} classes, seed {}, {condition}: UA {:.1} %",
                        fold.protocol,
                        fold.name,
                        result.classes.len(),
                        run.seed,
                        100.0 * result.figures.unweighted_accuracy
                    );
                    results.add(&self.results, result)?;
                }
            }
        }
        Ok(())
    }
}
