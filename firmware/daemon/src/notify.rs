//! What systemd is told, after sd_notify(3): ready, what is being done, still alive, and the end.

use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use crate::talk::caution;

/// The longest status line, in bytes.
const MAX_STATUS: usize = 200;

/// Tells systemd, where it wants to be told.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
    fed: Option<Instant>,
    status: String,
    refused: bool,
}

impl Notifier {
    /// As the environment says: `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID`. Without a socket it tells nobody.
    pub(crate) fn from_environment() -> Self {
        let variable = |name| std::env::var(name).ok();
        let Some(socket) = variable("NOTIFY_SOCKET").and_then(|path| connect(&path)) else {
            return Notifier::default();
        };
        let own = variable("WATCHDOG_PID")
            .is_none_or(|process| process == std::process::id().to_string());
        let microseconds = variable("WATCHDOG_USEC").and_then(|text| text.parse().ok());
        Notifier {
            socket: Some(socket),
            watchdog: microseconds
                .filter(|microseconds| own && *microseconds > 0)
                .map(Duration::from_micros),
            ..Notifier::default()
        }
    }

    /// The daemon does what it is for from now on.
    pub(crate) fn ready(&mut self) {
        self.send("READY=1");
    }

    /// The configuration is being read again; [`Notifier::ready`] follows.
    pub(crate) fn reloading(&mut self) {
        self.send("RELOADING=1");
    }

    /// The end has begun.
    pub(crate) fn stopping(&mut self) {
        self.send("STOPPING=1");
    }

    /// What is being done, for people; told when it differs.
    pub(crate) fn status(&mut self, text: &str) {
        let one_line = text.replace(['\n', '\r'], " ");
        let end = one_line.floor_char_boundary(MAX_STATUS);
        if self.status != one_line[..end] {
            self.status = one_line[..end].to_owned();
            self.send(&format!("STATUS={}", self.status));
        }
    }

    /// True when the watchdog is to be fed: a third of its time has passed.
    pub(crate) fn hungry(&self, now: Instant) -> bool {
        self.watchdog.is_some_and(|within| {
            self.fed
                .is_none_or(|fed| now.saturating_duration_since(fed) >= within / 3)
        })
    }

    /// Feeds the watchdog.
    pub(crate) fn feed(&mut self, now: Instant) {
        self.fed = Some(now);
        self.send("WATCHDOG=1");
    }

    fn send(&mut self, message: &str) {
        let Some(socket) = &self.socket else {
            return;
        };
        if let Err(reason) = socket.send(message.as_bytes())
            && !self.refused
        {
            self.refused = true;
            caution!("systemd does not take notifications: {reason}");
        }
    }
}

fn connect(path: &str) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    let connected = match path.strip_prefix('@') {
        Some(name) => connect_abstract(&socket, name),
        None => socket.connect(path),
    };
    // A full queue must not hold up what is being watched.
    match connected.and_then(|()| socket.set_nonblocking(true)) {
        Ok(()) => Some(socket),
        Err(reason) => {
            caution!("NOTIFY_SOCKET {path} cannot be reached: {reason}");
            None
        }
    }
}

#[cfg(target_os = "linux")]
fn connect_abstract(socket: &UnixDatagram, name: &str) -> std::io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    socket.connect_addr(&address)
}

#[cfg(not(target_os = "linux"))]
fn connect_abstract(_: &UnixDatagram, _: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_hungry_three_times_within_its_time() {
        let start = Instant::now();
        let mut notifier = Notifier {
            watchdog: Some(Duration::from_secs(3)),
            ..Notifier::default()
        };
        assert!(notifier.hungry(start));
        notifier.feed(start);
        assert!(!notifier.hungry(start + Duration::from_millis(999)));
        assert!(notifier.hungry(start + Duration::from_millis(1000)));
        assert!(!Notifier::default().hungry(start));
    }

    #[test]
    fn a_status_is_one_line_and_told_when_it_differs() {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let mut notifier = Notifier {
            socket: Some(ours),
            ..Notifier::default()
        };
        notifier.status("listening\nREADY=1");
        notifier.status("listening\nREADY=1");
        notifier.status(&"ä".repeat(500));
        notifier.reloading();
        let received: Vec<String> = std::iter::from_fn(|| {
            let mut buffer = [0; 4096];
            let length = theirs.recv(&mut buffer).ok()?;
            Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
        })
        .collect();
        assert_eq!(received.len(), 3, "{received:?}");
        assert_eq!(received[0], "STATUS=listening READY=1");
        assert_eq!(received[1].len(), "STATUS=".len() + MAX_STATUS);
        assert_eq!(received[2], "RELOADING=1");
    }
}
