//! Tools for those who install, watch and repair Undertone boxes: one subcommand per file.
//!
//! Data goes to standard output, talk to standard error; `--json` wherever a script may look.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod analyze;
mod bench;
mod clock;
mod model;
mod notice;
mod table;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tools for Undertone boxes.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Analyse recordings on all cores, into rows about utterances
    Analyze(Box<analyze::Args>),
    /// Measure what analysis costs on this machine, and what others cost beside it
    Bench(bench::Args),
    /// Look at model files
    #[command(subcommand)]
    Model(model::Command),
    /// Print the notice that has to be shown to those who are listened to
    Notice(notice::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Analyze(args) => args.run(),
        Command::Bench(args) => args.run(),
        Command::Model(command) => command.run(),
        Command::Notice(args) => args.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
