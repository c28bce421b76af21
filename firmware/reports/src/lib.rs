//! What a box says about itself and about what it hears: the vocabulary that every sink, the control socket, the metrics
//! and the host tools share, and its form in JSON and in MQTT topics.
//!
//! In: values. Out: lines of JSON ([`json`]), each one object, and topics ([`Topics`]). Nothing here does I/O. Times are
//! milliseconds; `monotonic_ms` counts from the start of the daemon and never jumps.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod health;
pub mod json;
mod report;
mod state;
mod topics;

pub use health::{Health, LinkHealth, QueueHealth};
pub use report::{Aggregate, Dropped, EventReport, Info, LevelReport, Report, Stamp};
pub use state::{SourceStatus, State, Status, Trouble};
pub use topics::Topics;
