//! `undertone model`: model files.

mod compare;
mod file;
mod inspect;
mod verify;

use anyhow::Result;
use clap::Subcommand;

pub(crate) use file::{load_or_default, read_or_default};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a model file as the daemon does, and print everything it says about itself
    Inspect(inspect::Args),
    /// Check model files as the daemon does; fails if one is refused
    Verify(verify::Args),
    /// Measure how far two models' answers lie apart on recordings; fails if too far
    Compare(compare::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Self::Inspect(args) => args.run(),
            Self::Verify(args) => args.run(),
            Self::Compare(args) => args.run(),
        }
    }
}
