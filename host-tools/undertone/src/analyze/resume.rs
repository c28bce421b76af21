//! Going on with rows that an earlier run began: what is complete stays, all else is done again.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::line::{Head, Run};
use crate::failure::Failure;
use crate::place;

/// Leaves in the file only the rows of recordings that are complete, and returns these. Rows of recordings that failed
/// or were cut short go, and so does a torn line.
///
/// # Errors
/// A file that an analysis with other settings made, or that no analysis made.
pub(super) fn prepare(path: &Path, run: &Run) -> Result<HashSet<String>> {
    let place = path.display();
    let cannot = || format!("cannot go on with {place}");
    let mut complete = HashSet::new();
    let mut first = true;
    for_each_row(path, |line, head| {
        if std::mem::take(&mut first) {
            same_settings(line, run)?;
        }
        if let Some(Head {
            kind,
            file: Some(file),
        }) = head
            && kind == "file"
        {
            complete.insert(file);
        }
        Ok(())
    })
    .with_context(cannot)?;
    if first {
        return Err(cannot_resume(format!("{place} is empty")));
    }

    // In its place once it is whole; who may read the rows stays as it is.
    let kept = tempfile::NamedTempFile::new_in(place::folder_of(path))
        .map_err(|error| place::refused(path, &error))?;
    let mode = File::open(path)?.metadata()?.permissions();
    kept.as_file().set_permissions(mode).with_context(cannot)?;
    let (mut dropped, mut torn) = (0, 0);
    let mut out = BufWriter::new(kept);
    for_each_row(path, |line, head| {
        let Some(head) = head else {
            torn += 1;
            return Ok(());
        };
        if head.kind == "run"
            || head
                .file
                .is_some_and(|file| complete.contains(&file) && head.kind != "error")
        {
            out.write_all(line)?;
        } else {
            dropped += 1;
        }
        Ok(())
    })
    .with_context(cannot)?;
    let kept = out.into_inner().context("cannot write")?;
    kept.as_file().sync_all().with_context(cannot)?;
    kept.persist(path)
        .map_err(|error| error.error)
        .with_context(cannot)?;
    if dropped + torn > 0 {
        eprintln!(
            "{place}: {dropped} row(s) of recordings that are not complete, and {torn} torn one(s), are left out"
        );
    }
    Ok(complete)
}

/// Every line with its end, and what it is about; `None` for a line that is torn.
fn for_each_row(
    path: &Path,
    mut take: impl FnMut(&[u8], Option<Head>) -> Result<()>,
) -> Result<()> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let head = if line.ends_with(b"\n") {
            serde_json::from_slice(&line).ok()
        } else {
            None
        };
        take(&line, head)?;
        line.clear();
    }
    Ok(())
}

fn same_settings(line: &[u8], run: &Run) -> Result<()> {
    let before: Run = serde_json::from_slice(line).map_err(|_| {
        cannot_resume("its first line is not the one that undertone analyze writes".into())
    })?;
    let differs = [
        (
            "--model",
            before.model != run.model || before.labels != run.labels,
        ),
        ("--roles", before.roles != run.roles),
        ("--channels", before.channels != run.channels),
        ("--updates", before.updates != run.updates),
        (
            "--purpose, --subjects or --legal-basis",
            before.deployment != run.deployment,
        ),
    ];
    let names: Vec<&str> = differs
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| *name)
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(cannot_resume(format!(
        "it was begun with another {}",
        names.join(" and ")
    )))
}

fn cannot_resume(cause: String) -> anyhow::Error {
    let next = "give the same settings as before, or name another file with --output";
    Failure::error("cannot-resume", cause, next)
}
