//! Writing data to stdout.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

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

/// Writes a page to a file, whole or not at all, and says so.
pub(crate) fn page(file: &Path, html: &str) -> anyhow::Result<()> {
    undertone_page::may_be_written(file)?;
    undertone_page::write(file, html).with_context(|| {
        format!(
            "cannot write {}: name a file in a folder that can be written to",
            file.display()
        )
    })?;
    eprintln!("{}: {:.1} MB", file.display(), html.len() as f64 / 1e6);
    Ok(())
}
