//! Boxes at a broker.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;
use undertone_mqtt::{Happened, Incoming, Link, Settings, packet};

use crate::broker::{Bell, refused};
use crate::failure::Failure;
use crate::monitor::feed::{Feed, Gone, Input};
use crate::monitor::message::{Message, Topic};

/// The longest wait; whether anybody listens still is looked at then.
const LOOK: Duration = Duration::from_secs(1);

/// Whether it may be part of a topic.
pub(crate) fn is_topic(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.split('/').all(|level| !level.is_empty())
        && !text.contains(|letter: char| letter.is_control() || "+#$".contains(letter))
}

/// Watches the boxes under `prefix`, or the one of them that is named.
pub(crate) fn start(
    settings: Settings,
    prefix: &str,
    device: Option<&str>,
    feed: Feed,
) -> Result<()> {
    let place = format!("{}:{}", settings.host, settings.port);
    let mut link = Link::new(settings);
    let mut bell = Bell::of(&mut link)?;
    let mut watch = Watch {
        link,
        place,
        prefix: format!("{prefix}/"),
        device: device.unwrap_or("+").to_owned(),
        feed,
    };
    std::thread::Builder::new()
        .name("mqtt".into())
        .spawn(move || {
            while watch.turn().is_ok() {
                bell.wait(&watch.link, LOOK);
            }
        })
        .context("the system refuses a thread")?;
    Ok(())
}

struct Watch {
    link: Link,
    place: String,
    prefix: String,
    device: String,
    feed: Feed,
}

impl Watch {
    fn turn(&mut self) -> Result<(), Gone> {
        let happened = self.link.turn(Instant::now());
        let some = !happened.is_empty();
        for happened in happened {
            match happened {
                Happened::Up => {
                    let names = ["availability", "info", "state", "event", "levels", "health"];
                    let filters =
                        names.map(|name| format!("{}{}/{name}", self.prefix, self.device));
                    if let Some(out) = self.link.out() {
                        packet::subscribe(out, 1, &filters.each_ref().map(String::as_str));
                    }
                    self.feed.tell(Input::Up)?;
                }
                Happened::Down(failure, wait) => self.feed.tell(Input::Down {
                    why: format!(
                        "{}: {failure}; trying again in {:.1} s",
                        self.place,
                        wait.as_secs_f64()
                    ),
                    refused: refused(&self.place, &failure),
                })?,
                Happened::Packet(packet) => self.packet(packet)?,
            }
        }
        if some {
            // What was just written goes out now, and not with what comes next.
            let late = self.link.turn(Instant::now());
            for happened in late {
                match happened {
                    Happened::Packet(packet) => self.packet(packet)?,
                    Happened::Down(failure, _) => self.feed.tell(Input::Down {
                        why: format!("{}: {failure}", self.place),
                        refused: refused(&self.place, &failure),
                    })?,
                    Happened::Up => {}
                }
            }
        }
        Ok(())
    }

    fn packet(&mut self, packet: Incoming) -> Result<(), Gone> {
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
                match read(&self.prefix, &topic, &payload, retain) {
                    Some(message) => self.feed.message(message),
                    None => Ok(()),
                }
            }
            Incoming::TooLong { id } => {
                if let (Some(id), Some(out)) = (id, self.link.out()) {
                    packet::pub_ack(out, id);
                }
                Ok(())
            }
            Incoming::SubAck(codes) if codes.contains(&0x80) => {
                let why = format!(
                    "{}: the broker does not let us read {}{}/...",
                    self.place, self.prefix, self.device
                );
                let next = "give the user the right to read these topics at the broker";
                let refused = Failure::error("broker-authentication", why.clone(), next);
                self.feed.tell(Input::Down { why, refused })
            }
            _ => Ok(()),
        }
    }
}

/// A message by its topic. An empty payload, which removes a retained message, and what is no JSON say nothing.
fn read(prefix: &str, topic: &str, payload: &[u8], retained: bool) -> Option<Message> {
    let (device, name) = topic.strip_prefix(prefix)?.split_once('/')?;
    let topic = Topic::of_mqtt(name)?;
    let body = match topic {
        Topic::Availability => {
            let text = std::str::from_utf8(payload)
                .ok()
                .filter(|text| !text.is_empty())?;
            Value::String(text.chars().take(64).collect())
        }
        _ => serde_json::from_slice(payload)
            .ok()
            .filter(Value::is_object)?,
    };
    Some(Message {
        device: device.chars().take(64).collect(),
        topic,
        retained,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_box_says_is_taken() {
        let read =
            |topic: &str, payload: &str| read("undertone/v1/", topic, payload.as_bytes(), true);
        let message = read("undertone/v1/kitchen/state", r#"{"state":"speech"}"#).unwrap();
        assert_eq!(
            (message.device.as_str(), message.topic),
            ("kitchen", Topic::State)
        );
        assert_eq!(
            read("undertone/v1/kitchen/availability", "online")
                .unwrap()
                .body,
            "online"
        );
        for (topic, payload) in [
            ("undertone/v1/kitchen/state", "nonsense"),
            ("undertone/v1/kitchen/state", "[1]"),
            ("undertone/v1/kitchen/availability", ""),
            ("undertone/v1/kitchen/cmd/mute", "{}"),
            ("undertone/v1/kitchen", "{}"),
            ("other/kitchen/state", "{}"),
        ] {
            assert_eq!(read(topic, payload), None, "{topic} {payload}");
        }
        let deep = "[".repeat(60_000);
        assert_eq!(read("undertone/v1/kitchen/state", &deep), None);
    }

    #[test]
    fn topics_have_no_wildcards() {
        assert!(is_topic("undertone/v1"));
        for wrong in ["", "a//b", "a/+", "#", "a\u{1b}", "/a"] {
            assert!(!is_topic(wrong), "{wrong:?}");
        }
    }
}
