//! Data to standard output.

use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::clean::escaped;
use crate::table;

/// Writes text; a reader that went away (`| head`) has had enough.
pub(crate) fn text(text: &str) -> Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to standard output"),
    }
}

/// A report, as JSON or as lines for people.
pub(crate) fn report(report: &Value, json: bool) -> Result<()> {
    if json {
        text(&escaped(&format!("{report:#}\n")))
    } else {
        text(&table::lines(report))
    }
}
