//! `undertone-train data report`: the corpora as a page to look at.

use std::path::{Path, PathBuf};

use undertone_train::report::data::{Options, report};

use crate::cli::output;

/// The model that is mapped when no other is named.
const MODEL: &str = "models/undertone-research.onnx";

/// One HTML file, which opens from disk and loads nothing. It holds short excerpts of the recordings to listen to: keep it
/// where the corpora may be, or leave them out with --silent.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folders that are a corpus or hold several
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// The page to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Model file whose view of the clips is mapped; models/undertone-research.onnx if it is there
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A clip to show besides the typical ones: a file's name without its ending, or corpus/name; may be repeated
    #[arg(long = "clip", value_name = "NAME")]
    clips: Vec<String>,
    /// Leave the sound out
    #[arg(long)]
    silent: bool,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let shipped = Path::new(MODEL);
        let model = self
            .model
            .or_else(|| shipped.is_file().then(|| shipped.to_owned()));
        let options = Options {
            model,
            clips: self.clips,
            silent: self.silent,
        };
        output::page(&self.output, &report(&self.folders, &options)?)
    }
}
