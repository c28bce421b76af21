//! `undertone model inspect`: what a model file is, and whether the daemon would take it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use undertone_model::Model;

use super::file::read;
use crate::print;
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
        print::text(&text)
    }
}
