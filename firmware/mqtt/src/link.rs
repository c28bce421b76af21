//! A connection that is made again for ever: down, dialing, live, and down again.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::dial::Dialing;
use crate::packet::{Connect, Incoming};
use crate::session::{Session, Told};
use crate::{Backoff, Failure, Settings, Wake, random, tls};

/// A connection that has held for so long counts as one that works: the next failure begins with a short wait again. One
/// that is accepted and broken off at once, for instance by another box of the same client id, must not.
const HELD: Duration = Duration::from_secs(20);

/// From one look at a connection that is being made to the next.
const LOOK: Duration = Duration::from_millis(20);

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Happened {
    /// The broker has accepted us.
    Up,
    /// A packet came.
    Packet(Incoming),
    /// The connection is gone, or could not be made; it is tried again after this.
    Down(Failure, Duration),
}

#[derive(Debug)]
enum State {
    Down { until: Instant },
    Dialing(Dialing),
    Live(Box<Session>),
}

/// The connection.
#[derive(Debug)]
pub struct Link {
    settings: Settings,
    state: State,
    backoff: Backoff,
    wake: Option<Wake>,
}

impl Link {
    /// A link that connects at its first [`Link::turn`].
    pub fn new(settings: Settings) -> Self {
        Link {
            state: State::Down {
                until: Instant::now(),
            },
            backoff: Backoff::new(settings.retry_max),
            wake: None,
            settings,
        }
    }

    /// What ends the wait for a connection that is being made.
    pub fn wakes(&mut self, wake: Wake) {
        self.wake = Some(wake);
    }

    /// Where packets are written to, while the connection is up.
    pub fn out(&mut self) -> Option<&mut Vec<u8>> {
        match &mut self.state {
            State::Live(session) => session.out(),
            State::Down { .. } | State::Dialing(_) => None,
        }
    }

    /// True while the broker has accepted us.
    pub fn is_up(&self) -> bool {
        self.session().is_some_and(Session::is_up)
    }

    /// True when what can wait should.
    pub fn is_congested(&self) -> bool {
        self.session().is_none_or(Session::is_congested)
    }

    /// True when nothing waits to be written.
    pub fn is_flushed(&self) -> bool {
        self.session().is_none_or(Session::is_flushed)
    }

    /// The certificate of the broker (DER), where it speaks TLS.
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.session()?.peer_certificate()
    }

    /// The descriptor, while there is one, and what is waited for.
    pub fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.session().map(Session::interest)
    }

    /// When [`Link::turn`] has to be called again at the latest.
    pub fn due(&self) -> Option<Instant> {
        match &self.state {
            State::Down { until } => Some(*until),
            // Its thread wakes us.
            State::Dialing(_) => None,
            State::Live(session) => Some(session.due()),
        }
    }

    /// Waits until the descriptor is ready, [`Link::turn`] is due, or this time is over; while there is no descriptor, for a short
    /// while only. Who waits for other things too does so by [`Link::interest`].
    pub fn wait(&self, longest: Duration) {
        let due = self
            .due()
            .map_or(longest, |due| due.saturating_duration_since(Instant::now()));
        let longest = longest.min(due);
        let Some((descriptor, flags)) = self.interest() else {
            return std::thread::sleep(longest.min(LOOK));
        };
        let timeout = Timespec {
            tv_sec: i64::try_from(longest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(longest.subsec_nanos()),
        };
        // An interrupted wait is an early end of it, and of whatever else comes of it the next turn finds out.
        let _ = poll(
            &mut [PollFd::from_borrowed_fd(descriptor, flags)],
            Some(&timeout),
        );
    }

    /// Goes on as far as it can without waiting.
    pub fn turn(&mut self, now: Instant) -> Vec<Happened> {
        let mut told = Vec::new();
        let outcome = self.advance(now, &mut told);
        let mut happened: Vec<_> = told
            .into_iter()
            .map(|told| match told {
                Told::Up => Happened::Up,
                Told::Packet(packet) => Happened::Packet(packet),
            })
            .collect();
        if let Err(failure) = outcome {
            happened.push(self.fail(failure, now));
        }
        happened
    }

    /// Gives the connection up.
    pub fn fail(&mut self, failure: Failure, now: Instant) -> Happened {
        let since = self.session().and_then(Session::up_since);
        if since.is_some_and(|since| now.saturating_duration_since(since) >= HELD) {
            self.backoff.reset();
        }
        let wait = self.backoff.wait(random());
        self.state = State::Down { until: now + wait };
        Happened::Down(failure, wait)
    }

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Live(session) => Some(session),
            State::Down { .. } | State::Dialing(_) => None,
        }
    }

    fn advance(&mut self, now: Instant, told: &mut Vec<Told>) -> Result<(), Failure> {
        if matches!(self.state, State::Down { until } if until <= now) {
            let dialing =
                Dialing::begin(&self.settings.host, self.settings.port, self.wake.clone())?;
            self.state = State::Dialing(dialing);
        }
        if let State::Dialing(dialing) = &self.state
            && let Some(outcome) = dialing.outcome()
        {
            let stream = outcome?;
            let tls = match &self.settings.tls {
                Some(files) => Some(tls::connection(files, &self.settings.host)?),
                None => None,
            };
            let password = self.settings.password.read()?;
            let will = self.settings.will.as_ref();
            let connect = Connect {
                client_id: &self.settings.client_id,
                keep_alive_s: self.settings.keep_alive_s,
                user: self.settings.user.as_deref(),
                password: password.as_ref().map(|password| password.reveal()),
                will: will.map(|will| (will.topic.as_str(), will.payload.as_str())),
            };
            self.state = State::Live(Box::new(Session::begin(stream, tls, &connect, now)));
        }
        match &mut self.state {
            State::Live(session) => session.turn(now, told),
            State::Down { .. } | State::Dialing(_) => Ok(()),
        }
    }
}
