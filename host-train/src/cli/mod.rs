//! The subcommands: one file each, with its arguments and what it does.

mod data;
mod evaluate;
mod export;
mod output;
mod train;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look at corpora on disk
    Data(data::Args),
    /// Train a network; resumes what the run folder holds
    Train(train::TrainArgs),
    /// Write the best epoch of a run as one ONNX file
    Export(export::ExportArgs),
    /// Score a model file on speakers that it never heard
    Evaluate(evaluate::EvaluateArgs),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Data(args) => args.run(),
            Self::Train(args) => args.run(),
            Self::Export(args) => args.run(),
            Self::Evaluate(args) => args.run(),
        }
    }
}
