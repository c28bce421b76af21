//! Commands from outside, whichever way they come: the control socket, MQTT, a signal.

mod command;
mod handle;

pub use command::{Command, CommandError, Outcome};
pub use handle::{Handle, Request, Requests, requests};
