//! `undertone-train data`: corpora on disk.

mod report;
mod scan;
mod table;

use clap::Subcommand;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Count the clips of every corpus found and compare them with the published release
    Scan(scan::Args),
    /// Write a page about corpora: who speaks, how much of what, how it sounds, what is odd
    Report(report::Args),
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Scan(args) => args.run(),
            Command::Report(args) => args.run(),
        }
    }
}
