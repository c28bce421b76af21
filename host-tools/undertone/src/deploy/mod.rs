//! `undertone deploy`, `rollback` and `status`: the slots of a box, over the system's ssh.
//!
//! The box does the work (`undertoned slot`): it checks the bundle, switches, watches and goes back by itself, also when
//! the connection breaks in the middle. Here is only what brings the bundle there and tells what became of it.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use undertone_slots::{Bundle, Manifest, Version};

use crate::clean::clean;
use crate::failure::Failure;
use crate::remote::{Connection, Remote, UNREACHABLE};
use crate::{bundle, print};

/// What the bundle is called on its way.
const NAME: &str = "bundle.utb";

#[derive(Debug, clap::Args)]
pub(crate) struct Deploy {
    /// The box, as ssh knows it: user@host, or a name of ~/.ssh/config
    target: String,
    /// A signed bundle (.utb)
    bundle: PathBuf,
    /// Check it with this public key (.pub) before it is sent
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Let the box check everything, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// The box, as ssh knows it
    target: String,
    /// Go back to the program that the box's package installed
    #[arg(long)]
    packaged: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// The box, as ssh knows it
    target: String,
    #[command(flatten)]
    connection: Connection,
}

impl Deploy {
    pub(crate) fn run(&self) -> Result<()> {
        let manifest = self.check_here()?;
        let remote = Remote::new(&self.target, &self.connection);
        let status = remote.slot(&["status"])?;
        refuse_early(&manifest, &status)?;
        eprintln!(
            "{}: board {}, runs {}",
            self.target,
            clean(text(&status, "board")),
            clean(&describe(&status))
        );
        let folder = remote.make_folder()?;
        let there = format!("{folder}/{NAME}");
        let outcome = remote.upload(&self.bundle, &folder, NAME).and_then(|()| {
            eprintln!("version {} is there; the box checks it", manifest.version);
            if self.dry_run {
                return remote.slot(&["install", "--dry-run", &there]);
            }
            remote
                .slot(&["install", &there])
                .or_else(|error| self.after_a_break(&remote, &manifest, &status, error))
        });
        // The box has its own copy by now; a connection that is gone leaves a file in its /tmp.
        let _ = remote.run(&["rm", "-rf", "--", &folder]);
        print::report(&outcome?, self.connection.json)
    }

    /// The bundle is read to its end before anything is sent.
    fn check_here(&self) -> Result<Manifest> {
        let source = bundle::open(&self.bundle)?;
        let opened = match &self.key {
            Some(key) => Bundle::open(source, &bundle::public_key(key)?)?,
            None => Bundle::open_unverified(source)?,
        };
        if opened.signature().is_empty() {
            return Err(undertone_slots::SlotsError::Unsigned.into());
        }
        bundle::drain(opened, &self.bundle)
    }

    /// Where the connection broke while the box installed, it has gone on by itself: ask it what became of it.
    /// `before` is what it said before that.
    fn after_a_break(
        &self,
        remote: &Remote<'_>,
        manifest: &Manifest,
        before: &Value,
        error: anyhow::Error,
    ) -> Result<Value> {
        let broke = error
            .downcast_ref::<Failure>()
            .is_some_and(|failure| failure.code == UNREACHABLE);
        if !broke {
            return Err(error);
        }
        eprintln!("the connection broke; asking the box what became of it");
        let status = remote
            .slot(&["status"])
            .context("the box went on by itself, and cannot be asked now")?;
        if !status["trial"].is_null() {
            return Err(Failure::error(
                "trial-pending",
                format!(
                    "the connection broke, and {} is still trying version {}",
                    self.target, manifest.version
                ),
                format!("undertone status {}", self.target),
            ));
        }
        // The same version may have been committed before; a new one is always in the other slot.
        let last = &status["last"];
        if status["current"] != before["current"]
            && last["version"] == json!(manifest.version)
            && last["ending"] == "committed"
        {
            return Ok(json!({"ok": true, "trial": "committed", "version": manifest.version}));
        }
        Err(error)
    }
}

impl Rollback {
    pub(crate) fn run(&self) -> Result<()> {
        let remote = Remote::new(&self.target, &self.connection);
        let words: &[&str] = if self.packaged {
            &["rollback", "--packaged"]
        } else {
            &["rollback"]
        };
        print::report(&remote.slot(words)?, self.connection.json)
    }
}

impl Status {
    pub(crate) fn run(&self) -> Result<()> {
        let remote = Remote::new(&self.target, &self.connection);
        print::report(&remote.slot(&["status"])?, self.connection.json)
    }
}

/// What the box would refuse anyway need not travel.
fn refuse_early(manifest: &Manifest, status: &Value) -> Result<()> {
    let floor: Version = text(status, "floor").parse().unwrap_or_default();
    manifest.fits(text(status, "board"), text(status, "arch"), floor)?;
    Ok(())
}

fn text<'a>(report: &'a Value, field: &str) -> &'a str {
    report[field].as_str().unwrap_or("unknown")
}

fn describe(status: &Value) -> String {
    match status["current"].as_str() {
        Some(slot) => format!(
            "slot {slot} with version {}",
            text(&status[slot], "version")
        ),
        None => "the packaged program".to_owned(),
    }
}
