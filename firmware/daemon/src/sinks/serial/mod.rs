//! The serial sink: frames of `undertone-wire` to a controller at the other end of a cable.
//!
//! In: reports. Out: Hello and labels first, again from time to time and after every opening of the port; events; a
//! heartbeat at a steady pace; health. `docs/serial.md` tells how to set a line up.
//!
//! - Nothing here waits for the line. What it cannot take is given up, oldest first, counted, and told as Dropped.
//! - A port that is gone is looked for again by its path, which should be one that stays, and never more often than the
//!   back-off allows.

mod line;
mod messages;
mod port;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use undertone_mqtt::{Backoff, random};
use undertone_wire::Message;

use self::line::Line;
use self::port::Port;
use super::{Sink, SinkError};
use crate::config::SerialSettings;
use crate::status::{Info, LinkHealth, Report, Status};
use crate::talk::{Severity, say, tell};

const NAME: &str = "serial";
/// The longest wait between two looks for the port.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long the last frames may take.
const GOOD_BYE: Duration = Duration::from_millis(500);
/// Frames that are written in one turn, at most.
const BATCH: usize = 64;

/// The sink.
#[derive(Debug)]
pub(super) struct Serial {
    settings: SerialSettings,
    port: Option<Port>,
    line: Line,
    started: Instant,
    info: Option<Arc<Info>>,
    status: Option<Arc<Status>>,
    next_hello: Instant,
    next_heartbeat: Instant,
    next_look: Instant,
    backoff: Backoff,
    condition: Arc<Mutex<LinkHealth>>,
}

impl Serial {
    pub(super) fn new(settings: SerialSettings) -> Self {
        let now = Instant::now();
        Serial {
            settings,
            port: None,
            line: Line::default(),
            started: now,
            info: None,
            status: None,
            next_hello: now,
            next_heartbeat: now,
            next_look: now,
            backoff: Backoff::new(LOOK_AGAIN),
            condition: Arc::default(),
        }
    }

    fn look(&mut self, now: Instant) {
        match Port::open(&self.settings.port, self.settings.baud) {
            Ok(port) => {
                say!("serial: {} is open", self.settings.port.display());
                self.port = Some(port);
                self.backoff.reset();
                self.next_hello = now;
                self.next_heartbeat = now;
                self.condition(true);
            }
            Err(error) => self.lost(&error, now),
        }
    }

    fn lost(&mut self, error: &io::Error, now: Instant) {
        let was_open = self.port.take().is_some();
        self.line.cut();
        let wait = self.backoff.wait(random());
        self.next_look = now + wait;
        let known = self
            .condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failure
            .is_some();
        if was_open || !known {
            let path = self.settings.port.display();
            let hint = match error.kind() {
                io::ErrorKind::WouldBlock => "another program uses it",
                io::ErrorKind::PermissionDenied => "this user may not (group dialout)",
                _ => "waiting for it",
            };
            tell(
                Severity::Warning,
                format_args!("serial: {path}: {error}; {hint}"),
            );
        }
        self.condition(false);
    }

    fn condition(&self, up: bool) {
        let mut condition = self
            .condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        condition.up = up;
        condition.failure = (!up).then_some("port");
    }

    /// Puts in what is due by the clock.
    fn tick(&mut self, now: Instant) {
        let Some(info) = &self.info else {
            return;
        };
        if self.next_hello <= now {
            self.next_hello = now + Duration::from_millis(self.settings.hello_interval_ms.into());
            let hello = Message::Hello(messages::hello(info));
            let labels = messages::labels(info).map(Message::Label);
            self.line.greet(std::iter::once(hello).chain(labels));
        }
        if self.next_heartbeat <= now {
            self.next_heartbeat = now + Duration::from_millis(self.settings.heartbeat_ms.into());
            let uptime = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let heartbeat = messages::heartbeat(uptime, self.status.as_deref());
            self.line.heartbeat(Message::Heartbeat(heartbeat));
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(port) = &mut self.port else {
            return Ok(());
        };
        port.discard()?;
        for _ in 0..BATCH {
            let bytes = self.line.bytes();
            if bytes.is_empty() {
                break;
            }
            let written = port.write(bytes)?;
            if written == 0 {
                break;
            }
            self.line.written(written);
        }
        Ok(())
    }
}

impl Sink for Serial {
    fn name(&self) -> &'static str {
        NAME
    }

    fn good_bye(&self) -> Duration {
        GOOD_BYE
    }

    fn condition(&self) -> Option<Arc<Mutex<LinkHealth>>> {
        Some(Arc::clone(&self.condition))
    }

    fn take(&mut self, report: &Report) -> Result<(), SinkError> {
        match report {
            Report::Info(info) => {
                self.info = Some(Arc::clone(info));
                self.next_hello = Instant::now();
            }
            Report::Event(event) => self.line.event(messages::event(event)),
            Report::Status(status) => {
                let changed = self
                    .status
                    .as_ref()
                    .is_none_or(|before| before.state != status.state);
                self.status = Some(Arc::clone(status));
                if changed {
                    // A change is told at once, not only with the next beat.
                    self.next_heartbeat = Instant::now();
                }
            }
            Report::Health(health) => {
                let health = messages::health(health, self.line.waiting());
                self.line.health(Message::Health(health));
            }
            Report::Dropped(dropped) => self.line.drop(messages::dropped(*dropped)),
            // The line has no message for them.
            Report::Level(_) | Report::Aggregate(_) => {}
        }
        Ok(())
    }

    fn turn(&mut self, now: Instant) -> Result<Option<Instant>, SinkError> {
        if self.port.is_none() && self.next_look <= now {
            self.look(now);
        }
        if self.port.is_some() {
            self.tick(now);
            if let Err(error) = self.write() {
                self.lost(&error, now);
            }
        }
        let mut condition = self
            .condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        condition.waiting = self.line.waiting();
        condition.given_up = self.line.given_up();
        Ok(Some(match self.port {
            Some(_) => self.next_heartbeat.min(self.next_hello),
            None => self.next_look,
        }))
    }

    fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let port = self.port.as_ref()?;
        let mut flags = PollFlags::IN;
        if !self.line.is_empty() {
            flags |= PollFlags::OUT;
        }
        Some((port.as_fd(), flags))
    }

    fn close(&mut self, deadline: Instant) {
        while self.port.is_some() && !self.line.is_empty() && Instant::now() < deadline {
            if let Err(error) = self.write() {
                self.lost(&error, Instant::now());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
