//! Commands from outside, whichever way they come: the control socket, MQTT, a signal.

mod client;
mod command;
mod handle;
mod socket;
mod watch;

pub(crate) use client::ask;
pub use client::{CtlArgs, ctl};
pub use command::{Command, CommandError, Outcome};
pub use handle::{Handle, Request, Requests, requests, requests_that_wake};
pub use socket::ControlSocket;
pub use watch::{WATCH, WatchSink, Watchers};
