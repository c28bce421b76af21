//! Tools for those who install, watch and repair Undertone boxes: one subcommand per file.
//!
//! Data goes to standard output, talk to standard error; `--json` wherever a script may look.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod analyze;
mod bench;
mod boards;
mod broker;
mod bundle;
mod clean;
mod cli;
mod clock;
mod configuration;
mod deploy;
mod devices;
mod digest;
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
mod text;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use cli::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage::tell(&error, &Cli::command()),
    };
    match cli.command.run() {
        Ok(code) => code,
        Err(error) => {
            eprint!("{}", failure::shown(&error));
            ExitCode::FAILURE
        }
    }
}
