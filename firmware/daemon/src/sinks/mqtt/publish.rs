//! What goes to the broker, and how much of it at once.

use std::time::{Duration, Instant};

use undertone_mqtt::packet::{self, Message};

use super::commands::Commands;
use super::outbox::{Next, Notice};
use super::{Flying, Mqtt, discovery};
use crate::status::Dropped;
use crate::status::json;

/// Events on their way at once.
const WINDOW: usize = 32;
/// Messages that wait for their acknowledgement, whatever they are; there is no number for more than 65535.
const FLYING: usize = 1024;
/// How long an acknowledgement may take.
pub(super) const ACKNOWLEDGED: Duration = Duration::from_secs(30);

impl Mqtt {
    /// Publishes everything that is retained.
    pub(super) fn announce(&mut self) {
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

    pub(super) fn retained(&mut self, topic: &str, payload: &str) {
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
    pub(super) fn id(&mut self) -> u16 {
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
    pub(super) fn pump(&mut self) -> bool {
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
                }) => (json::marked(&payload, historical), Flying::Event(position)),
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
}

fn told(notice: &Notice) -> Option<String> {
    let dropped = Dropped {
        count: notice.count,
        first_seq: notice.first_seq,
        last_seq: notice.last_seq,
    };
    json::dropped(&notice.boot_id, dropped).ok()
}
