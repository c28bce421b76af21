//! The Python process that runs the peers when asked to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const SCRIPT: &str = include_str!("peers.py");
/// What keeps the libraries below numpy and the peers to one thread.
const ONE_THREAD: [&str; 5] = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
];

/// What the process is given.
pub(super) struct Material<'a> {
    pub(super) model: &'a [u8],
    pub(super) audio: &'a [f32],
    pub(super) frames: &'a [f32],
    /// Values of a frame, frames of a window, frames from one window to the next.
    pub(super) shape: [usize; 3],
}

/// A running process with its peers.
pub(super) struct Python {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// What it was given; goes with it.
    _folder: tempfile::TempDir,
    /// The peers that are there, with their versions.
    pub(super) versions: BTreeMap<String, String>,
    /// The others, with the reason.
    pub(super) missing: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Greeting {
    versions: BTreeMap<String, String>,
    missing: BTreeMap<String, String>,
}

/// One run of one peer.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    /// CPU time.
    pub(super) seconds: f64,
    /// Of onnxruntime: the logits of every window.
    pub(super) logits: Vec<Vec<f32>>,
}

impl Python {
    /// Starts the interpreter.
    ///
    /// # Errors
    /// An interpreter that does not start or lacks numpy, with the command that helps.
    pub(super) fn start(interpreter: &Path, material: &Material<'_>) -> Result<Self> {
        // Of a name that nobody can foresee: a script in it is run.
        let folder = tempfile::tempdir()?;
        let place = |name: &str, bytes: &[u8]| -> Result<std::path::PathBuf> {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes)
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(path)
        };
        let mut command = Command::new(interpreter);
        command
            .arg(place("peers.py", SCRIPT.as_bytes())?)
            .arg(place("model.onnx", material.model)?)
            .arg(place("audio.f32", &bytes_of(material.audio))?)
            .arg(place("frames.f32", &bytes_of(material.frames))?)
            .args(material.shape.map(|number| number.to_string()))
            .envs(ONE_THREAD.map(|name| (name, "1")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let name = interpreter.display();
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {name}: name a Python with --python"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{name} has no standard input and output");
        };
        let mut python = Python {
            child,
            input,
            output: BufReader::new(output),
            _folder: folder,
            versions: BTreeMap::new(),
            missing: BTreeMap::new(),
        };
        let greeting: Greeting = python.answer().with_context(|| {
            format!(
                "{name} cannot run the peers; {}",
                install(interpreter, ["numpy"])
            )
        })?;
        (python.versions, python.missing) = (greeting.versions, greeting.missing);
        Ok(python)
    }

    /// Runs a peer once.
    pub(super) fn run(&mut self, peer: &str) -> Result<Run> {
        writeln!(self.input, "{peer}").with_context(|| format!("{peer} is gone"))?;
        self.answer().with_context(|| format!("{peer} failed"))
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        let read = self.output.read_line(&mut line)?;
        ensure!(read > 0, "it ended without an answer");
        serde_json::from_str(&line).with_context(|| format!("it said {line:?}"))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command that installs packages.
pub(super) fn install<'a>(
    interpreter: &Path,
    packages: impl IntoIterator<Item = &'a str>,
) -> String {
    let packages: Vec<&str> = packages.into_iter().collect();
    format!(
        "install with: {} -m pip install {}",
        interpreter.display(),
        packages.join(" ")
    )
}

fn bytes_of(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_ne_bytes())
        .collect()
}
