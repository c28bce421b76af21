//! Figures of one model file, and their table.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::metrics::{Figures, Outcome};
use undertone_train::evaluation::speakers::{by_speaker, interval, quantiles};

/// Figures of one model file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) model: String,
    pub(super) content_hash: String,
    pub(super) fold: u8,
    /// Whether it was fitted to clips since it was trained, which may be of the speakers that are scored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) adapted: bool,
    pub(super) labels: Vec<String>,
    pub(super) conditions: Vec<ConditionFigures>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ConditionFigures {
    pub(super) condition: Condition,
    pub(super) corpora: Vec<CorpusFigures>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CorpusFigures {
    pub(super) corpus: Corpus,
    /// Whether the model has heard nothing of this corpus, and not only of these speakers.
    #[serde(default)]
    pub(super) unheard: bool,
    pub(super) speakers: usize,
    pub(super) chance: f64,
    /// UA of 95 % of samples of speakers drawn anew.
    pub(super) interval: Option<[f64; 2]>,
    /// UA of the 10, 50 and 90 % speakers.
    pub(super) speaker_quantiles: Option<[f64; 3]>,
    pub(super) figures: Figures,
}

impl Report {
    /// What `--json` wrote.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text =
            std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_slice(&text).with_context(|| {
            format!(
                "{}: is not what `undertone-train evaluate MODEL CORPORA --json` writes",
                file.display()
            )
        })
    }
}

pub(super) fn figures(
    corpus: Corpus,
    unheard: bool,
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
        unheard,
        speakers: speakers.len(),
        interval: interval(&speakers),
        speaker_quantiles: quantiles(&speakers),
        chance: 1.0 / occurring.max(1) as f64,
        figures,
    })
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}", 100.0 * share)
}

pub(super) fn table(report: &Report) -> String {
    let mut lines = vec![format!(
        "{} (hash {}), fold {}: speakers that {}",
        report.model,
        &report.content_hash[..12],
        report.fold,
        match report.adapted {
            false => "it never heard",
            true => "its training never heard; it was adapted since, perhaps to some of them",
        }
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
            "{:<9}{:>9}{:>7}{:>8}{:>7}{:>13}{:>10}{:>10}{:>7}{:>11}{:>14}{}",
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
            people.map_or_else(|| "-".to_owned(), |people| people.join("/")),
            if row.unheard {
                "  corpus never heard"
            } else {
                ""
            }
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
