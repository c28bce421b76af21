//! Tools for those who install, watch and repair Undertone boxes: one subcommand per file.
//!
//! Data goes to standard output, talk to standard error; `--json` wherever a script may look.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod analyze;
mod bench;
mod boards;
mod broker;
mod bundle;
mod clock;
mod configuration;
mod deploy;
mod devices;
mod doctor;
mod failure;
mod flash;
mod fleet;
mod model;
mod monitor;
mod notice;
mod on_box;
mod place;
mod print;
mod remote;
mod report;
mod shell;
mod table;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

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
    /// Make, sign and check bundles of what runs on a box
    #[command(subcommand)]
    Bundle(bundle::Command),
    /// Install a bundle on a box over ssh; it is kept when it is well, else the old one comes back
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

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage::tell(&error, &Cli::command()),
    };
    let result = match cli.command {
        Command::Analyze(args) => args.run(),
        Command::Bench(args) => args.run(),
        Command::Model(command) => command.run(),
        Command::Notice(args) => args.run(),
        Command::Bundle(command) => command.run(),
        Command::Deploy(args) => args.run(),
        Command::Rollback(args) => args.run(),
        Command::Status(args) => args.run(),
        Command::Doctor(args) => match args.run() {
            Ok(code) => return code,
            Err(error) => Err(error),
        },
        Command::Devices(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Flash(args) => args.run(),
        Command::Fleet(command) => command.run(),
        Command::Monitor(args) => args.run(),
        Command::Completions(args) => args.run(),
        Command::Man(args) => args.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint!("{}", failure::shown(&error));
            ExitCode::FAILURE
        }
    }
}
