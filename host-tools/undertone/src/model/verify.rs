//! `undertone model verify`: whether the daemon would take files, for scripts.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};

use super::file::load;
use crate::failure::Failure;
use crate::print;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model files (.onnx)
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let rows: Vec<Value> = self
            .files
            .iter()
            .map(|file| match load(file) {
                Ok(model) => {
                    json!({ "file": file.display().to_string(), "ok": true, "hash": model.metadata().content_hash })
                }
                Err(error) => {
                    json!({ "file": file.display().to_string(), "ok": false, "reason": format!("{error:#}") })
                }
            })
            .collect();
        if self.json {
            print::text(&format!("{:#}\n", Value::Array(rows.clone())))?;
        } else {
            let line = |row: &Value| match row["hash"].as_str() {
                Some(hash) => format!(
                    "ok       {}  {hash}\n",
                    row["file"].as_str().unwrap_or_default()
                ),
                None => format!("refused  {}\n", row["reason"].as_str().unwrap_or_default()),
            };
            print::text(&rows.iter().map(line).collect::<String>())?;
        }
        let refused = rows.iter().filter(|row| row["ok"] == false).count();
        if refused > 0 {
            return Err(Failure::error(
                "bad-model",
                format!("{refused} of {} files would not be run", rows.len()),
                "take files that undertone-train exported, of this version",
            ));
        }
        Ok(())
    }
}
