//! The MQTT sink: retained state, events with their acknowledgement, commands, Home Assistant.
//!
//! In: reports, and messages of the broker. Out: the topics of [`Topics`] in JSON; `docs/mqtt.md` has each with its fields.
//!
//! - An event is forgotten on its acknowledgement and not before; see [`outbox`]. Everything else is of now: its latest
//!   value is published again on every connection.
//! - Nothing here waits. Looking names up, connecting and carrying commands out have threads of their own.
//! - What is wrong is told apart by what has to be done about it, in talk and in health; see [`failure`].

mod commands;
mod discovery;
mod failure;
mod link;
mod outbox;
mod packet;
mod tls;
mod topics;
mod transport;

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use self::commands::Commands;
use self::failure::Failure;
use self::link::{Happened, Link};
use self::outbox::{Folder, Journal, Limits, Next, Notice, Now, Outbox, SEGMENT_BYTES};
use self::packet::{Incoming, Message};
use self::topics::Topics;
use super::json::{self, Times};
use super::{Sink, SinkError, Waker};
use crate::config::{MqttSettings, MqttTlsSection};
use crate::control::Handle;
use crate::status::{Dropped, Info, LinkHealth, Report};
use crate::talk::{Severity, say, tell};

const NAME: &str = "mqtt";
/// Events on their way at once.
const WINDOW: usize = 32;
/// Messages that wait for their acknowledgement, whatever they are; there is no number for more than 65535.
const FLYING: usize = 1024;
/// How long an acknowledgement may take.
const ACKNOWLEDGED: Duration = Duration::from_secs(30);
/// How long the good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(3);
/// Of that, what is kept for the last words.
const LAST_WORDS: Duration = Duration::from_millis(1000);
/// Between two looks whether the sink of before a reload has let its outbox go.
const HAND_OVER: Duration = Duration::from_millis(50);

/// Whether every file that TLS needs can be used.
///
/// # Errors
/// Why not.
pub(super) fn check_tls(tls: &MqttTlsSection) -> Result<(), String> {
    tls::config(tls)
        .map(drop)
        .map_err(|failure| failure.to_string())
}

/// A message that waits for its acknowledgement.
#[derive(Debug)]
enum Flying {
    Event(u64),
    Notice(Notice),
    /// The latest of something; the next one replaces it.
    Other,
}

/// The sink.
#[derive(Debug)]
pub(super) struct Mqtt {
    settings: MqttSettings,
    topics: Topics,
    link: Link,
    outbox: Outbox,
    /// The sink of before a reload still has the outbox on the disk, and the connection.
    waits: bool,
    handle: Option<Handle>,
    commands: Option<Commands>,
    info: Option<Arc<Info>>,
    state: Option<String>,
    health: Option<String>,
    flying: BTreeMap<u16, (Flying, Instant)>,
    last_id: u16,
    /// When the next level of each channel may be sent.
    next_level: BTreeMap<usize, Instant>,
    condition: Arc<Mutex<LinkHealth>>,
    fault: Option<String>,
    /// Everything retained is to be published again, as soon as there is room.
    born: bool,
}

impl Mqtt {
    /// A sink that connects when it runs. Commands go to `handle`.
    ///
    /// # Errors
    /// When the outbox on the disk cannot be used.
    pub(super) fn new(settings: MqttSettings, handle: Option<Handle>) -> Result<Self, SinkError> {
        let limits = Limits {
            events: settings.outbox.max_events,
            bytes: settings.outbox.max_bytes,
            age: Duration::from_secs(settings.outbox.max_age_s),
        };
        let (journal, waits) = match journal(&settings)? {
            Opened::Ready(journal) => (journal.map(|journal| *journal), false),
            Opened::Held => (None, true),
        };
        let outbox = Outbox::new(limits, journal, now());
        say_waiting(&outbox);
        Ok(Mqtt {
            topics: Topics::new(&settings.topic_prefix, &settings.device),
            link: Link::new(Duration::from_secs(settings.retry_max_s.into())),
            settings,
            outbox,
            waits,
            handle,
            commands: None,
            info: None,
            state: None,
            health: None,
            flying: BTreeMap::new(),
            last_id: 0,
            next_level: BTreeMap::new(),
            condition: Arc::default(),
            fault: None,
            born: false,
        })
    }

    /// Puts an event in; `json` is an object.
    fn event(&mut self, info: &Info, seq: u64, json: String) {
        let historical = !self.link.is_up();
        self.outbox
            .push((&info.boot_id, seq), json, historical, now());
    }

    fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Up => {
                say!(
                    "mqtt: connected to {}:{}",
                    self.settings.host,
                    self.settings.port
                );
                self.condition(true, None);
                self.subscribe();
                self.announce();
            }
            Happened::Packet(packet) => self.packet(packet),
            Happened::Down(failure, wait) => self.down(&failure, wait),
        }
    }

    fn down(&mut self, failure: &Failure, wait: Duration) {
        self.flying.clear();
        self.outbox.rewind();
        let kind = failure.kind();
        let known = self
            .condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failure;
        if known != Some(kind) {
            // Said once; while it stays the same, health says so.
            tell(
                Severity::Warning,
                format_args!(
                    "mqtt: {}:{}: {failure}; trying again in {:.1} s, then ever more rarely",
                    self.settings.host,
                    self.settings.port,
                    wait.as_secs_f64(),
                ),
            );
        }
        self.condition(false, Some(kind));
    }

    fn condition(&self, up: bool, failure: Option<&'static str>) {
        let mut condition = self
            .condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        condition.up = up;
        condition.failure = failure;
    }

    fn packet(&mut self, packet: Incoming) {
        match packet {
            Incoming::PubAck(id) => match self.flying.remove(&id) {
                Some((Flying::Event(position), _)) => self.outbox.acknowledge(position),
                Some((Flying::Notice(notice), _)) => self.outbox.acknowledge_notice(&notice),
                Some((Flying::Other, _)) | None => {}
            },
            Incoming::SubAck(codes) => {
                if codes.contains(&0x80) {
                    let text = "mqtt: the broker does not let us receive commands or Home Assistant's birth";
                    tell(Severity::Warning, format_args!("{text}"));
                }
            }
            Incoming::Publish {
                topic,
                payload,
                retain,
                id,
            } => {
                if let (Some(id), Some(out)) = (id, self.link.out()) {
                    packet::pub_ack(out, id);
                }
                self.message(&topic, &payload, retain);
            }
            Incoming::TooLong { id } => {
                if let (Some(id), Some(out)) = (id, self.link.out()) {
                    packet::pub_ack(out, id);
                }
            }
            Incoming::ConnAck(_) | Incoming::PingResp => {}
        }
    }

    fn message(&mut self, topic: &str, payload: &[u8], retained: bool) {
        let prefix = self.settings.discovery_prefix.as_deref();
        if prefix.is_some_and(|prefix| topic == discovery::birth(prefix)) {
            // A retained birth is from before this connection, at which everything was announced.
            if payload == b"online" && !retained {
                self.born = true;
            }
        } else if let (Some(name), Some(commands)) =
            (self.topics.command_name(topic), &self.commands)
        {
            commands.take(name, payload, retained);
        }
    }

    fn subscribe(&mut self) {
        let id = self.id();
        let birth = self
            .settings
            .discovery_prefix
            .as_deref()
            .map(discovery::birth);
        let filters = [Some(self.topics.commands.as_str()), birth.as_deref()];
        let filters: Vec<&str> = filters.into_iter().flatten().collect();
        if let Some(out) = self.link.out() {
            packet::subscribe(out, id, &filters);
        }
    }

    /// Publishes everything that is retained.
    fn announce(&mut self) {
        self.retained(&self.topics.availability.clone(), "online");
        if let Some(info) = self.info.clone() {
            if let Some(prefix) = &self.settings.discovery_prefix {
                let (topic, payload) =
                    discovery::announcement(prefix, &self.settings.device, &self.topics, &info);
                self.retained(&topic, &payload);
            }
            if let Ok(payload) = serde_json::to_string(&*info) {
                self.retained(&self.topics.info.clone(), &payload);
            }
        }
        for (topic, payload) in [
            (self.topics.state.clone(), self.state.clone()),
            (self.topics.health.clone(), self.health.clone()),
        ] {
            if let Some(payload) = payload {
                self.retained(&topic, &payload);
            }
        }
    }

    fn retained(&mut self, topic: &str, payload: &str) {
        self.publish(topic, payload.as_bytes(), true, Flying::Other);
    }

    /// Publishes with QoS 1, if the connection is up. A broker that is so far behind is given up soon, see
    /// [`ACKNOWLEDGED`].
    fn publish(&mut self, topic: &str, payload: &[u8], retain: bool, flying: Flying) {
        if self.flying.len() >= FLYING {
            return;
        }
        let id = self.id();
        let Some(out) = self.link.out() else {
            return;
        };
        let id_of = Some(id);
        packet::publish(
            out,
            &Message {
                topic,
                payload,
                retain,
                id: id_of,
            },
        );
        self.flying.insert(id, (flying, Instant::now()));
    }

    /// A packet identifier that is not in use; 0 is none.
    fn id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.wrapping_add(1).max(1);
            if !self.flying.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }

    /// True when more may be sent; what is sent without a connection goes nowhere.
    fn has_room(&self) -> bool {
        !self.link.is_up() || (!self.link.is_congested() && self.flying.len() < WINDOW)
    }

    /// Sends results and events as far as there is room; true when something was sent.
    fn pump(&mut self) -> bool {
        let mut sent = false;
        if self.born && self.has_room() {
            self.born = false;
            self.announce();
            sent = true;
        }
        while self.has_room()
            && let Some(answer) = self.commands.as_ref().and_then(Commands::answer)
        {
            let topic = self.topics.result(&answer.name);
            self.publish(&topic, answer.payload.as_bytes(), false, Flying::Other);
            sent = true;
        }
        let topic = self.topics.event.clone();
        while self.link.is_up() && self.has_room() {
            let (payload, flying) = match self.outbox.next() {
                Some(Next::Event {
                    position,
                    payload,
                    historical,
                }) => (marked(&payload, historical), Flying::Event(position)),
                Some(Next::Notice(notice)) => match told(&notice) {
                    Some(payload) => (payload, Flying::Notice(notice)),
                    None => continue,
                },
                None => break,
            };
            self.publish(&topic, payload.as_bytes(), false, flying);
            sent = true;
        }
        sent
    }

    /// Goes on with everything as far as it goes without waiting.
    fn advance(&mut self, now: Instant) {
        let late = |(_, since): &(Flying, Instant)| now.duration_since(*since) > ACKNOWLEDGED;
        if self.link.is_up() && self.flying.values().any(late) {
            let failure = Failure::Network("the broker does not acknowledge".into());
            let down = self.link.fail(failure, now);
            self.happened(down);
        }
        for _ in 0..16 {
            let will = (self.topics.availability.as_str(), "offline");
            let happened = self.link.turn(&self.settings, will, now);
            let quiet = happened.is_empty();
            happened
                .into_iter()
                .for_each(|happened| self.happened(happened));
            if !self.pump() && quiet {
                break;
            }
        }
    }

    fn note_fault(&mut self) {
        if self.outbox.fault() != self.fault.as_deref() {
            self.fault = self.outbox.fault().map(str::to_owned);
            match &self.fault {
                Some(fault) => tell(
                    Severity::Warning,
                    format_args!(
                        "mqtt: the outbox cannot be written ({fault}); events are in memory only"
                    ),
                ),
                None => say!("mqtt: the outbox can be written again"),
            }
        }
        let mut condition = self
            .condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        condition.waiting = self.outbox.waiting();
        condition.given_up = self.outbox.given_up();
        condition.in_memory_only = self.fault.is_some();
    }

    /// Takes the outbox over from the sink of before a reload, once that has ended.
    fn take_over(&mut self) -> Result<(), SinkError> {
        if let Opened::Ready(journal) = journal(&self.settings)? {
            self.waits = false;
            if let Some(journal) = journal {
                self.outbox.adopt(*journal, now());
                say_waiting(&self.outbox);
            }
        }
        Ok(())
    }

    /// Goes on until it is done, the connection is gone or the time is up.
    fn work_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) {
        while self.link.is_up() && !done(self) && Instant::now() < until {
            self.advance(Instant::now());
            if !done(self) {
                self.wait(until);
            }
        }
    }

    /// Waits for the broker until a time.
    fn wait(&self, until: Instant) {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        if let Some((descriptor, flags)) = self.link.interest() {
            let mut descriptors = [PollFd::from_borrowed_fd(descriptor, flags)];
            // An interrupted wait is an early end of it.
            let _ = poll(&mut descriptors, Some(&timeout));
        }
    }
}

impl Sink for Mqtt {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capacity(&self) -> usize {
        1024
    }

    fn good_bye(&self) -> Duration {
        GOOD_BYE
    }

    fn condition(&self) -> Option<Arc<Mutex<LinkHealth>>> {
        Some(Arc::clone(&self.condition))
    }

    fn wakes(&mut self, waker: Waker) {
        self.link.wakes(waker.clone());
        match Commands::start(self.handle.take(), waker) {
            Ok(commands) => self.commands = Some(commands),
            Err(error) => tell(
                Severity::Error,
                format_args!("mqtt: commands are not taken: {error}"),
            ),
        }
    }

    fn take(&mut self, report: &Report) -> Result<(), SinkError> {
        if let Report::Info(info) = report {
            self.info = Some(Arc::clone(info));
            if self.link.is_up() {
                self.announce();
            }
            return Ok(());
        }
        let Some(info) = self.info.clone() else {
            return Ok(());
        };
        match report {
            Report::Info(_) => {}
            Report::Event(event) => {
                let json = json::event(&info, event, Times::AudioAndClock).map_err(unwritten)?;
                self.event(&info, event.seq, json);
            }
            Report::Aggregate(aggregate) => {
                let json =
                    json::aggregate(&info, aggregate, Times::AudioAndClock).map_err(unwritten)?;
                self.event(&info, aggregate.seq, json);
            }
            Report::Dropped(dropped) => self.outbox.lost(&info.boot_id, *dropped),
            Report::Level(level) => {
                let interval = self.settings.level_interval_ms.map(u64::from);
                let now = Instant::now();
                let due = self
                    .next_level
                    .get(&level.channel)
                    .is_none_or(|due| *due <= now);
                if let (Some(interval), true, false) = (interval, due, self.link.is_congested()) {
                    let json = json::level(level).map_err(unwritten)?;
                    self.next_level
                        .insert(level.channel, now + Duration::from_millis(interval));
                    let (topic, payload) = (self.topics.levels.as_str(), json.as_bytes());
                    if let Some(out) = self.link.out() {
                        let (retain, id) = (false, None);
                        packet::publish(
                            out,
                            &Message {
                                topic,
                                payload,
                                retain,
                                id,
                            },
                        );
                    }
                }
            }
            Report::Status(status) => {
                let json = serde_json::to_string(&**status).map_err(unwritten)?;
                self.retained(&self.topics.state.clone(), &json);
                self.state = Some(json);
            }
            Report::Health(health) => {
                let json = serde_json::to_string(&**health).map_err(unwritten)?;
                self.retained(&self.topics.health.clone(), &json);
                self.health = Some(json);
            }
        }
        Ok(())
    }

    fn turn(&mut self, now_is: Instant) -> Result<Option<Instant>, SinkError> {
        if self.waits {
            self.take_over()?;
            if self.waits {
                return Ok(Some(now_is + HAND_OVER));
            }
        }
        self.advance(now_is);
        let outbox = self.outbox.turn(now());
        self.note_fault();
        let keep_alive = Duration::from_secs(self.settings.keep_alive_s.into());
        let late = self
            .flying
            .values()
            .map(|(_, since)| *since + ACKNOWLEDGED)
            .min();
        Ok([self.link.due(keep_alive), outbox, late]
            .into_iter()
            .flatten()
            .min())
    }

    fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.link.interest()
    }

    fn close(&mut self, deadline: Instant) {
        let soon = deadline.checked_sub(LAST_WORDS).unwrap_or(deadline);
        while self.waits && self.outbox.waiting() > 0 && Instant::now() < soon {
            if let Err(error) = self.take_over() {
                tell(Severity::Warning, format_args!("{error}"));
                break;
            }
            std::thread::sleep(HAND_OVER);
        }
        // Whatever the broker does, it is on the disk first.
        self.outbox.close();
        self.work_until(soon, |sink| sink.outbox.waiting() == 0);
        if self.link.is_up() {
            self.retained(&self.topics.availability.clone(), "stopped");
            let last = self.last_id;
            self.work_until(deadline, |sink| !sink.flying.contains_key(&last));
            if let Some(out) = self.link.out() {
                out.extend(packet::DISCONNECT);
            }
            self.work_until(deadline, |sink| sink.link.is_flushed());
        }
        self.outbox.close();
    }
}

/// What became of opening the outbox on the disk.
enum Opened {
    /// It is there, if one is wanted.
    Ready(Option<Box<Journal>>),
    /// Another sink of this process has it.
    Held,
}

fn say_waiting(outbox: &Outbox) {
    if outbox.waiting() > 0 {
        say!(
            "mqtt: {} event(s) of before wait in the outbox",
            outbox.waiting()
        );
    }
}

fn journal(settings: &MqttSettings) -> Result<Opened, SinkError> {
    let Some(path) = &settings.outbox.path else {
        return Ok(Opened::Ready(None));
    };
    let failed = |reason: String| SinkError::Start {
        name: NAME,
        reason: format!("the outbox in {}: {reason}", path.display()),
    };
    let folder = match Folder::open(path) {
        Ok(folder) => folder,
        Err(error) => match error.kind() {
            ErrorKind::ResourceBusy => return Ok(Opened::Held),
            ErrorKind::WouldBlock => return Err(failed("another undertoned uses it".into())),
            _ => {
                return Err(failed(format!(
                    "{error}; make it writable for this user, or change mqtt.outbox.path"
                )));
            }
        },
    };
    let interval = Duration::from_millis(settings.outbox.sync_ms);
    let journal = Journal::open(Box::new(folder), interval, SEGMENT_BYTES)
        .map_err(|error| failed(error.to_string()))?;
    if journal.damaged() > 0 {
        let bytes = journal.damaged();
        say!("mqtt: the outbox had a torn end; {bytes} byte(s) of it are not used");
    }
    Ok(Opened::Ready(Some(Box::new(journal))))
}

/// An event with the mark of whether it is of now.
fn marked(json: &str, historical: bool) -> String {
    let open = json.strip_suffix('}').unwrap_or(json);
    format!("{open},\"historical\":{historical}}}")
}

fn told(notice: &Notice) -> Option<String> {
    let dropped = Dropped {
        count: notice.count,
        first_seq: notice.first_seq,
        last_seq: notice.last_seq,
    };
    json::dropped(&notice.boot_id, dropped).ok()
}

fn unwritten(error: serde_json::Error) -> SinkError {
    SinkError::Write {
        name: NAME,
        reason: error.into(),
    }
}

fn now() -> Now {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        instant: Instant::now(),
        wall_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    }
}
