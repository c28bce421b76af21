//! The checks, one function each.

use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::verify::Args;
use crate::{command, instructions, python, workspace};

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed,
    /// Not run, and why.
    Skipped(String),
}

impl From<bool> for Outcome {
    fn from(success: bool) -> Self {
        if success { Self::Passed } else { Self::Failed }
    }
}

/// A check, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// cargo fmt --check
    Fmt,
    /// clippy without warnings
    Clippy,
    /// Documentation without warnings
    Doc,
    /// The wire crate links without std and alloc
    NoStd,
    /// Every test
    Test,
    /// No more instructions than the stored counts
    Instructions,
    /// Licences, bans and sources of the dependencies
    Deny,
    /// Known vulnerabilities of the dependencies
    Advisories,
}

impl Step {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::NoStd => "no-std",
            Self::Test => "test",
            Self::Instructions => "instructions",
            Self::Deny => "deny",
            Self::Advisories => "advisories",
        }
    }

    pub(crate) fn run(self, args: &Args) -> Result<Outcome> {
        match self {
            Self::Fmt => cargo(&["fmt", "--all", "--check"]),
            Self::Clippy => cargo(&[
                "clippy",
                "--release",
                "--workspace",
                "--all-targets",
                "--",
                "--deny",
                "warnings",
            ]),
            Self::Doc => doc(),
            Self::NoStd => no_std(),
            Self::Test => test(args),
            Self::Instructions => instructions(),
            Self::Deny => deny(args),
            Self::Advisories => advisories(),
        }
    }
}

fn cargo(words: &[&str]) -> Result<Outcome> {
    command::succeeds(workspace::cargo().args(words)).map(Outcome::from)
}

fn doc() -> Result<Outcome> {
    let mut cargo = workspace::cargo();
    cargo.env("RUSTDOCFLAGS", "--deny warnings").args([
        "doc",
        "--release",
        "--workspace",
        "--no-deps",
    ]);
    command::succeeds(&mut cargo).map(Outcome::from)
}

/// Linking a static library with a panic handler of its own fails when anything brings std or asks for an allocator.
fn no_std() -> Result<Outcome> {
    let crate_words = [
        "rustc",
        "--release",
        "--package",
        "undertone-wire",
        "--crate-type",
        "staticlib",
    ];
    let compiler_words = ["--", "--cfg", "undertone_bare", "-C", "panic=abort"];
    cargo(&[&crate_words[..], &compiler_words].concat())
}

fn test(args: &Args) -> Result<Outcome> {
    let mut cargo = workspace::cargo();
    cargo.args(["test", "--release", "--workspace"]);
    cargo.env("UNDERTONE_DAEMON_BUILT", "1");
    if !args.no_rig {
        // A missing part of the rig is a failure then, not a skipped test.
        cargo.env("UNDERTONE_REQUIRE_RIG", "1");
    }
    match python::interpreter() {
        Ok(python) => {
            cargo.env(python::VARIABLE, python);
        }
        Err(reason) => eprintln!("The comparisons with Python are skipped: {reason}."),
    }
    command::succeeds(&mut cargo).map(Outcome::from)
}

fn instructions() -> Result<Outcome> {
    Ok(match instructions::hold()? {
        Ok(holds) => holds.into(),
        Err(reason) => Outcome::Skipped(reason),
    })
}

fn deny(args: &Args) -> Result<Outcome> {
    if !command::exists("cargo-deny") {
        if !args.install_deny {
            return Ok(Outcome::Skipped(
                "cargo-deny is not installed; --install-deny does it".into(),
            ));
        }
        if !command::succeeds(workspace::cargo().args(["install", "--locked", "cargo-deny"]))? {
            return Ok(Outcome::Failed);
        }
    }
    cargo(&["deny", "check", "licenses", "bans", "sources"])
}

fn advisories() -> Result<Outcome> {
    if !command::exists("cargo-deny") {
        return Ok(Outcome::Skipped("cargo-deny is not installed".into()));
    }
    let mut fetch = Command::new("timeout");
    fetch
        .current_dir(workspace::root())
        .args(["120", "cargo-deny", "fetch", "db"]);
    if !command::succeeds_quietly(&mut fetch) {
        return Ok(Outcome::Skipped(
            "the advisory database cannot be reached".into(),
        ));
    }
    cargo(&["deny", "check", "--disable-fetch", "advisories"])
}
