//! The connection to the broker as a state machine: down, dialing, greeting, up, and down again.
//!
//! It never waits, keeps the connection alive, and notices a broker that has stopped to answer.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::failure::Failure;
use super::packet::{self, Connect, Incoming};
use super::tls;
use super::transport::{Dialing, Transport};
use crate::config::MqttSettings;
use crate::sinks::Waker;
use crate::sinks::backoff::{Backoff, random};

/// How long TLS and the broker's greeting may take together.
const GREETING: Duration = Duration::from_secs(15);
/// How long an answer to a ping may take.
const PONG: Duration = Duration::from_secs(10);
/// A connection that has held for so long counts as one that works: the next failure begins with a short wait again. One
/// that is accepted and broken off at once, for instance by another box of the same client id, must not.
const HELD: Duration = Duration::from_secs(20);

/// What happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Happened {
    /// The broker has accepted us.
    Up,
    /// A packet came.
    Packet(Incoming),
    /// The connection is gone, or could not be made; it is tried again after this.
    Down(Failure, Duration),
}

#[derive(Debug)]
enum State {
    Down {
        until: Instant,
    },
    Dialing(Dialing),
    /// Connected, and the greeting is sent; given up at this time.
    Greeting {
        until: Instant,
    },
    Up {
        since: Instant,
    },
}

/// The connection.
#[derive(Debug)]
pub(super) struct Link {
    state: State,
    transport: Option<Transport>,
    input: Vec<u8>,
    /// Bytes that are to be passed over.
    skip: usize,
    backoff: Backoff,
    waker: Option<Waker>,
    last_sent: Instant,
    /// What is written says nothing of whether anybody reads it.
    last_heard: Instant,
    /// When the answer to a ping is due.
    pong_due: Option<Instant>,
}

impl Link {
    pub(super) fn new(longest_wait: Duration) -> Self {
        let now = Instant::now();
        Link {
            state: State::Down { until: now },
            transport: None,
            input: Vec::new(),
            skip: 0,
            backoff: Backoff::new(longest_wait),
            waker: None,
            last_sent: now,
            last_heard: now,
            pong_due: None,
        }
    }

    pub(super) fn wakes(&mut self, waker: Waker) {
        self.waker = Some(waker);
    }

    /// Where packets are written to, while the connection is up.
    pub(super) fn out(&mut self) -> Option<&mut Vec<u8>> {
        if !self.is_up() {
            return None;
        }
        self.last_sent = Instant::now();
        self.transport.as_mut().map(Transport::out)
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// True when what can wait should.
    pub(super) fn is_congested(&self) -> bool {
        self.transport.as_ref().is_none_or(Transport::is_congested)
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.transport.as_ref().is_none_or(Transport::is_flushed)
    }

    pub(super) fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.transport.as_ref().map(Transport::interest)
    }

    /// When [`Link::turn`] has to be called again at the latest.
    pub(super) fn due(&self, keep_alive: Duration) -> Option<Instant> {
        match &self.state {
            State::Down { until } | State::Greeting { until } => Some(*until),
            // Its thread wakes us.
            State::Dialing(_) => None,
            State::Up { .. } => Some(self.pong_due.unwrap_or(self.ping_due(keep_alive))),
        }
    }

    fn ping_due(&self, keep_alive: Duration) -> Instant {
        self.last_sent.min(self.last_heard) + keep_alive
    }

    /// Goes on as far as it can without waiting.
    pub(super) fn turn(
        &mut self,
        settings: &MqttSettings,
        will: (&str, &str),
        now: Instant,
    ) -> Vec<Happened> {
        let mut happened = Vec::new();
        if let Err(failure) = self.advance(settings, will, now, &mut happened) {
            happened.push(self.fail(failure, now));
        }
        happened
    }

    /// Gives the connection up.
    pub(super) fn fail(&mut self, failure: Failure, now: Instant) -> Happened {
        if let State::Up { since } = self.state
            && now.saturating_duration_since(since) >= HELD
        {
            self.backoff.reset();
        }
        let wait = self.backoff.wait(random());
        self.state = State::Down { until: now + wait };
        self.transport = None;
        self.input.clear();
        self.skip = 0;
        self.pong_due = None;
        Happened::Down(failure, wait)
    }

    fn advance(
        &mut self,
        settings: &MqttSettings,
        will: (&str, &str),
        now: Instant,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Failure> {
        if matches!(self.state, State::Down { until } if until <= now) {
            let dialing = Dialing::begin(&settings.host, settings.port, self.waker.clone())?;
            self.state = State::Dialing(dialing);
        }
        if let State::Dialing(dialing) = &self.state
            && let Some(outcome) = dialing.outcome()
        {
            let stream = outcome?;
            let tls = match &settings.tls {
                Some(section) => Some(tls::connection(section, &settings.host)?),
                None => None,
            };
            let mut transport = Transport::new(stream, tls);
            greet(transport.out(), settings, will)?;
            self.transport = Some(transport);
            self.last_sent = now;
            self.state = State::Greeting {
                until: now + GREETING,
            };
        }
        if let Some(transport) = &mut self.transport {
            let before = self.input.len();
            let outcome = transport.turn(&mut self.input);
            if self.input.len() > before {
                self.last_heard = now;
            }
            // What came before the end still counts: a refusal, for instance.
            while let Some(packet) = packet::take(&mut self.input, &mut self.skip)
                .map_err(|error| Failure::Protocol(error.to_string()))?
            {
                self.take(packet, happened)?;
            }
            outcome?;
            if self
                .transport
                .as_ref()
                .is_some_and(Transport::is_overflowing)
            {
                return Err(Failure::Network(
                    "the broker sends and takes nothing".into(),
                ));
            }
        }
        match self.state {
            State::Greeting { until } if until <= now => {
                Err(Failure::Network("the broker does not greet back".into()))
            }
            State::Up { .. } => {
                self.keep_alive(Duration::from_secs(settings.keep_alive_s.into()), now)
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, packet: Incoming, happened: &mut Vec<Happened>) -> Result<(), Failure> {
        match (packet, &self.state) {
            (Incoming::ConnAck(0), State::Greeting { .. }) => {
                self.state = State::Up {
                    since: self.last_heard,
                };
                happened.push(Happened::Up);
            }
            (Incoming::ConnAck(code), State::Greeting { .. }) => {
                return Err(Failure::refused(code));
            }
            (Incoming::PingResp, _) => self.pong_due = None,
            (packet, State::Up { .. }) if !matches!(packet, Incoming::ConnAck(_)) => {
                happened.push(Happened::Packet(packet));
            }
            _ => return Err(Failure::Protocol("a packet out of its turn".into())),
        }
        Ok(())
    }

    fn keep_alive(&mut self, interval: Duration, now: Instant) -> Result<(), Failure> {
        if self.pong_due.is_some_and(|due| due <= now) {
            return Err(Failure::Network("the broker has stopped to answer".into()));
        }
        if self.pong_due.is_none()
            && self.ping_due(interval) <= now
            && let Some(transport) = &mut self.transport
        {
            transport.out().extend(packet::PING_REQ);
            (self.last_sent, self.last_heard) = (now, now);
            self.pong_due = Some(now + PONG);
            return transport.turn(&mut self.input);
        }
        Ok(())
    }
}

fn greet(out: &mut Vec<u8>, settings: &MqttSettings, will: (&str, &str)) -> Result<(), Failure> {
    let password = settings.read_password().map_err(Failure::Authentication)?;
    packet::connect(
        out,
        &Connect {
            client_id: &settings.client_id,
            // The broker waits one and a half times as long; a ping comes in good time before that.
            keep_alive_s: settings.keep_alive_s,
            user: settings.user.as_deref(),
            password: password.as_ref().map(|password| password.reveal()),
            will,
        },
    );
    Ok(())
}
