//! Writing data to stdout.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;
use serde::Serialize;
use undertone_train::training::checkpoint::EpochFigures;

/// Says on stderr how an epoch (from 1) went.
pub(crate) fn epoch(number: usize, figures: &EpochFigures) {
    let corpora: Vec<String> = figures
        .corpora
        .iter()
        .map(|(corpus, score)| format!("{corpus} {:.1}", 100.0 * score))
        .collect();
    eprintln!(
        "epoch {number}: loss {:.4}, validation UA {:.1} ({}), {:.0} s",
        figures.loss,
        100.0 * figures.score,
        corpora.join(", "),
        figures.seconds
    );
}

/// Writes `text` to stdout; a reader that went away (`| head`) is no error.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome.context("cannot write to stdout"),
    }
}

/// Writes `value` to stdout as one JSON document.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut document = serde_json::to_string_pretty(value).context("cannot write JSON")?;
    document.push('\n');
    text(&document)
}
