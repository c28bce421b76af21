//! One virtual box and its connection.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustls::ClientConfig;
use undertone_mqtt::packet::{self, Connect, Message};
use undertone_mqtt::{Backoff, Failure, Incoming, Session, Settings, Told, random, tls};

use super::counts::{Counts, Times, count};
use super::speaker::{Said, Speaker, name};

/// Messages on their way at once, as the daemon has.
const WINDOW: usize = 32;

/// How boxes connect.
#[derive(Debug)]
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) settings: Settings,
    pub(crate) password: Option<String>,
    /// The number of the run.
    pub(crate) run: u32,
}

/// One box.
pub(crate) struct Slot {
    number: usize,
    pub(crate) speaker: Speaker,
    session: Option<Box<Session>>,
    waiting: VecDeque<Said>,
    flying: VecDeque<(u16, Said)>,
    last_id: u16,
    backoff: Backoff,
    /// When it connects (again).
    retry: Option<Instant>,
    up: bool,
    told: Vec<Told>,
}

impl Slot {
    pub(crate) fn new(number: usize, speaker: Speaker, first: Instant) -> Self {
        Slot {
            number,
            speaker,
            session: None,
            waiting: VecDeque::new(),
            flying: VecDeque::new(),
            last_id: 0,
            backoff: Backoff::new(Duration::from_secs(30)),
            retry: Some(first),
            up: false,
            told: Vec::new(),
        }
    }

    /// When something is to be done, apart from what the broker says; `start` is when the speaker's time began.
    pub(crate) fn due(&self, start: Instant) -> Option<Instant> {
        let speaks = start.checked_add(self.speaker.due());
        let session = self.session.as_ref().map(|session| session.due());
        [speaks, session, self.retry].into_iter().flatten().min()
    }

    /// Connects, if it is time.
    ///
    /// # Errors
    /// Why not; it is tried again later.
    pub(crate) fn connect(
        &mut self,
        way: &Way,
        registry: &Registry,
        now: Instant,
    ) -> Result<(), Failure> {
        if self.retry.is_none_or(|retry| now < retry) {
            return Ok(());
        }
        self.retry = None;
        let stream = mio::net::TcpStream::connect(way.address)?;
        let stream = TcpStream::from(OwnedFd::from(stream));
        stream.set_nodelay(true)?;
        // Edges: every turn goes on until there is nothing more, in both directions.
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(
            &mut SourceFd(&stream.as_raw_fd()),
            Token(self.number),
            interest,
        )?;
        let secure = match &way.tls {
            Some(config) => Some(tls::shared(config, &way.settings.host)?),
            None => None,
        };
        let client_id = format!("{}-{:08x}", name(self.number), way.run);
        let connect = Connect {
            client_id: &client_id,
            keep_alive_s: way.settings.keep_alive_s,
            user: way.settings.user.as_deref(),
            password: way.password.as_deref(),
            will: Some((&self.speaker.topics.availability, "offline")),
        };
        self.session = Some(Box::new(Session::begin(stream, secure, &connect, now)));
        Ok(())
    }

    /// Goes on with the connection as far as it goes; `since` is the speaker's time.
    ///
    /// # Errors
    /// Why there is no connection any more.
    pub(crate) fn turn(
        &mut self,
        now: Instant,
        since: Duration,
        counts: &Counts,
        times: &Times,
    ) -> Result<(), Failure> {
        loop {
            let Some(session) = &mut self.session else {
                return Ok(());
            };
            let mut told = std::mem::take(&mut self.told);
            let outcome = session.turn(now, &mut told);
            let quiet = told.is_empty();
            for told in told.drain(..) {
                match told {
                    Told::Up => {
                        self.up = true;
                        self.backoff.reset();
                        count(&counts.up);
                        let said = self.speaker.announce(since);
                        let said = said.map_err(|error| Failure::Protocol(error.to_string()))?;
                        said.into_iter()
                            .rev()
                            .for_each(|said| self.waiting.push_front(said));
                    }
                    Told::Packet(Incoming::PubAck(id)) => {
                        let place = self.flying.iter().position(|(flying, _)| *flying == id);
                        if let Some((_, said)) = place.and_then(|place| self.flying.remove(place))
                            && said.seq.is_some()
                        {
                            count(&counts.acknowledged);
                        }
                    }
                    Told::Packet(_) => {}
                }
            }
            self.told = told;
            outcome?;
            if !self.send(counts, times) && quiet {
                return Ok(());
            }
        }
    }

    /// Writes what may be written; true when something was.
    fn send(&mut self, counts: &Counts, times: &Times) -> bool {
        let mut sent = false;
        while self.flying.len() < WINDOW
            && !self.waiting.is_empty()
            && let Some(out) = self.session.as_mut().and_then(|session| session.out())
            && let Some(said) = self.waiting.pop_front()
        {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            let message = Message {
                topic: &said.topic,
                payload: said.payload.as_bytes(),
                retain: said.retain,
                id: Some(self.last_id),
            };
            packet::publish(out, &message);
            if let Some(seq) = said.seq {
                times.sent(self.number, seq);
            }
            count(&counts.sent);
            self.flying.push_back((self.last_id, said));
            sent = true;
        }
        sent
    }

    /// Puts behind what waits.
    pub(crate) fn say(&mut self, said: Vec<Said>, counts: &Counts) {
        said.iter()
            .filter(|said| said.seq.is_some())
            .for_each(|_| count(&counts.events));
        self.waiting.extend(said);
    }

    /// The connection is gone: what was not acknowledged is sent again, as events are by the daemon's outbox.
    pub(crate) fn down(&mut self, now: Instant, counts: &Counts) {
        self.session = None;
        if std::mem::take(&mut self.up) {
            count(&counts.broken);
            counts.up.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        } else {
            count(&counts.refused);
        }
        let flying = std::mem::take(&mut self.flying);
        for (_, said) in flying.into_iter().rev() {
            // What is retained is told anew on every connection.
            if said.seq.is_some() {
                self.waiting.push_front(said);
            }
        }
        self.retry = Some(now + self.backoff.wait(random()));
    }

    /// Leaves: without a word, or after what was said is acknowledged; true when it has left.
    pub(crate) fn leave(&mut self, without_a_word: bool, now: Instant, counts: &Counts) -> bool {
        self.retry = None;
        let Some(session) = &mut self.session else {
            return true;
        };
        if !without_a_word {
            if !self.waiting.is_empty() || !self.flying.is_empty() {
                return false;
            }
            if let Some(out) = session.out() {
                out.extend(packet::DISCONNECT);
                // The broker closes in answer, which is no failure any more.
                let _ = session.turn(now, &mut self.told);
                self.told.clear();
            }
        }
        count(if without_a_word {
            &counts.lost
        } else {
            &counts.left
        });
        self.session = None;
        self.up = false;
        counts.up.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
        true
    }
}
