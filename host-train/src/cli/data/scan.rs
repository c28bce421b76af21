//! `undertone-train data scan`: what is there, against what was published.

use std::path::PathBuf;

use undertone_train::corpora::{ScanReport, import};

use super::table;
use crate::cli::output;

/// Recognises RAVDESS, TESS, SAVEE and CREMA-D by their file names, in any published layout, as .wav, .flac, .mp3
/// or .ogg. Fails if a folder holds none of them.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folders that are a corpus or hold several
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Print one JSON document instead of tables
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let import = import(&self.folders)?;
        let report = ScanReport::new(&import);
        if self.json {
            output::json(&report)
        } else {
            output::text(&table::report(&report))
        }
    }
}
