//! `undertone bundle verify`.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use undertone_slots::{Bundle, Version};

use super::{drain, open, public_key, summary};
use crate::{boards, print};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bundle
    bundle: PathBuf,
    /// The public key (.pub) that it must be signed with
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The board that it must be for
    #[arg(long, value_name = "NAME")]
    board: Option<String>,
    /// The minimum version that it must not be below
    #[arg(long, value_name = "VERSION", default_value = "0.0.0")]
    minimum_version: Version,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let outcome = self.verify();
        if let (true, Err(error)) = (self.json, &outcome) {
            print::report(&crate::failure::as_json(error), true)?;
        }
        outcome
    }

    fn verify(&self) -> Result<()> {
        if let Some(board) = &self.board {
            boards::must_know(board)?;
        }
        let keys = public_key(&self.key)?;
        let bundle = Bundle::open(open(&self.bundle)?, &keys)?;
        let manifest = bundle.manifest();
        let board = self.board.as_ref().or(manifest.boards.first());
        if let Some(board) = board {
            manifest.fits(board, &manifest.arch, self.minimum_version)?;
        }
        let signer = bundle.signer().map(str::to_owned);
        let manifest = drain(bundle, &self.bundle)?;
        let report = json!({
            "ok": true,
            "file": self.bundle.display().to_string(),
            "signed_by": signer,
            "manifest": summary(&manifest),
        });
        print::report(&report, self.json)
    }
}
