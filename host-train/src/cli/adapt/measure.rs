//! `undertone-train adapt measure`: what adaptation brings for speakers that a model never heard.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::builder::RangedU64ValueParser;
use serde::Serialize;
use undertone_model::Model;
use undertone_train::adapt::fit::PRIOR;
use undertone_train::adapt::trial::{Design, SpeakerTrial, trial};
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::evaluation::date::today;
use undertone_train::features::Extractor;
use undertone_train::training::kept_out::KeptOut;
use undertone_train::training::prepare::{clips, hash};
use undertone_train::training::split::split;

use super::read;
use crate::cli::output;

/// Measure on a corpus what adaptation brings for speakers that a model never heard.
#[derive(Debug, Args)]
pub(super) struct MeasureArgs {
    /// The model file.
    model: PathBuf,
    /// Folders with the corpora that it was trained on.
    #[arg(required = true)]
    corpora: Vec<PathBuf>,
    /// The corpus whose speakers are tried.
    #[arg(long, default_value = "ravdess")]
    corpus: String,
    /// Clips of each class that are fitted to.
    #[arg(long, default_value_t = 3, value_parser = RangedU64ValueParser::<usize>::new().range(2..))]
    clips_per_class: usize,
    /// Draws of these for every speaker.
    #[arg(long, default_value_t = 20, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    draws: usize,
    /// Weight of the prior.
    #[arg(long, default_value_t = PRIOR)]
    prior: f32,
    /// Try the validation speakers instead of the test speakers: for choosing the prior.
    #[arg(long)]
    validation: bool,
    /// Write JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Folder for computed features.
    #[arg(long, value_name = "DIR", default_value = "runs/cache")]
    cache: PathBuf,
}

#[derive(Debug, Serialize)]
struct Report {
    model: String,
    content_hash: String,
    corpus: Corpus,
    speakers_are: &'static str,
    date: String,
    design: Design,
    speakers: Vec<SpeakerTrial>,
}

impl MeasureArgs {
    pub(super) fn run(self) -> Result<()> {
        let file = read(&self.model)?;
        let model = Model::from_bytes(&file).with_context(|| self.model.display().to_string())?;
        let metadata = model.metadata();
        let provenance = &metadata.provenance;
        let corpus = Corpus::of_key(&self.corpus);
        let corpus = corpus.with_context(|| {
            format!(
                "--corpus {}: give ravdess, tess, savee or crema-d",
                self.corpus
            )
        })?;
        let all = clips(&self.corpora, |left_out| eprintln!("left out: {left_out}"))?;
        ensure!(
            provenance.adapted.is_none(),
            "{}: was adapted already, perhaps to these speakers: give the file that it was made of",
            self.model.display()
        );
        let sides = split(&all, KeptOut::of(provenance)?, provenance.seed)?;
        let known = [&sides.train, &sides.validation, &sides.test].map(|side| hash(side));
        // Of a run with another share of validation speakers only the test side is the same.
        let same = match self.validation {
            true => provenance.clips == known,
            false => provenance.clips.last() == known.last(),
        };
        ensure!(
            same,
            "these are not the clips that the model was trained and tested on: give exactly its corpora{}",
            if self.validation {
                "; and --validation is for runs with the usual share of validation speakers"
            } else {
                ""
            }
        );
        let side = if self.validation {
            sides.validation
        } else {
            sides.test
        };
        let tried: Vec<Clip> = side
            .into_iter()
            .filter(|clip| clip.corpus == corpus)
            .collect();
        ensure!(!tried.is_empty(), "no such speaker of {corpus} is there");
        let extractor = Extractor {
            frontend: metadata.frontend.clone(),
            features: metadata.features.clone(),
            cache: Some(self.cache),
        };
        let design = Design {
            clips_per_class: self.clips_per_class,
            draws: self.draws,
            prior: self.prior,
            seed: 1,
        };
        let report = Report {
            model: self.model.display().to_string(),
            content_hash: metadata.content_hash.clone(),
            corpus,
            speakers_are: if self.validation {
                "validation"
            } else {
                "test"
            },
            date: today(),
            design,
            speakers: trial(&file, &tried, &extractor.run(&tried)?, design)?,
        };
        if self.json {
            output::json(&report)
        } else {
            output::text(&table(&report))
        }
    }
}

fn table(report: &Report) -> String {
    let mut lines = vec![format!(
        "{:<16}{:>10}{:>10}{:>10}{:>10}{:>20}{:>12}",
        "speaker", "UA before", "adapted", "kept", "accepted", "log-loss", "worst gain"
    )];
    let mean = |of: fn(&SpeakerTrial) -> f64| {
        report.speakers.iter().map(of).sum::<f64>() / report.speakers.len().max(1) as f64
    };
    let mean = SpeakerTrial {
        speaker: "mean".to_owned(),
        before: mean(|one| one.before),
        after: mean(|one| one.after),
        kept: mean(|one| one.kept),
        log_loss_before: mean(|one| one.log_loss_before),
        log_loss_kept: mean(|one| one.log_loss_kept),
        accepted: mean(|one| one.accepted),
        worst_gain: report
            .speakers
            .iter()
            .fold(0.0, |worst, one| worst.min(one.worst_gain)),
    };
    for one in report.speakers.iter().chain([&mean]) {
        lines.push(format!(
            "{:<16}{:>10.1}{:>10.1}{:>10.1}{:>10.2}{:>10.3} ->{:>7.3}{:>12.1}",
            one.speaker,
            100.0 * one.before,
            100.0 * one.after,
            100.0 * one.kept,
            one.accepted,
            one.log_loss_before,
            one.log_loss_kept,
            100.0 * one.worst_gain
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}
