//! `undertone bundle`: signed bundles of daemon, model, configuration and unit. The format: docs/bundle-format.md.

mod create;
mod inspect;
mod key;
mod program;
mod sign;
mod verify;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use undertone_slots::{Bundle, Manifest};

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a pair of keys for signing, readable by minisign too
    Key(key::Args),
    /// Put a daemon, and what else belongs to it, into one file
    Create(create::Args),
    /// Sign a bundle
    Sign(sign::Args),
    /// Check signature and content to the last byte; fails if a box would refuse it
    Verify(verify::Args),
    /// Show what a bundle says about itself, trusted or not
    Inspect(inspect::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Key(args) => args.run(),
            Self::Create(args) => args.run(),
            Self::Sign(args) => args.run(),
            Self::Verify(args) => args.run(),
            Self::Inspect(args) => args.run(),
        }
    }
}

/// Opens a regular file to read.
pub(crate) fn open(path: &Path) -> Result<BufReader<File>> {
    let refuse = |reason: String| {
        Failure::error(
            "cannot-read",
            format!("cannot read {}: {reason}", path.display()),
            format!("ls -l {}", path.display()),
        )
    };
    let file = File::open(path).map_err(|error| refuse(error.to_string()))?;
    match file.metadata() {
        Ok(about) if about.is_file() => Ok(BufReader::with_capacity(256 * 1024, file)),
        Ok(_) => Err(refuse("it is no regular file".into())),
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// Reads all files of a bundle and checks their hashes.
pub(crate) fn drain(bundle: Bundle<BufReader<File>>, path: &Path) -> Result<Manifest> {
    let manifest = bundle.files(|_, content| {
        io::copy(content, &mut io::sink())
            .map(|_| ())
            .map_err(|reason| undertone_slots::SlotsError::Io {
                action: "read",
                path: path.to_owned(),
                reason,
            })
    })?;
    Ok(manifest)
}

/// A manifest as a report.
fn summary(manifest: &Manifest) -> Value {
    let files: Vec<Value> = manifest
        .files
        .iter()
        .map(|file| {
            json!({"kind": file.kind, "name": file.kind.file_name(), "bytes": file.bytes, "sha256": file.sha256})
        })
        .collect();
    json!({
        "version": manifest.version,
        "minimum_version": manifest.minimum_version,
        "arch": manifest.arch,
        "boards": manifest.boards,
        "files": files,
    })
}
