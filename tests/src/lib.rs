//! End-to-end tests through real parts.
//!
//! This library holds what the tests share: the daemon as a process ([`daemon`]), and a microphone made of a private
//! PulseAudio server ([`pulse`]). A test that needs a program which is not installed prints that it is skipped, and
//! fails instead when `UNDERTONE_REQUIRE_RIG` is set.

// A helper of a test fails the test, and that is a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod answer;
pub mod broker;
pub mod control;
pub mod daemon;
pub mod faulty;
pub mod program;
pub mod pulse;
pub mod serial;
pub mod ssh;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> &'static Path {
    // The package lies in the folder `tests` of the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// A recording in `folder` that plays the two sentences so many times over.
///
/// # Panics
/// When it cannot be written.
pub fn long_speech(folder: &Path, times: usize) -> PathBuf {
    let clip = daemon::bytes_of(&speech());
    let (header, samples) = clip.split_at(44);
    let mut wav = header.to_vec();
    (0..times).for_each(|_| wav.extend_from_slice(samples));
    let length = u32::try_from(samples.len() * times).unwrap();
    wav[40..44].copy_from_slice(&length.to_le_bytes());
    wav[4..8].copy_from_slice(&(length + 36).to_le_bytes());
    let path = folder.join("long.wav");
    std::fs::write(&path, wav).unwrap();
    path
}

/// Two synthesised sentences with silence around them; see `assets/README.md`.
pub fn speech() -> PathBuf {
    root().join("tests/assets/speech.wav")
}

/// True when a program is installed; otherwise says what to install, and that the test is skipped.
///
/// # Panics
/// When it is not installed and `UNDERTONE_REQUIRE_RIG` is set.
pub fn has(program: &str, package: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian keeps servers where only root looks by itself.
    let there = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin")])
        .any(|folder| folder.join(program).is_file());
    let missing = format!("{program} is not installed: apt-get install {package}");
    assert!(
        there || std::env::var_os("UNDERTONE_REQUIRE_RIG").is_none(),
        "{missing}"
    );
    if !there {
        eprintln!("skipped: {missing}");
    }
    there
}

/// The host tool `undertone`, built in the profile of the running test, as [`daemon::program`] is.
///
/// # Panics
/// When it cannot be built.
pub fn tool() -> &'static Path {
    static PROGRAM: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    PROGRAM.get_or_init(|| program::built("undertone"))
}
