//! `undertone model inspect`: what a model file is, and whether the daemon would take it.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use undertone_model::{MAX_FILE_BYTES, Model};

use crate::table;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file (.onnx)
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let bytes = read(&self.file)?;
        let model = Model::from_bytes(&bytes)
            .with_context(|| format!("{} is refused", self.file.display()))?;
        // By way of text, which writes a 32-bit number as short as it was meant.
        let metadata: Value = serde_json::from_str(&serde_json::to_string(model.metadata())?)?;
        let report = json!({
            "file": self.file.display().to_string(),
            "bytes": bytes.len(),
            "metadata": metadata,
        });
        let text = if self.json {
            format!("{report:#}\n")
        } else {
            table::lines(&report)
        };
        match std::io::stdout().write_all(text.as_bytes()) {
            // A reader that went away (`| head`) has had enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome.context("cannot write to standard output"),
        }
    }
}

/// Reads what `Model::from_bytes` may look at, and one byte more, so that it can tell a file that is too large.
fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}
