//! `undertone-train evaluate`: a model file on speakers that it never heard, or whole protocols.

mod card;
mod figures;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use undertone_model::{Metadata, Model};
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::model::outcomes;
use undertone_train::evaluation::results::Results;
use undertone_train::evaluation::table::markdown;
use undertone_train::evaluation::test_side::{test_fold, test_side};
use undertone_train::features::Extractor;
use undertone_train::training::classes::Classes;
use undertone_train::training::label::label;
use undertone_train::training::prepare::clips;

use super::output;
use super::protocol::ProtocolArgs;
use figures::{ConditionFigures, Report, figures, table};

/// Score a model file, in the box's own inference, on the test speakers of the fold that it was trained without; or, with
/// `--protocol`, train and score what a published comparison asks for.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct EvaluateArgs {
    #[command(subcommand)]
    command: Option<EvaluateCommand>,
    /// The model file (not with --protocol), then folders with the corpora that it was trained on.
    #[arg(required_unless_present = "plan", value_name = "[MODEL] CORPORA")]
    paths: Vec<PathBuf>,
    /// A folder with a corpus that the model was not trained on: all of its clips of classes that the model knows are scored, too; may
    /// be given again.
    #[arg(long, value_name = "DIR", conflicts_with = "protocol")]
    unheard: Vec<PathBuf>,
    /// Write JSON instead of a table.
    #[arg(long, conflicts_with = "protocol")]
    json: bool,
    /// How the clips are heard: clean, noise:10dB, level:-20dB, telephone or reverb; may be given again [default: clean].
    #[arg(long, value_name = "CONDITION")]
    condition: Vec<Condition>,
    #[command(flatten)]
    protocols: ProtocolArgs,
    /// Folder for computed features.
    #[arg(long, value_name = "DIR", default_value = "runs/cache")]
    cache: PathBuf,
}

#[derive(Debug, Subcommand)]
enum EvaluateCommand {
    /// Write results as Markdown tables: those of protocols, or those of one model file for its card
    Table(TableArgs),
}

#[derive(Debug, Args)]
struct TableArgs {
    /// Folder with the results of one recipe, for instance models/evaluation/recipe-3, or a file that
    /// `evaluate MODEL CORPORA --json` wrote.
    results: PathBuf,
}

impl EvaluateArgs {
    pub(crate) fn run(mut self) -> Result<()> {
        if let Some(EvaluateCommand::Table(args)) = self.command {
            return args.run();
        }
        if self.condition.is_empty() {
            self.condition.push(Condition::Clean);
        }
        if !self.protocols.protocol.is_empty() {
            return self
                .protocols
                .run(&self.paths, &self.condition, &self.cache);
        }
        let (model, corpora) = match self.paths.split_first() {
            Some((model, corpora)) if !corpora.is_empty() => (model, corpora),
            _ => anyhow::bail!("give the folders with the corpora that the model was trained on"),
        };
        let report = self.report(model, corpora)?;
        if self.json {
            output::json(&report)
        } else {
            output::text(&table(&report))
        }
    }

    fn report(&self, file: &Path, corpora: &[PathBuf]) -> Result<Report> {
        let model = super::model::load(file)?;
        let metadata = model.metadata();
        let named = || file.display().to_string();
        test_fold(metadata).with_context(named)?;
        let clips = clips(corpora, |left_out| eprintln!("left out: {left_out}"))?;
        let (fold, mut test) = test_side(metadata, &clips).with_context(named)?;
        if !self.unheard.is_empty() {
            test.extend(unheard(&self.unheard, file, metadata)?);
        }
        let conditions = self
            .condition
            .iter()
            .map(|&condition| self.heard(condition, &model, &test))
            .collect::<Result<Vec<_>>>()?;
        Ok(Report {
            model: file.display().to_string(),
            content_hash: metadata.content_hash.clone(),
            fold,
            adapted: metadata.provenance.adapted.is_some(),
            labels: metadata.labels.clone(),
            conditions,
        })
    }

    fn heard(
        &self,
        condition: Condition,
        model: &Model,
        test: &[Clip],
    ) -> Result<ConditionFigures> {
        let metadata = model.metadata();
        let extractor = Extractor {
            frontend: metadata.frontend.clone(),
            features: metadata.features.clone(),
            cache: Some(self.cache.clone()),
        };
        let features = match condition {
            Condition::Clean => extractor.run(test)?,
            other => other.features(test, &metadata.frontend, &metadata.features)?,
        };
        let classes = classes(metadata)?;
        let outcomes = outcomes(model, &label(test, features, classes)?)?;
        let corpora = Corpus::ALL.into_iter();
        let corpora = corpora.filter_map(|one| {
            let unheard = !has_heard(metadata, one);
            figures(one, unheard, test, &outcomes, metadata.labels.len())
        });
        Ok(ConditionFigures {
            condition,
            corpora: corpora.collect(),
        })
    }
}

fn classes(about: &Metadata) -> Result<Classes> {
    Classes::of(&about.labels).context("the model's labels are not those of a recipe")
}

fn has_heard(about: &Metadata, corpus: Corpus) -> bool {
    let mut heard = about.provenance.corpora.iter();
    heard.any(|heard| heard == corpus.key())
}

/// All clips of corpora that a model has heard nothing of, whose class it can tell.
fn unheard(folders: &[PathBuf], file: &Path, about: &Metadata) -> Result<Vec<Clip>> {
    ensure!(
        about.provenance.adapted.is_none(),
        "--unheard: {} was adapted to clips of which only a hash is known: score the file that it was made of",
        file.display()
    );
    let classes = classes(about)?;
    let mut found = clips(folders, |left_out| eprintln!("left out: {left_out}"))?;
    for clip in &found {
        ensure!(
            !has_heard(about, clip.corpus),
            "--unheard: {} was trained on {}: leave that corpus out",
            file.display(),
            clip.corpus
        );
    }
    found.retain(|clip| classes.index(clip.emotion).is_some());
    ensure!(
        !found.is_empty(),
        "--unheard: no clip there has a class that {} can tell",
        file.display()
    );
    Ok(found)
}

impl TableArgs {
    fn run(self) -> Result<()> {
        if self.results.is_file() {
            return output::text(&card::markdown(&Report::read(&self.results)?));
        }
        let failed = || format!("cannot read {}", self.results.display());
        let mut files = std::fs::read_dir(&self.results)
            .with_context(failed)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
        files.sort();
        let results = files.iter().map(|file| Results::read(file));
        output::text(&markdown(&results.collect::<Result<Vec<_>, _>>()?))
    }
}
