//! `cargo xtask cross`: the daemon for another processor, without Docker, and proof that it says what this machine's does.

mod agree;
mod apt;
mod kit;
mod target;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::elf::Elf;
use crate::{command, workspace};
use agree::TOLERANCE;
pub(crate) use apt::Unavailable;
use kit::Kit;
pub(crate) use target::Target;

/// Recordings that both daemons listen to; their voices are synthetic.
const CLIPS: [&str; 2] = ["models/demo/speech.wav", "tests/assets/speech.wav"];

/// Libraries with arithmetic of their own for each processor.
const ARITHMETIC: [&str; 2] = ["undertone-dsp", "undertone-model"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Processor to build for
    #[arg(value_enum)]
    target: Target,
    /// How it is built: dist goes onto a box, release is built sooner
    #[arg(long, value_name = "PROFILE", default_value = "dist", value_parser = ["dist", "release"])]
    profile: String,
    /// Folder for compiler, libraries and build outputs [default: undertone-cross in the user's cache]
    #[arg(long, value_name = "FOLDER", env = "UNDERTONE_CROSS")]
    folder: Option<PathBuf>,
    /// How many things to compile at once [default: as many as there are cores]
    #[arg(long, short, value_name = "NUMBER")]
    jobs: Option<u32>,
    /// Only build; run nothing under emulation
    #[arg(long, conflicts_with_all = ["against", "tests"])]
    no_run: bool,
    /// This machine's undertoned to compare with [default: it is built]
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Also run the unit tests of features and networks under emulation; builds much a second time
    #[arg(long)]
    tests: bool,
    /// Fetch compiler and libraries anew
    #[arg(long)]
    refresh: bool,
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
}

/// Builds, runs, compares; the program's path goes to standard output.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let kit = Kit::ready(args.target, args.folder.as_deref(), args.refresh, args.yes)?;
    let program = build(&kit, args.target, &args.profile, args.jobs)?;
    if args.tests {
        test(&kit, args)?;
    }
    if !args.no_run {
        let own = match &args.against {
            Some(own) => own.clone(),
            None => own_daemon(args.jobs)?,
        };
        compare(&kit, &program, &own)?;
    }
    println!("{}", program.display());
    Ok(ExitCode::SUCCESS)
}

/// The daemon for a box, built with everything at its default.
///
/// # Errors
/// As [`run`].
pub(crate) fn daemon(target: Target, yes: bool) -> Result<PathBuf> {
    let folder = std::env::var_os("UNDERTONE_CROSS").map(PathBuf::from);
    let kit = Kit::ready(target, folder.as_deref(), false, yes)?;
    build(&kit, target, "dist", None)
}

fn build(kit: &Kit, target: Target, profile: &str, jobs: Option<u32>) -> Result<PathBuf> {
    let mut cargo = kit.cargo();
    cargo.args(["build", "--profile", profile, "--target", target.triple()]);
    cargo.args(["--package", "undertoned"]);
    succeed(with_jobs(cargo, jobs), "the daemon cannot be built")?;
    let program = kit.outputs(profile).join("undertoned");
    let elf = Elf::read(&program)?;
    if elf.debian != Some(target.debian()) {
        bail!("{} is not for {}", program.display(), target.debian());
    }
    eprintln!(
        "{}: {}, needs glibc {}.",
        program.display(),
        target.debian(),
        elf.glibc()
    );
    Ok(program)
}

fn test(kit: &Kit, args: &Args) -> Result<()> {
    let mut cargo = kit.cargo();
    cargo.args(["test", "--profile", &args.profile, "--lib"]);
    cargo.args(["--target", args.target.triple()]);
    cargo.args(ARITHMETIC.map(|name| ["--package", name]).concat());
    succeed(with_jobs(cargo, args.jobs), "a test fails under emulation")
}

fn own_daemon(jobs: Option<u32>) -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    cargo.args(["build", "--release", "--package", "undertoned"]);
    succeed(
        with_jobs(cargo, jobs),
        "this machine's daemon cannot be built",
    )?;
    Ok(workspace::target_dir().join("release/undertoned"))
}

fn compare(kit: &Kit, program: &Path, own: &Path) -> Result<()> {
    for clip in CLIPS {
        let start = Instant::now();
        let theirs = listen(kit.emulated(program), clip)?;
        let took = start.elapsed().as_secs_f64();
        let ours = listen(Command::new(own), clip)?;
        let found = agree::agree(&ours, &theirs)
            .with_context(|| format!("{clip}: the two daemons differ; under emulation"))?;
        eprintln!(
            "{clip}: the same {} events, probabilities at most {:.4} apart ({TOLERANCE} may be); {took:.1} s under emulation.",
            found.events, found.apart
        );
    }
    Ok(())
}

/// The events of a recording, as JSON lines.
fn listen(mut daemon: Command, clip: &str) -> Result<String> {
    let clip = workspace::root().join(clip);
    daemon
        .args(["--source", &format!("file:{}", clip.display()), "--fast"])
        .args(["--purpose", "evaluation"])
        .stdin(Stdio::null());
    let output = daemon
        .output()
        .with_context(|| format!("cannot start {}", daemon.get_program().display()))?;
    if !output.status.success() {
        bail!(
            "{} fails: {}\n{}",
            command::shown(&daemon),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    String::from_utf8(output.stdout).context("the events are not UTF-8")
}

fn with_jobs(mut cargo: Command, jobs: Option<u32>) -> Command {
    if let Some(jobs) = jobs {
        cargo.args(["--jobs", &jobs.to_string()]);
    }
    cargo
}

/// Standard output is for the program's path alone.
fn succeed(mut cargo: Command, what: &str) -> Result<()> {
    if !command::succeeds(cargo.stdout(Stdio::from(io::stderr())))? {
        bail!("{what}; see the output above");
    }
    Ok(())
}
