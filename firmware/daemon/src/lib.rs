//! The daemon: capture, analysis, events.
//!
//! In: audio of a source (a file, standard input, ALSA, cpal) and a model file. Out: JSON lines on standard output, one
//! per event of an utterance; talk for people on standard error.
//!
//! ```text
//! capture thread --ring--> analysis thread --queues--> a thread for each sink
//! ```
//!
//! - From the ring behind capture to events nothing allocates after start, apart from the model; no utterance spans a
//!   gap.
//! - A file gives the same events at real-time pace and with `--fast`; samples of a device that come too fast are
//!   dropped, counted and become a gap.
//! - Audio is never written and never sent: there is no code path for it.
//! - Without a declared purpose, and for a prohibited use, nothing starts (see [`config::DeploymentSection`]).

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod capture;
pub mod cli;
pub mod config;
pub mod control;
mod error;
pub mod model_file;
mod pace;
pub mod sinks;
pub mod status;
mod stop;
pub mod talk;
pub mod threads;

pub use error::DaemonError;
pub use pace::Pace;
pub use stop::Stop;
pub use talk::say_line;
