//! `undertone model compare`: how far two models' answers lie apart on recordings.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use undertone_decode::{Limits, read_file};
use undertone_dsp::{Frontend, Resampler};
use undertone_model::Model;

use super::file::{load, print};

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
    #[arg(long, default_value_t = 0.5, value_name = "PERCENT")]
    max_labels: f64,
    /// Largest difference that a probability may have
    #[arg(long, default_value_t = 0.02, value_name = "SHARE")]
    max_probability: f64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let (reference, candidate) = (load(&self.reference)?, load(&self.candidate)?);
        let labels = &reference.metadata().labels;
        ensure!(
            *labels == candidate.metadata().labels,
            "{} knows {}, but {} knows {}: only models with the same labels can be compared",
            self.reference.display(),
            labels.join(", "),
            self.candidate.display(),
            candidate.metadata().labels.join(", ")
        );
        let (mut heard, mut changed, mut apart) = (0usize, 0usize, 0f64);
        for file in &self.audio {
            let before = answer(&reference, file)?;
            let after = answer(&candidate, file)?;
            let (Some(before), Some(after)) = (before, after) else {
                eprintln!("{}: too short for an answer, left out", file.display());
                continue;
            };
            heard += 1;
            changed += usize::from(best(&before) != best(&after));
            let moved = before
                .iter()
                .zip(&after)
                .map(|(a, b)| f64::from((a - b).abs()));
            apart = moved.fold(apart, f64::max);
        }
        ensure!(
            heard > 0,
            "no recording is long enough for an answer: give longer ones"
        );
        let share = 100.0 * changed as f64 / heard as f64;
        let close = share <= self.max_labels && apart <= self.max_probability;
        let text = if self.json {
            let report = json!({
                "recordings": heard,
                "changed_labels": changed,
                "changed_labels_percent": share,
                "largest_probability_difference": apart,
                "close": close,
            });
            format!("{report:#}\n")
        } else {
            format!(
                "{heard} recordings: another label for {changed} ({share:.2} %), largest difference of a probability {apart:.4}\n"
            )
        };
        print(&text)?;
        if !close {
            bail!(
                "{} answers otherwise than {}: at most {} % other labels and a difference of {} are allowed",
                self.candidate.display(),
                self.reference.display(),
                self.max_labels,
                self.max_probability
            );
        }
        Ok(())
    }
}

/// What `model` says of a whole recording, its channels averaged; `None` if it is too short.
fn answer(model: &Model, file: &Path) -> Result<Option<Vec<f32>>> {
    let metadata = model.metadata();
    let audio = read_file(file, &Limits::default())?;
    let mut samples = Vec::new();
    let mut resampler = Resampler::new(audio.sample_rate, metadata.frontend.sample_rate)
        .with_context(|| file.display().to_string())?;
    resampler.push(&audio.mono(), |block| samples.extend_from_slice(block));
    resampler.flush(|block| samples.extend_from_slice(block));
    let mut stream = model.stream()?;
    let mut rows = vec![0.0; metadata.rows()];
    let mut pushed = Ok(());
    Frontend::new(&metadata.frontend)?.push(&samples, |frame| {
        frame.write_rows(&metadata.features, &mut rows);
        if pushed.is_ok() {
            pushed = stream.push(&rows);
        }
    });
    pushed.with_context(|| file.display().to_string())?;
    let mut probabilities = vec![0.0; metadata.labels.len()];
    Ok(stream
        .probabilities(&mut probabilities)?
        .then_some(probabilities))
}

fn best(probabilities: &[f32]) -> Option<usize> {
    (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))
}
