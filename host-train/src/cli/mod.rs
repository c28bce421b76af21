//! The subcommands: one file each, with its arguments and what it does.

mod data;
mod output;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look at corpora on disk
    Data(data::Args),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Data(args) => args.run(),
        }
    }
}
