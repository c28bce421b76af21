//! An independent subscriber: what arrives, and when. It removes what is retained at the end.

use std::time::{Duration, Instant};

use anyhow::Result;
use undertone_mqtt::packet::{self, Message};
use undertone_mqtt::{Failure as MqttFailure, Happened, Incoming, Link, Settings};

use super::counts::{Counts, Phase, Times, count};
use super::histogram::Histogram;
use super::speaker::name;
use crate::broker::{Bell, refused};

/// The longest wait; changes of the phase are seen then.
const LOOK: Duration = Duration::from_millis(20);
/// Messages on their way at once while retained ones are removed.
const WINDOW: usize = 500;

/// What of an event is read.
#[derive(serde::Deserialize)]
struct Event<'a> {
    seq: u64,
    boot_id: &'a str,
}

/// What it has to know.
pub(crate) struct Listener<'a> {
    pub(crate) settings: Settings,
    pub(crate) prefix: String,
    pub(crate) boxes: usize,
    pub(crate) run: u32,
    pub(crate) counts: &'a Counts,
    pub(crate) times: &'a Times,
}

struct State<'a> {
    what: Listener<'a>,
    link: Link,
    place: String,
    /// By box, a bit for each event that came.
    seen: Vec<Vec<u64>>,
    delays: Histogram,
    subscribed: bool,
    /// Once subscribed, a connection that breaks is told and made again.
    once: bool,
    flying: usize,
    /// Topics whose retained message is removed next.
    removing: Option<Vec<String>>,
    keep: bool,
}

/// Listens until the phase is over; gives how long events took from being sent to arriving. `ready` is called when the
/// subscription is in force. With `keep` what is retained stays.
///
/// # Errors
/// When the broker does not let it listen.
pub(crate) fn run(what: Listener<'_>, keep: bool, ready: impl FnOnce()) -> Result<Histogram> {
    let mut link = Link::new(what.settings.clone());
    let mut bell = Bell::of(&mut link)?;
    let place = format!("{}:{}", what.settings.host, what.settings.port);
    let mut state = State {
        seen: vec![Vec::new(); what.boxes],
        what,
        link,
        place,
        delays: Histogram::default(),
        subscribed: false,
        once: false,
        flying: 0,
        removing: None,
        keep,
    };
    let mut ready = Some(ready);
    loop {
        while state.turn()? {}
        if state.subscribed
            && let Some(ready) = ready.take()
        {
            ready();
        }
        if state.what.counts.phase() == Phase::Over && state.is_tidy() {
            return Ok(state.delays);
        }
        bell.wait(&state.link, LOOK);
    }
}

impl State<'_> {
    /// True when something happened.
    fn turn(&mut self) -> Result<bool> {
        let happened = self.link.turn(Instant::now());
        let some = !happened.is_empty();
        for happened in happened {
            match happened {
                Happened::Up => {
                    let filter = format!("{}/+/+", self.what.prefix);
                    if let Some(out) = self.link.out() {
                        packet::subscribe(out, 1, &[&filter]);
                    }
                }
                Happened::Down(failure, _) if !self.once => {
                    return Err(refused(&self.place, &failure));
                }
                Happened::Down(failure, wait) => {
                    eprintln!(
                        "fleet: the subscriber: {failure}; trying again in {:.1} s",
                        wait.as_secs_f64()
                    );
                    self.subscribed = false;
                    self.flying = 0;
                }
                Happened::Packet(packet) => self.packet(packet)?,
            }
        }
        Ok(some)
    }

    fn packet(&mut self, packet: Incoming) -> Result<()> {
        match packet {
            Incoming::Publish {
                topic,
                payload,
                retain,
                id,
            } => {
                if let (Some(id), Some(out)) = (id, self.link.out()) {
                    packet::pub_ack(out, id);
                }
                if !retain && !payload.is_empty() {
                    count(&self.what.counts.heard);
                    self.message(&topic, &payload);
                }
            }
            Incoming::TooLong { id } => {
                if let (Some(id), Some(out)) = (id, self.link.out()) {
                    packet::pub_ack(out, id);
                }
            }
            Incoming::SubAck(codes) => {
                if codes.contains(&0x80) {
                    let failure = MqttFailure::Authentication(format!(
                        "it does not let us read {}/+/+",
                        self.what.prefix
                    ));
                    return Err(refused(&self.place, &failure));
                }
                (self.subscribed, self.once) = (true, true);
            }
            Incoming::PubAck(_) => {
                self.flying = self.flying.saturating_sub(1);
                count(&self.what.counts.removed);
            }
            _ => {}
        }
        Ok(())
    }

    fn message(&mut self, topic: &str, payload: &[u8]) {
        let rest = topic
            .strip_prefix(&self.what.prefix)
            .and_then(|rest| rest.strip_prefix("/sim-"));
        let Some((number, kind)) = rest.and_then(|rest| rest.split_once('/')) else {
            return;
        };
        let Ok(number) = number.parse::<usize>() else {
            return;
        };
        match (kind, payload) {
            ("event", _) => self.event(number, payload),
            ("availability", b"offline") => count(&self.what.counts.wills),
            ("availability", b"stopped") => count(&self.what.counts.stopped),
            _ => {}
        }
    }

    fn event(&mut self, number: usize, payload: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Event<'_>>(payload) else {
            return;
        };
        let ours = event.boot_id.get(..8) == Some(&format!("{:08x}", self.what.run));
        // A box says a few events a second at most; what is beyond is not ours.
        let (Some(seen), true, true) = (self.seen.get_mut(number), ours, event.seq < 1 << 24)
        else {
            return;
        };
        let (word, bit) = (event.seq as usize / 64, 1 << (event.seq % 64));
        if seen.len() <= word {
            seen.resize(word + 1, 0);
        }
        if seen[word] & bit != 0 {
            return count(&self.what.counts.again);
        }
        seen[word] |= bit;
        count(&self.what.counts.heard_events);
        // At the end everybody who speaks is cut off at once, which no real fleet does.
        if self.what.counts.phase() == Phase::Speaking
            && let Some(micros) = self.what.times.since(number, event.seq)
        {
            self.delays.add(micros);
        }
    }

    /// Removes what boxes left retained; true when nothing is left, or the connection does not hold.
    fn is_tidy(&mut self) -> bool {
        if self.keep || !self.link.is_up() {
            return true;
        }
        let (prefix, boxes) = (&self.what.prefix, self.what.boxes);
        let topics = self.removing.get_or_insert_with(|| {
            let names = ["availability", "info", "state", "health"];
            (0..boxes)
                .flat_map(|number| names.map(|topic| format!("{prefix}/{}/{topic}", name(number))))
                .collect()
        });
        while self.flying < WINDOW
            && let Some(topic) = topics.pop()
            && let Some(out) = self.link.out()
        {
            // Numbers of packets are used in turn; no more than WINDOW of them at once.
            let id = (topics.len() % 60_000) as u16 + 1;
            packet::publish(
                out,
                &Message {
                    topic: &topic,
                    payload: b"",
                    retain: true,
                    id: Some(id),
                },
            );
            self.flying += 1;
        }
        topics.is_empty() && self.flying == 0
    }
}
