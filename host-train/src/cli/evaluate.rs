//! `undertone-train evaluate`: a model file on speakers that it never heard.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Serialize;
use undertone_model::{Model, read_bounded};
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::evaluation::metrics::{Figures, Outcome};
use undertone_train::evaluation::model::outcomes;
use undertone_train::features::Extractor;
use undertone_train::training::prepare::{clips, examples, hash};
use undertone_train::training::split::split;

use super::output;

/// Score a model file, in the box's own inference, on the test speakers of the fold that it was trained without.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// The model file.
    model: PathBuf,
    /// Folders with the corpora that it was trained on.
    #[arg(required = true)]
    corpora: Vec<PathBuf>,
    /// Write JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Folder for computed features.
    #[arg(long, value_name = "DIR", default_value = "runs/cache")]
    cache: PathBuf,
}

/// Figures of one model file.
#[derive(Debug, Serialize)]
struct Report {
    model: String,
    content_hash: String,
    fold: u8,
    labels: Vec<String>,
    corpora: Vec<CorpusFigures>,
}

#[derive(Debug, Serialize)]
struct CorpusFigures {
    corpus: Corpus,
    speakers: usize,
    chance: f64,
    figures: Figures,
}

impl EvaluateArgs {
    pub(crate) fn run(self) -> Result<()> {
        let bytes = File::open(&self.model)
            .and_then(read_bounded)
            .with_context(|| format!("cannot read {}", self.model.display()))?;
        let model = Model::from_bytes(&bytes).with_context(|| self.model.display().to_string())?;
        let metadata = model.metadata();
        let fold = metadata.provenance.fold.with_context(|| {
            format!(
                "{}: was trained on every speaker, so that nobody is left to test on",
                self.model.display()
            )
        })?;
        let clips = clips(&self.corpora, |left_out| eprintln!("left out: {left_out}"))?;
        let test = split(&clips, Some(fold), metadata.provenance.seed)?.test;
        ensure!(
            metadata.provenance.clips.last() == Some(&hash(&test)),
            "these are not the test clips of the model's fold {fold}: give exactly the corpora that it was trained on"
        );
        let extractor = Extractor {
            frontend: metadata.frontend.clone(),
            features: metadata.features.clone(),
            cache: Some(self.cache),
        };
        let outcomes = outcomes(&model, &examples(&test, &extractor)?)?;
        let report = Report {
            model: self.model.display().to_string(),
            content_hash: metadata.content_hash.clone(),
            fold,
            labels: metadata.labels.clone(),
            corpora: Corpus::ALL
                .into_iter()
                .filter_map(|corpus| figures(corpus, &test, &outcomes, metadata.labels.len()))
                .collect(),
        };
        if self.json {
            output::json(&report)
        } else {
            output::text(&table(&report))
        }
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
    let mut speakers: Vec<_> = clips.iter().map(|clip| &clip.speaker).collect();
    speakers.sort_unstable();
    speakers.dedup();
    let figures = Figures::of(&outcomes, classes);
    let occurring = figures.recall.iter().flatten().count();
    (!clips.is_empty()).then(|| CorpusFigures {
        corpus,
        speakers: speakers.len(),
        chance: 1.0 / occurring.max(1) as f64,
        figures,
    })
}

fn table(report: &Report) -> String {
    let percent = |share: f64| format!("{:.1}", 100.0 * share);
    let mut lines = vec![
        format!(
            "{} (hash {}), fold {}: speakers that it never heard",
            report.model,
            &report.content_hash[..12],
            report.fold
        ),
        format!(
            "{:<9}{:>9}{:>7}{:>8}{:>7}{:>10}{:>10}{:>7}{:>11}",
            "corpus",
            "speakers",
            "clips",
            "chance",
            "UA",
            "accuracy",
            "macro-F1",
            "ECE",
            "UA at 75 %"
        ),
    ];
    for row in &report.corpora {
        let f = &row.figures;
        lines.push(format!(
            "{:<9}{:>9}{:>7}{:>8}{:>7}{:>10}{:>10}{:>7}{:>11}",
            row.corpus.name(),
            row.speakers,
            f.clips,
            percent(row.chance),
            percent(f.unweighted_accuracy),
            percent(f.accuracy),
            percent(f.macro_f1),
            percent(f.calibration_error),
            percent(f.unweighted_accuracy_at_75)
        ));
    }
    lines.push(String::new());
    lines.push(format!(
        "recall   {}",
        report
            .labels
            .iter()
            .map(|label| format!("{label:>10}"))
            .collect::<String>()
    ));
    for row in &report.corpora {
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
    lines.push(String::new());
    lines.join("\n")
}
