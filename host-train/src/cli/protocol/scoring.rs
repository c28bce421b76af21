//! Scoring the model file of a run on its folds, as far as that is not done.

use std::path::Path;

use anyhow::Result;
use undertone_model::Model;
use undertone_train::corpora::Clip;
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::measure::{MeasureError, score, with_own_head};
use undertone_train::evaluation::plan::Run;
use undertone_train::evaluation::protocol::Fold;
use undertone_train::evaluation::results::{FoldResult, HeadOf, Origin, Results};
use undertone_train::features::{ClipFeatures, Extractor};

use super::ProtocolArgs;

impl ProtocolArgs {
    /// Refuses a model file where another one has answered for one of its folds.
    pub(super) fn same_file(
        &self,
        file: &Path,
        model: &Model,
        answered: &[(String, String)],
    ) -> Result<()> {
        let hash = &model.metadata().content_hash;
        for (fold, other) in answered {
            anyhow::ensure!(
                other == hash,
                "{}: has the hash {hash}, and {fold} of {} was answered by the file {other}: give the folder of that file \
                 (--models, --runs), or another --name",
                file.display(),
                self.name
            );
        }
        Ok(())
    }

    /// The folds of a run that were answered, and the hash of the file that did.
    pub(super) fn answered(&self, run: &Run, origin: &Origin) -> Result<Vec<(String, String)>> {
        let mut answered = Vec::new();
        for fold in &run.folds {
            let results = Results::open(&self.results, &self.name, fold.protocol, origin)?;
            let model = results.model(&fold.name, run.seed);
            let named = format!("{} fold {}", fold.protocol, fold.name);
            answered.extend(model.map(|model| (named, model.to_owned())));
        }
        Ok(answered)
    }

    /// The conditions in which some fold of a run is not measured.
    pub(super) fn wanting(
        &self,
        run: &Run,
        conditions: &[Condition],
        origin: &Origin,
    ) -> Result<Vec<Condition>> {
        let mut wanting = Vec::new();
        for fold in &run.folds {
            let results = Results::open(&self.results, &self.name, fold.protocol, origin)?;
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

    pub(super) fn score(
        &self,
        run: &Run,
        (file, (model, test)): (&Path, (Model, Vec<Clip>)),
        clips: &[Clip],
        conditions: &[Condition],
        origin: &Origin,
        cache: &Path,
    ) -> Result<()> {
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
        for &condition in conditions {
            let heard: Vec<ClipFeatures> = match condition {
                Condition::Clean => extractor.run(&test)?,
                other => other.features(&test, frontend, features)?,
            };
            for (fold, own) in run.folds.iter().zip(&own) {
                let model = own.as_ref().unwrap_or(&model);
                for task in &fold.tasks {
                    let mut results =
                        Results::open(&self.results, &self.name, fold.protocol, origin)?;
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
