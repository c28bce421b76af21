//! A daemon as a program: how long it takes to listen, how large it is on disk and in memory.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::figure::{Figure, scaled};
use super::memory::resident_of;
use super::sound::Speech;
use crate::failure::Failure;

/// What the daemon says on standard error once it listens.
const READY: &str = "listening to";
/// It must say so within this time.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it hears speech before its memory is looked at.
const SETTLE: Duration = Duration::from_secs(3);

/// Whether it is the daemon, before anything else is measured.
///
/// # Errors
/// What it is or says instead.
pub(super) fn check(path: &Path) -> Result<()> {
    let refused = |what: String| {
        Failure::error(
            "bench-daemon",
            format!("--daemon {}: {what}", path.display()),
            "cargo build --release --package undertoned; undertone bench --daemon target/release/undertoned",
        )
    };
    let asked = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| refused(format!("it cannot be run: {error}")))?;
    let said = String::from_utf8_lossy(&asked.stdout);
    let said = said.lines().next().unwrap_or_default();
    if said.split(' ').next() == Some("undertoned") {
        return Ok(());
    }
    let said: String = said.chars().filter(|c| !c.is_control()).take(80).collect();
    Err(refused(format!(
        "it is not undertoned: --version should say `undertoned` and a version, but it says `{said}` ({})",
        asked.status
    )))
}

/// Starts it on a recording at real-time pace.
pub(super) fn measure(path: &Path, speech: &Speech, repeats: usize) -> Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("speech.wav");
    std::fs::write(&recording, wav(&speech.seconds(30), speech.rate))?;
    let figures = starts(path, &recording, repeats)?;
    folder.close()?;
    Ok(figures)
}

fn starts(path: &Path, recording: &Path, repeats: usize) -> Result<Vec<Figure>> {
    let mut times = Vec::new();
    for _ in 0..repeats {
        let (_daemon, time) = start(path, recording)?;
        times.push(time.as_secs_f64());
    }
    let (daemon, _) = start(path, recording)?;
    std::thread::sleep(SETTLE);
    let memory = resident_of(&daemon.0.id().to_string());
    let size = std::fs::metadata(path)?.len();
    let mut figures = vec![
        Figure::of(
            "daemon_start",
            "daemon, start to listening, on the wall",
            "ms",
            &scaled(&times, 1e3),
        ),
        Figure::one(
            "daemon_size",
            "daemon, size of the program as it is",
            "MB",
            size as f64 / 1e6,
        ),
    ];
    figures.extend(memory.map(|bytes| {
        Figure::one(
            "daemon_resident",
            "daemon, resident memory while it hears speech",
            "MB",
            bytes / 1e6,
        )
    }));
    Ok(figures)
}

/// Is ended when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(path: &Path, recording: &Path) -> Result<(Running, Duration)> {
    let started = Instant::now();
    let mut child = Command::new(path)
        .args(["--purpose", "evaluation", "--source"])
        .arg(format!("file:{}", recording.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", path.display()))?;
    let talk = child.stderr.take().context("no standard error")?;
    let daemon = Running(child);
    let (sender, lines) = channel();
    // It ends with the daemon; until then it keeps the pipe from filling up.
    std::thread::spawn(move || {
        for line in BufReader::new(talk).lines().map_while(Result::ok) {
            let _ = sender.send((Instant::now(), line));
        }
    });
    let mut said = String::new();
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok((when, line)) if line.contains(READY) => return Ok((daemon, when - started)),
            Ok((_, line)) => said += &format!("\n  {line}"),
            Err(_) => {
                return Err(Failure::error(
                    "bench-daemon",
                    format!(
                        "{} should say `{READY}` within {} s, but does not; it said:{said}",
                        path.display(),
                        PATIENCE.as_secs()
                    ),
                    "run it by hand: undertoned --purpose evaluation --source file:SOME.wav",
                ));
            }
        }
    }
}

/// 16-bit samples with a header.
fn wav(samples: &[f32], rate: u32) -> Vec<u8> {
    let bytes = samples.len() as u32 * 2;
    let mut out = Vec::with_capacity(44 + bytes as usize);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    out.extend_from_slice(&rate.to_le_bytes());
    out.extend_from_slice(&(rate * 2).to_le_bytes());
    out.extend_from_slice(b"\x02\0\x10\0data");
    out.extend_from_slice(&bytes.to_le_bytes());
    for sample in samples {
        out.extend_from_slice(&((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes());
    }
    out
}
