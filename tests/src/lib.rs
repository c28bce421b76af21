//! End-to-end tests through real parts.
//!
//! This library holds what the tests share: the daemon as a process ([`daemon`]), and a microphone made of a private
//! PulseAudio server ([`pulse`]). A test that needs a program which is not installed prints that it is skipped, and
//! fails instead when `UNDERTONE_REQUIRE_RIG` is set.

// A helper of a test fails the test, and that is a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod daemon;
pub mod pulse;

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> &'static Path {
    // The package lies in the folder `tests` of the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// Two synthesised sentences with silence around them; see `assets/README.md`.
pub fn speech() -> PathBuf {
    root().join("tests/assets/speech.wav")
}
