//! One connection from the greeting to its end: it keeps the connection alive, and notices a broker that has stopped to
//! answer.

use std::net::TcpStream;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustls::ClientConnection;

use crate::Failure;
use crate::packet::{self, Connect, Incoming};
use crate::transport::Transport;

/// How long TLS and the broker's greeting may take together.
const GREETING: Duration = Duration::from_secs(15);
/// How long an answer to a ping may take.
const PONG: Duration = Duration::from_secs(10);

/// What the broker says.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    /// It has accepted us.
    Up,
    /// A packet came.
    Packet(Incoming),
}

#[derive(Debug)]
enum State {
    /// The greeting is sent; given up at this time.
    Greeting {
        until: Instant,
    },
    Up {
        since: Instant,
    },
}

/// A connection. It is made of a stream that does not block, which may still be connecting.
#[derive(Debug)]
pub struct Session {
    state: State,
    transport: Transport,
    input: Vec<u8>,
    /// Bytes that are to be passed over.
    skip: usize,
    keep_alive: Duration,
    last_sent: Instant,
    /// What is written says nothing of whether anybody reads it.
    last_heard: Instant,
    /// When the answer to a ping is due.
    pong_due: Option<Instant>,
}

impl Session {
    /// Greets the broker at the next [`Session::turn`].
    pub fn begin(
        stream: TcpStream,
        tls: Option<ClientConnection>,
        connect: &Connect<'_>,
        now: Instant,
    ) -> Self {
        let mut transport = Transport::new(stream, tls);
        packet::connect(transport.out(), connect);
        Session {
            state: State::Greeting {
                until: now + GREETING,
            },
            transport,
            input: Vec::new(),
            skip: 0,
            // The broker waits one and a half times as long; a ping comes in good time before that.
            keep_alive: Duration::from_secs(connect.keep_alive_s.into()),
            last_sent: now,
            last_heard: now,
            pong_due: None,
        }
    }

    /// Where packets are written to, once the broker has accepted us; they go out at the next [`Session::turn`].
    pub fn out(&mut self) -> Option<&mut Vec<u8>> {
        if !self.is_up() {
            return None;
        }
        self.last_sent = Instant::now();
        Some(self.transport.out())
    }

    /// True once the broker has accepted us.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }

    /// Since when the broker has accepted us.
    pub fn up_since(&self) -> Option<Instant> {
        match self.state {
            State::Up { since } => Some(since),
            State::Greeting { .. } => None,
        }
    }

    /// True when what can wait should.
    pub fn is_congested(&self) -> bool {
        self.transport.is_congested()
    }

    /// True when nothing waits to be written.
    pub fn is_flushed(&self) -> bool {
        self.transport.is_flushed()
    }

    /// The certificate of the broker (DER), once a handshake is done.
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.transport.peer_certificate()
    }

    /// The descriptor, and what is waited for.
    pub fn interest(&self) -> (BorrowedFd<'_>, PollFlags) {
        self.transport.interest()
    }

    /// When [`Session::turn`] has to be called again at the latest.
    pub fn due(&self) -> Instant {
        match self.state {
            State::Greeting { until } => until,
            State::Up { .. } => self.pong_due.unwrap_or(self.ping_due()),
        }
    }

    fn ping_due(&self) -> Instant {
        self.last_sent.min(self.last_heard) + self.keep_alive
    }

    /// Goes on as far as it can without waiting, and puts behind `told` what the broker says. It reads a bounded number of
    /// bytes: who waits for edges, and not for levels, calls it again until nothing is told.
    ///
    /// # Errors
    /// When the connection is at its end; what was told before still counts.
    pub fn turn(&mut self, now: Instant, told: &mut Vec<Told>) -> Result<(), Failure> {
        let before = self.input.len();
        let outcome = self.transport.turn(&mut self.input);
        if self.input.len() > before {
            self.last_heard = now;
        }
        // What came before the end still counts: a refusal, for instance.
        while let Some(packet) = packet::take(&mut self.input, &mut self.skip)? {
            self.take(packet, told)?;
        }
        outcome?;
        if self.transport.is_overflowing() {
            return Err(Failure::Network(
                "the broker sends and takes nothing".into(),
            ));
        }
        match self.state {
            State::Greeting { until } if until <= now => {
                Err(Failure::Network("the broker does not greet back".into()))
            }
            State::Greeting { .. } => Ok(()),
            State::Up { .. } => self.stay_alive(now),
        }
    }

    fn take(&mut self, packet: Incoming, told: &mut Vec<Told>) -> Result<(), Failure> {
        match (packet, &self.state) {
            (Incoming::ConnAck(0), State::Greeting { .. }) => {
                self.state = State::Up {
                    since: self.last_heard,
                };
                told.push(Told::Up);
            }
            (Incoming::ConnAck(code), State::Greeting { .. }) => {
                return Err(Failure::refused(code));
            }
            (Incoming::PingResp, _) => self.pong_due = None,
            (packet, State::Up { .. }) if !matches!(packet, Incoming::ConnAck(_)) => {
                told.push(Told::Packet(packet));
            }
            _ => return Err(Failure::Protocol("a packet out of its turn".into())),
        }
        Ok(())
    }

    fn stay_alive(&mut self, now: Instant) -> Result<(), Failure> {
        if self.pong_due.is_some_and(|due| due <= now) {
            return Err(Failure::Network("the broker has stopped to answer".into()));
        }
        if self.pong_due.is_none() && self.ping_due() <= now {
            self.transport.out().extend(packet::PING_REQ);
            (self.last_sent, self.last_heard) = (now, now);
            self.pong_due = Some(now + PONG);
            return self.transport.turn(&mut self.input);
        }
        Ok(())
    }
}
