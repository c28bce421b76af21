//! Where rows go to.

use std::fs::{File, OpenOptions};
use std::io::{self, Stdout, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::line::Run;

/// Rows as they are finished; those of one recording in one piece.
pub(super) enum Journal {
    Stdout(Stdout),
    File(File),
}

impl Journal {
    /// To standard output.
    pub(super) fn stdout(run: &Run) -> Result<Self> {
        let mut journal = Journal::Stdout(io::stdout());
        match journal.begin(run)? {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot write to standard output")
            }
            _ => Ok(journal),
        }
    }

    /// To a file that is not there yet.
    pub(super) fn create(path: &Path, run: &Run) -> Result<Self> {
        let cannot = || {
            format!(
                "cannot create {}; check that its folder exists and may be written to",
                path.display()
            )
        };
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .with_context(cannot)?;
        let mut journal = Journal::File(file);
        journal.begin(run)?.with_context(cannot)?;
        Ok(journal)
    }

    /// Behind the rows of a file that [`prepare`](super::resume::prepare) has looked at.
    pub(super) fn append(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().append(true).open(path);
        Ok(Journal::File(file.with_context(|| {
            format!("cannot write to {}", path.display())
        })?))
    }

    fn begin(&mut self, run: &Run) -> Result<io::Result<()>> {
        let mut line = serde_json::to_vec(run)?;
        line.push(b'\n');
        Ok(self.write(&line))
    }

    /// Writes whole rows.
    pub(super) fn write(&mut self, rows: &[u8]) -> io::Result<()> {
        match self {
            Journal::Stdout(out) => out.write_all(rows).and_then(|()| out.flush()),
            Journal::File(file) => file.write_all(rows),
        }
    }
}
