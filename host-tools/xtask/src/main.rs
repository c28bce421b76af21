//! Project commands: `cargo demo`, `cargo verify` (aliases in `.cargo/config.toml`) and `cargo xtask package`.
//!
//! It depends on nothing that needs a system library, so that it builds on a machine with nothing but Rust, and
//! can then say what else is missing.

mod command;
mod demo;
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
    /// Build the daemon and show the events of a recording
    Demo(demo::Args),
    /// Make the Debian package of the daemon
    Package(package::Args),
    /// Run every check of the project
    Verify(verify::Args),
}

fn main() -> ExitCode {
    let result = match Task::parse() {
        Task::Demo(args) => demo::run(&args),
        Task::Package(args) => package::run(&args),
        Task::Verify(args) => verify::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
