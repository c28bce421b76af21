//! The command line: which subcommands there are, and what runs each.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{
    analyze, bench, bundle, deploy, devices, doctor, flash, fleet, model, monitor, notice, report,
    shell,
};

/// Tools for Undertone boxes.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Analyse recordings on all cores, into rows about utterances
    Analyze(Box<analyze::Args>),
    /// Measure what analysis costs on this machine, and what others cost beside it
    Bench(bench::Args),
    /// Look at model files
    #[command(subcommand)]
    Model(model::Command),
    /// Print the notice that has to be shown to those who are listened to
    Notice(notice::Args),
    /// Make, sign and check bundles of what runs on a box
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Install a bundle on a box over ssh; it is kept if healthy, otherwise the previous version returns
    Deploy(deploy::Deploy),
    /// Take a box back, over ssh, to what ran before
    Rollback(deploy::Rollback),
    /// Show what runs on a box, over ssh
    Status(deploy::Status),
    /// Look at everything that keeps a box from listening, here or over ssh, and say what to do about it
    Doctor(doctor::Args),
    /// List microphones and serial ports of a box, here or over ssh, and what blocks them
    Devices(devices::Args),
    /// Pack what support needs to know of a box into one zip, without secrets and without audio
    Report(report::Args),
    /// Write an image of Raspberry Pi OS to a card or a file, set up for its first boot
    Flash(flash::Args),
    /// Many boxes at once
    #[command(subcommand)]
    Fleet(fleet::Command),
    /// Show what boxes hear and how they are, live
    Monitor(monitor::Args),
    /// Print completions for a shell
    Completions(shell::Completions),
    /// Print manual pages, or write them to a folder
    Man(shell::Man),
}

impl Command {
    /// Runs it; `doctor` alone has an exit code of its own.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self {
            Self::Analyze(args) => args.run(),
            Self::Bench(args) => args.run(),
            Self::Model(command) => command.run(),
            Self::Notice(args) => args.run(),
            Self::Bundle(command) => command.run(),
            Self::Deploy(args) => args.run(),
            Self::Rollback(args) => args.run(),
            Self::Status(args) => args.run(),
            Self::Doctor(args) => return args.run(),
            Self::Devices(args) => args.run(),
            Self::Report(args) => args.run(),
            Self::Flash(args) => args.run(),
            Self::Fleet(command) => command.run(),
            Self::Monitor(args) => args.run(),
            Self::Completions(args) => args.run(),
            Self::Man(args) => args.run(),
        }
        .map(|()| ExitCode::SUCCESS)
    }
}
