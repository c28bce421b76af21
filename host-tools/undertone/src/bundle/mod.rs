//! `undertone bundle`: signed bundles of daemon, model, configuration and unit. The format: docs/bundle-format.md.

mod create;
mod inspect;
mod key;
mod program;
mod sign;
mod unit;
mod verify;

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};
use undertone_slots::{Bundle, Manifest, TrustedKeys};

use crate::failure::Failure;
use crate::text;

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
        Ok(_) => Err(refuse("it is not a regular file".into())),
        Err(error) => Err(refuse(error.to_string())),
    }
}

/// A public key to check with.
pub(crate) fn public_key(path: &Path) -> Result<TrustedKeys> {
    let text = key_text(path)?;
    if kind_of_key(&text) == Some(KeyKind::Secret) {
        return Err(Failure::error(
            "bad-key",
            format!(
                "{} is a secret key, and bundles are checked with the public one",
                path.display()
            ),
            format!(
                "--key {}; and keep the secret key where only you can read it",
                beside(path, "pub")
            ),
        ));
    }
    Ok(TrustedKeys::from_file(path)?)
}

/// The two halves of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Public,
    Secret,
}

/// Which half a key of minisign is, by its length: 42 bytes if it is public and 158 if it is secret, encrypted or not.
fn kind_of_key(text: &str) -> Option<KeyKind> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let key = lines.find(|line| !line.starts_with("untrusted comment:"))?;
    // All begin with `Ed`, in base64.
    match key.len() {
        _ if !key.starts_with("RW") => None,
        56 => Some(KeyKind::Public),
        212 => Some(KeyKind::Secret),
        _ => None,
    }
}

/// The text of a key file.
fn key_text(path: &Path) -> Result<String> {
    text::bounded(open(path)?, 16 * 1024).map_err(|error| {
        Failure::error(
            "bad-key",
            format!("{} is not a key: {error}", path.display()),
            "undertone bundle key --output site (or minisign -G) makes a pair of keys",
        )
    })
}

/// The other key of a pair, as `undertone bundle key` calls it.
fn beside(path: &Path, end: &str) -> String {
    path.with_extension(end).display().to_string()
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
