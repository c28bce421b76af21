//! The daemon: capture, analysis, events.
//!
//! In: audio of any number of sources (files, standard input, ALSA, cpal) and a model file. Out: events of utterances, the
//! state of the box and its health, on standard output and whatever other sinks are configured.
//!
//! ```text
//! capture threads --rings--> analysis thread --queues--> sink threads
//!             \\--- what happens --> supervisor <-- commands, signals
//! ```
//!
//! - From the ring behind capture to events nothing allocates after start, apart from the model; no utterance spans a
//!   gap.
//! - A file gives the same events at real-time pace and with `--fast`; samples of a device that come too fast are
//!   dropped, counted and become a gap.
//! - A microphone that is gone is never `listening`, and every utterance gets its end (see [`supervisor`]).
//! - Audio is never written and never sent: there is no code path for it.
//! - Without a declared purpose, and for a prohibited use, nothing starts (see [`config::DeploymentSection`]).

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod capture;
pub mod cli;
pub mod config;
pub mod control;
pub mod doctor;
mod error;
pub mod health;
pub mod inventory;
pub mod model_file;
mod notify;
mod pace;
mod program;
pub mod sinks;
pub mod slot;
mod stop;
pub mod supervisor;
pub mod support;
pub mod talk;

pub use error::DaemonError;
pub use pace::Pace;
pub use stop::Stop;
pub use talk::say_line;
pub use undertone_reports as status;

/// Writes data to standard output; a reader that went away has had enough.
pub(crate) fn print(text: &str) {
    use std::io::Write as _;
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
