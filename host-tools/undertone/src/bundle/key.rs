//! `undertone bundle key`.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use minisign::KeyPair;
use serde_json::json;

use crate::failure::Failure;
use crate::{place, print};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Writes NAME.key (secret, to stay with you) and NAME.pub (for the boxes)
    #[arg(long, short, value_name = "NAME")]
    output: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let pair = KeyPair::generate_unencrypted_keypair().context("cannot make keys")?;
        let secret = pair.sk.to_box(Some("undertone secret key, not encrypted"));
        let secret = secret.context("cannot make keys")?.into_string();
        let public = pair.pk.to_box().context("cannot make keys")?.into_string();
        let (key, public_key) = (with(&self.output, ".key"), with(&self.output, ".pub"));
        for path in [&key, &public_key] {
            place::must_take(path)?;
            if path.symlink_metadata().is_ok() {
                return Err(cannot_make(
                    path,
                    &"it exists, and a key is never written over",
                ));
            }
        }
        write_new(&key, 0o600, &secret)?;
        if let Err(error) = write_new(&public_key, 0o644, &public) {
            // A secret key alone is of no use, and would be in the way of the next try.
            let _ = std::fs::remove_file(&key);
            return Err(error);
        }
        eprintln!(
            "The secret key is not encrypted: keep it where only you can read it, or make one with `minisign -G`, which asks for a password."
        );
        let report = json!({
            "secret": key.display().to_string(),
            "public": public_key.display().to_string(),
        });
        print::report(&report, self.json)
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn cannot_make(path: &Path, reason: &dyn std::fmt::Display) -> anyhow::Error {
    Failure::error(
        "cannot-write",
        format!("cannot make {}: {reason}", path.display()),
        "choose another name with --output",
    )
}

/// A key that exists is never written over.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = file.map_err(|error| cannot_make(path, &error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            let _ = std::fs::remove_file(path);
            place::refused(path, &error)
        })
}
