//! `undertone model`: model files.

mod inspect;

use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a model file as the daemon does, and print everything it says about itself
    Inspect(inspect::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Inspect(args) => args.run(),
        }
    }
}
