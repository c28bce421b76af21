//! What becomes of the connection, and what the broker says.

use std::sync::PoisonError;
use std::time::Duration;

use undertone_mqtt::{Failure, Happened, Incoming, packet};

use super::tls::advised;
use super::{Flying, Mqtt, discovery};
use crate::talk::{Severity, say, tell};

impl Mqtt {
    pub(super) fn happened(&mut self, happened: Happened) {
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
                    "mqtt: {}:{}: {}; trying again in {:.1} s, then ever more rarely",
                    self.settings.host,
                    self.settings.port,
                    advised(failure),
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
}
