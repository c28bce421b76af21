//! Project commands: `cargo demo`, `cargo verify` (aliases in `.cargo/config.toml`), `cargo xtask package`,
//! `cargo xtask cross` and `cargo xtask instructions`.
//!
//! It depends on nothing that needs a system library, so that it builds on a machine with nothing but Rust, and
//! can then say what else is missing.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod command;
mod cross;
mod demo;
mod elf;
mod instructions;
mod package;
mod packages;
mod python;
mod steps;
mod verify;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Project commands of Undertone.
#[derive(Debug, Parser)]
enum Task {
    /// Build the daemon for another processor, and compare what it says with this machine's
    Cross(cross::Args),
    /// Build the daemon and show the events of a recording
    Demo(demo::Args),
    /// Count the instructions of a second of speech, and compare with the stored counts
    Instructions(instructions::Args),
    /// Make the Debian package of the daemon
    Package(package::Args),
    /// Run every check of the project
    Verify(verify::Args),
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Cross(args) => cross::run(&args),
        Task::Demo(args) => demo::run(&args),
        Task::Instructions(args) => instructions::run(&args),
        Task::Package(args) => package::run(&args),
        Task::Verify(args) => verify::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            match error.downcast_ref::<cross::Unavailable>() {
                Some(_) => ExitCode::from(cross::Unavailable::EXIT),
                None => ExitCode::FAILURE,
            }
        }
    }
}
