//! What comes from boxes, whichever way, in one form.

use serde_json::{Value, json};

/// What a message is about: the topics of MQTT, which the other ways share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Availability,
    Info,
    State,
    Event,
    Level,
    Health,
    /// Of the serial line: frames, damage, loss.
    Line,
    /// Messages that this program missed.
    Missed,
}

impl Topic {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Topic::Availability => "availability",
            Topic::Info => "info",
            Topic::State => "state",
            Topic::Event => "event",
            Topic::Level => "levels",
            Topic::Health => "health",
            Topic::Line => "line",
            Topic::Missed => "missed",
        }
    }

    /// By the last level of an MQTT topic.
    pub(crate) fn of_mqtt(name: &str) -> Option<Self> {
        use Topic::{Availability, Event, Health, Info, Level, State};
        [Availability, Info, State, Event, Level, Health]
            .into_iter()
            .find(|topic| topic.name() == name)
    }

    /// By the `kind` of a line of the control socket.
    pub(crate) fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "info" => Topic::Info,
            "status" => Topic::State,
            "health" => Topic::Health,
            "level" => Topic::Level,
            "missed" => Topic::Missed,
            "start" | "update" | "end" | "aggregate" | "dropped" => Topic::Event,
            _ => return None,
        })
    }
}

/// One message of one box. `body` is untrusted, but its size is bounded by where it was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    pub(crate) device: String,
    pub(crate) topic: Topic,
    /// It was there before us, and is not of now.
    pub(crate) retained: bool,
    pub(crate) body: Value,
}

impl Message {
    /// Of now.
    pub(crate) fn new(device: &str, topic: Topic, body: Value) -> Self {
        Message {
            device: device.to_owned(),
            topic,
            retained: false,
            body,
        }
    }

    /// As one line of JSON.
    pub(crate) fn line(&self) -> String {
        let whole = json!({
            "device": self.device,
            "topic": self.topic.name(),
            "retained": self.retained,
            "message": self.body,
        });
        crate::clean::escaped(&whole.to_string())
    }
}
