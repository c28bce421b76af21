//! The subcommands: one file each, with its arguments and what it does.

mod adapt;
mod augment;
mod data;
mod evaluate;
mod export;
mod model;
mod output;
mod picture;
mod protocol;
mod recipe;
mod report;
mod train;

use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look at corpora on disk
    Data(data::Args),
    /// Train a network; resumes what the run folder holds
    Train(train::TrainArgs),
    /// Fit a model file to the voices of one site, from a few labelled clips
    Adapt(adapt::AdaptArgs),
    /// Hear and see what training changes about a clip
    Augment(augment::AugmentArgs),
    /// Write the best epoch of a run as one ONNX file
    Export(export::ExportArgs),
    /// Score a model file, or whole protocols, on speakers that were never heard
    Evaluate(evaluate::EvaluateArgs),
    /// Write a page about a run or a model: what it can do for strangers, and what it costs
    Report(report::ReportArgs),
}

impl Command {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Data(args) => args.run(),
            Self::Train(args) => args.run(),
            Self::Adapt(args) => args.run(),
            Self::Augment(args) => args.run(),
            Self::Export(args) => args.run(),
            Self::Evaluate(args) => args.run(),
            Self::Report(args) => args.run(),
        }
    }
}
