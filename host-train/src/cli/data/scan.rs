//! `undertone-train data scan`: what is there, against what was published.

use std::path::PathBuf;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use undertone_train::corpora::deep::{DeepReport, listen};
use undertone_train::corpora::{Clip, ScanReport, import};

use super::table;
use crate::cli::output;

/// Recognises RAVDESS, TESS, SAVEE and CREMA-D by their file names, in any published layout, as .wav, .flac, .mp3
/// or .ogg. Fails if a folder holds none of them.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folders that are a corpus or hold several
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Also decode every clip: durations, rates, silence, clipping, clips that sound the same
    #[arg(long)]
    deep: bool,
    /// Print one JSON document instead of tables
    #[arg(long)]
    json: bool,
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a ScanReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<&'a DeepReport>,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let import = import(&self.folders)?;
        let report = ScanReport::new(&import);
        let audio = self.deep.then(|| decode(&import.clips)).transpose()?;
        if self.json {
            output::json(&Document {
                report: &report,
                audio: audio.as_ref(),
            })
        } else {
            let mut text = table::report(&report);
            if let Some(audio) = &audio {
                text.push_str(&table::audio(audio, &report));
            }
            output::text(&text)
        }
    }
}

/// Decodes all clips behind a progress bar on stderr.
fn decode(clips: &[Clip]) -> anyhow::Result<DeepReport> {
    let style = ProgressStyle::with_template("decoding {wide_bar} {pos}/{len} clips, {eta} left")
        .context("progress bar")?;
    let bar = ProgressBar::new(clips.len() as u64).with_style(style);
    let report = listen(clips, || bar.inc(1));
    bar.finish_and_clear();
    Ok(report)
}
