//! `undertone model compare`: how far two models' answers lie apart on recordings.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;
use undertone_decode::{Limits, read_file};
use undertone_dsp::{Frontend, resample};
use undertone_model::{Drift, Model};

use super::file::load;
use crate::failure::Failure;
use crate::print;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The model to compare with, for instance the one in service or the f32 form
    reference: PathBuf,
    /// The model to judge
    candidate: PathBuf,
    /// Recordings: .wav .flac .mp3 .ogg, each heard as one utterance
    #[arg(required = true)]
    audio: Vec<PathBuf>,
    /// Most recordings, in %, whose most probable label may differ
    #[arg(long, default_value_t = 100.0 * Drift::MOST_LABELS, value_name = "PERCENT")]
    max_labels: f64,
    /// Largest difference that a probability may have
    #[arg(long, default_value_t = Drift::MOST_PROBABILITY, value_name = "SHARE")]
    max_probability: f32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let (reference, candidate) = (load(&self.reference)?, load(&self.candidate)?);
        let labels = &reference.metadata().labels;
        if *labels != candidate.metadata().labels {
            return Err(Failure::error(
                "other-labels",
                format!(
                    "{} knows {}, but {} knows {}",
                    self.reference.display(),
                    labels.join(", "),
                    self.candidate.display(),
                    candidate.metadata().labels.join(", ")
                ),
                "take two models with the same labels",
            ));
        }
        let mut drift = Drift::default();
        for file in &self.audio {
            let audio = read_file(file, &Limits::default())?;
            let samples = audio.mono();
            let answer = |model| {
                answer(model, &samples, audio.sample_rate)
                    .with_context(|| file.display().to_string())
            };
            match (answer(&reference)?, answer(&candidate)?) {
                (Some(before), Some(after)) => drift.add(&before, &after),
                _ => eprintln!("{}: too short for an answer, left out", file.display()),
            }
        }
        if drift.answers == 0 {
            return Err(Failure::error(
                "no-answer",
                "no recording is long enough for an answer",
                "give longer ones",
            ));
        }
        let share = 100.0 * drift.labels();
        let close = drift.within(self.max_labels / 100.0, self.max_probability);
        let text = if self.json {
            let report = json!({
                "recordings": drift.answers,
                "changed_labels": drift.changed,
                "changed_labels_percent": share,
                "largest_probability_difference": drift.probability,
                "close": close,
            });
            format!("{report:#}\n")
        } else {
            format!(
                "{} recordings: another label for {} ({share:.2} %), largest difference of a probability {:.4}\n",
                drift.answers, drift.changed, drift.probability
            )
        };
        print::text(&text)?;
        if !close {
            return Err(Failure::error(
                "drifted",
                format!(
                    "{} differs from {} by more than allowed: at most {} % other labels and a difference of {}",
                    self.candidate.display(),
                    self.reference.display(),
                    self.max_labels,
                    self.max_probability
                ),
                "do not use one for the other; --max-labels and --max-probability set what is allowed",
            ));
        }
        Ok(())
    }
}

/// What `model` says of a whole recording, at its own rate in Hz; `None` if it is too short.
fn answer(model: &Model, samples: &[f32], rate: u32) -> Result<Option<Vec<f32>>> {
    let metadata = model.metadata();
    let samples = resample(samples.to_vec(), rate, metadata.frontend.sample_rate)?;
    let mut stream = model.stream()?;
    let mut rows = vec![0.0; metadata.rows()];
    let mut pushed = Ok(());
    Frontend::new(&metadata.frontend)?.push(&samples, |frame| {
        frame.write_rows(&metadata.features, &mut rows);
        if pushed.is_ok() {
            pushed = stream.push(&rows);
        }
    });
    pushed?;
    let mut probabilities = vec![0.0; metadata.labels.len()];
    Ok(stream
        .probabilities(&mut probabilities)?
        .then_some(probabilities))
}
