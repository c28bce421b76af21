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

/// The socket where nothing else is configured: in the folder that systemd made for this service, if it did.
pub(crate) fn default_socket() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("RUNTIME_DIRECTORY")?;
    // With several folders, the first is as good as any.
    let first = folder.to_str()?.split(':').next()?;
    Some(std::path::Path::new(first).join("control.sock"))
}
