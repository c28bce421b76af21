//! The MQTT sink: retained state, events with their acknowledgement, commands, Home Assistant.
//!
//! In: reports, and messages of the broker. Out: the topics of [`Topics`] in JSON; `docs/mqtt.md` has each with its fields.
//!
//! - An event is forgotten on its acknowledgement and not before; see [`outbox`]. Everything else is of now: its latest
//!   value is published again on every connection.
//! - Nothing here waits. Looking names up, connecting and carrying commands out have threads of their own.
//! - What is wrong is told apart by what has to be done about it, in talk and in health; see [`Failure`](undertone_mqtt::Failure).

mod advance;
mod commands;
mod connection;
mod discovery;
mod outbox;
mod probe;
mod publish;
mod sink;
mod succession;
mod tls;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use undertone_mqtt::Link;

use self::commands::Commands;
use self::outbox::{Limits, Notice, Now, Opened, Outbox};
pub(crate) use self::probe::{Refused, probe};
use self::succession::Place;
use super::SinkError;
use crate::config::MqttSettings;
use crate::control::Handle;
use crate::status::{Info, LinkHealth, Topics};

pub(crate) use self::tls::check as check_tls;

const NAME: &str = "mqtt";

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
    /// A sink of before a reload still has the outbox on the disk, and the connection.
    waits: bool,
    /// Behind the outbox, which is closed before the next one has its turn.
    place: Place,
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
        let topics = Topics::new(&settings.topic_prefix, &settings.device);
        let place = Place::take();
        let (journal, waits) = match outbox::open(&settings.outbox)? {
            Opened::Ready(journal) if place.is_first() => (journal.map(|journal| *journal), false),
            // Closed again: it was only to know that it can be used.
            Opened::Ready(_) | Opened::Held => (None, true),
        };
        let outbox = Outbox::new(limits, journal, now());
        outbox.say_waiting();
        Ok(Mqtt {
            link: Link::new(settings.client(&topics.availability)),
            topics,
            settings,
            outbox,
            waits,
            place,
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
