//! `undertone bundle inspect`.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use undertone_slots::Bundle;

use super::{drain, open, summary};
use crate::print;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The bundle
    bundle: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let bundle = Bundle::open_unverified(open(&self.bundle)?)?;
        let signer = bundle.signer().map(str::to_owned);
        let manifest = bundle.manifest().clone();
        let found = drain(bundle, &self.bundle);
        let content = match &found {
            Ok(_) => "as the manifest says".to_owned(),
            Err(error) => format!("damaged: {error:#}"),
        };
        let report = json!({
            "ok": found.is_ok(),
            "file": self.bundle.display().to_string(),
            "claims_to_be_signed_by": signer,
            "signature": if signer.is_some() { "not checked here: undertone bundle verify --key KEY.pub" } else { "none" },
            "content": content,
            "manifest": summary(&manifest),
        });
        print::report(&report, self.json)?;
        // What it says about itself was shown; whoever asks by the exit code must not take it for whole.
        found.map(|_| ())
    }
}
