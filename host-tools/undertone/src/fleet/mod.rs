//! `undertone fleet`: what concerns many boxes at once.

mod chance;
mod counts;
mod course;
mod histogram;
mod limits;
mod listener;
mod process;
mod report;
mod simulate;
mod slot;
mod speaker;
mod swarm;

use anyhow::Result;

/// Many boxes at once
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Load a real broker with virtual boxes, and measure what arrives, when, and at what cost
    Simulate(simulate::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<()> {
        match self {
            Command::Simulate(args) => args.run(),
        }
    }
}
