//! `cargo demo`: from a fresh clone to events on the screen.

use std::path::{self, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::packages::{self, BUILD};
use crate::{command, workspace};

/// The bundled clip; its voice is synthetic.
const CLIP: &str = "models/demo/speech.wav";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
    /// Recordings to listen to (.wav .flac .mp3 .ogg); the bundled clip when there are none
    files: Vec<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let clips = if args.files.is_empty() {
        eprintln!(
            "Listening to the bundled clip. Its voice is made by a speech synthesiser; give FILE for a real one."
        );
        vec![workspace::root().join(CLIP)]
    } else {
        args.files
            .iter()
            .map(path::absolute)
            .collect::<Result<_, _>>()?
    };
    if let Some(missing) = clips.iter().find(|clip| !clip.is_file()) {
        bail!(
            "{} is not a file; give a recording as .wav, .flac, .mp3 or .ogg",
            missing.display()
        );
    }
    packages::ensure(&BUILD, args.yes)?;
    eprintln!("Building the daemon; the first time takes some minutes.");
    if !command::succeeds(workspace::cargo().args([
        "build",
        "--release",
        "--package",
        "undertoned",
    ]))? {
        bail!("the daemon could not be built; see the compiler's output above");
    }
    for clip in &clips {
        let name = clip
            .to_str()
            .with_context(|| format!("{} is not UTF-8", clip.display()))?;
        let mut listen = workspace::cargo();
        listen.args([
            "run",
            "--quiet",
            "--release",
            "--package",
            "undertoned",
            "--",
        ]);
        listen.args([
            "--source",
            &format!("file:{name}"),
            "--fast",
            "--purpose",
            "evaluation",
            "--format",
            "text",
        ]);
        if !command::succeeds(&mut listen)? {
            bail!("the daemon stopped with an error on {name}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
