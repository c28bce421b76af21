//! `undertone-train evaluate`: a model file on speakers that it never heard, or whole protocols.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use serde::Serialize;
use undertone_model::Model;
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::metrics::{Figures, Outcome};
use undertone_train::evaluation::model::outcomes;
use undertone_train::evaluation::results::Results;
use undertone_train::evaluation::speakers::{by_speaker, interval, quantiles};
use undertone_train::evaluation::table::markdown;
use undertone_train::features::Extractor;
use undertone_train::training::classes::Classes;
use undertone_train::training::kept_out::KeptOut;
use undertone_train::training::label::label;
use undertone_train::training::prepare::{clips, hash};
use undertone_train::training::split::split;

use super::output;
use super::protocol::ProtocolArgs;

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
    /// Write JSON instead of a table.
    #[arg(long, conflicts_with = "protocol")]
    json: bool,
    /// How the clips are heard: clean, noise:10dB, telephone or reverb; may be given again [default: clean].
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
    /// Write the results of protocols as a Markdown table
    Table(TableArgs),
}

#[derive(Debug, Args)]
struct TableArgs {
    /// Folder with the results of one recipe, for instance models/evaluation/default.
    results: PathBuf,
}

/// Figures of one model file.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    content_hash: String,
    fold: u8,
    labels: Vec<String>,
    conditions: Vec<ConditionFigures>,
}

#[derive(Debug, Serialize)]
struct ConditionFigures {
    condition: Condition,
    corpora: Vec<CorpusFigures>,
}

#[derive(Debug, Serialize)]
struct CorpusFigures {
    corpus: Corpus,
    speakers: usize,
    chance: f64,
    /// UA of 95 % of samples of speakers drawn anew.
    interval: Option<[f64; 2]>,
    /// UA of the 10, 50 and 90 % speakers.
    speaker_quantiles: Option<[f64; 3]>,
    figures: Figures,
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
        let fold = metadata.provenance.fold.with_context(|| {
            format!(
                "{}: was trained on every speaker, so that nobody is left to test on",
                file.display()
            )
        })?;
        let clips = clips(corpora, |left_out| eprintln!("left out: {left_out}"))?;
        let test = split(&clips, KeptOut::Fold(fold), metadata.provenance.seed)?.test;
        ensure!(
            metadata.provenance.clips.last() == Some(&hash(&test)),
            "these are not the test clips of the model's fold {fold}: give exactly the corpora that it was trained on"
        );
        let conditions = self
            .condition
            .iter()
            .map(|&condition| self.heard(condition, &model, &test))
            .collect::<Result<Vec<_>>>()?;
        Ok(Report {
            model: file.display().to_string(),
            content_hash: metadata.content_hash.clone(),
            fold,
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
        let classes = Classes::of(&metadata.labels)
            .context("the model's labels are not those of a recipe")?;
        let outcomes = outcomes(model, &label(test, features, classes)?)?;
        let corpora = Corpus::ALL.into_iter();
        let corpora =
            corpora.filter_map(|one| figures(one, test, &outcomes, metadata.labels.len()));
        Ok(ConditionFigures {
            condition,
            corpora: corpora.collect(),
        })
    }
}

impl TableArgs {
    fn run(self) -> Result<()> {
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

fn figures(
    corpus: Corpus,
    clips: &[Clip],
    outcomes: &[Outcome],
    classes: usize,
) -> Option<CorpusFigures> {
    let (clips, outcomes): (Vec<&Clip>, Vec<Outcome>) = clips
        .iter()
        .zip(outcomes.iter().cloned())
        .filter(|(clip, _)| clip.corpus == corpus)
        .unzip();
    let names: Vec<String> = clips.iter().map(|clip| clip.speaker.to_string()).collect();
    let speakers = by_speaker(names.iter().map(String::as_str).zip(&outcomes), classes);
    let figures = Figures::of(&outcomes, classes);
    let occurring = figures.recall.iter().flatten().count();
    (!clips.is_empty()).then(|| CorpusFigures {
        corpus,
        speakers: speakers.len(),
        interval: interval(&speakers),
        speaker_quantiles: quantiles(&speakers),
        chance: 1.0 / occurring.max(1) as f64,
        figures,
    })
}

fn table(report: &Report) -> String {
    let mut lines = vec![format!(
        "{} (hash {}), fold {}: speakers that it never heard",
        report.model,
        &report.content_hash[..12],
        report.fold
    )];
    for heard in &report.conditions {
        lines.push(String::new());
        lines.push(heard.condition.to_string());
        condition_table(heard, &report.labels, &mut lines);
    }
    lines.push(String::new());
    lines.join("\n")
}

fn condition_table(heard: &ConditionFigures, labels: &[String], lines: &mut Vec<String>) {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    lines.push(format!(
        "{:<9}{:>9}{:>7}{:>8}{:>7}{:>13}{:>10}{:>10}{:>7}{:>11}{:>14}",
        "corpus",
        "speakers",
        "clips",
        "chance",
        "UA",
        "95 %",
        "accuracy",
        "macro-F1",
        "ECE",
        "UA at 75 %",
        "10/50/90 %"
    ));
    for row in &heard.corpora {
        let f = &row.figures;
        let between = row.interval.map(|ends| ends.map(percent).join("-"));
        let people = row
            .speaker_quantiles
            .map(|one| one.map(|share| format!("{:.0}", 100.0 * share)));
        lines.push(format!(
            "{:<9}{:>9}{:>7}{:>8}{:>7}{:>13}{:>10}{:>10}{:>7}{:>11}{:>14}",
            row.corpus.name(),
            row.speakers,
            f.clips,
            percent(row.chance),
            percent(f.unweighted_accuracy),
            between.unwrap_or_else(|| "-".to_owned()),
            percent(f.accuracy),
            percent(f.macro_f1),
            percent(f.calibration_error),
            percent(f.unweighted_accuracy_at_75),
            people.map_or_else(|| "-".to_owned(), |people| people.join("/"))
        ));
    }
    let names: String = labels.iter().map(|label| format!("{label:>10}")).collect();
    lines.push(format!("recall   {names}"));
    for row in &heard.corpora {
        let recall = row.figures.recall.iter();
        let recall = recall.map(|recall| {
            recall.map_or_else(|| format!("{:>10}", "-"), |r| format!("{:>10}", percent(r)))
        });
        lines.push(format!(
            "{:<9}{}",
            row.corpus.name(),
            recall.collect::<String>()
        ));
    }
    let curve = |row: &CorpusFigures| -> String {
        let points = row.figures.risk_coverage.iter();
        points
            .map(|point| format!("{:>7}", percent(point.risk)))
            .collect()
    };
    lines.push(format!(
        "wrong, of the most confident{}",
        (1..=10)
            .rev()
            .map(|n| format!("{:>5} %", n * 10))
            .collect::<String>()
    ));
    for row in &heard.corpora {
        lines.push(format!("{:<28}{}", row.corpus.name(), curve(row)));
    }
}
