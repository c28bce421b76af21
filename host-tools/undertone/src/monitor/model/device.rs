//! What is known of one box.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use undertone_events::MAX_LABELS;

use super::health::{Health, health};
use super::read::{count, number, shares, text, texts, truth};
use crate::clean::short;
use crate::monitor::message::{Message, Topic};

/// Lines of history that are kept for a box.
const HISTORY: usize = 100;
/// Channels whose level is kept.
const CHANNELS: usize = 16;

/// Whether a box is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Nobody says; serial lines and sockets do not.
    #[default]
    Unknown,
    Online,
    /// It has said good-bye.
    Stopped,
    /// It is gone without a word: the broker has told its last will.
    Offline,
}

/// The level of a channel.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Level {
    pub(crate) rms_dbfs: f64,
    pub(crate) peak_dbfs: f64,
    pub(crate) signal: String,
    pub(crate) dead: bool,
    pub(crate) raised: bool,
}

/// What was heard last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Heard {
    /// The utterance goes on.
    pub(crate) open: bool,
    pub(crate) id: u64,
    pub(crate) channel: u64,
    pub(crate) label: String,
    pub(crate) confidence: f64,
    /// By label, in the order of the box, where that is known.
    pub(crate) scores: Vec<(String, f64)>,
    /// Length of the utterance so far, by the audio's time.
    pub(crate) length_ms: Option<u64>,
}

/// A line of history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) at: Duration,
    pub(crate) text: String,
    /// It tells of something that is not as it should be.
    pub(crate) bad: bool,
}

/// One box.
#[derive(Debug, Default)]
pub(crate) struct Device {
    pub(crate) presence: Presence,
    /// When it said something of now.
    pub(crate) seen: Option<Duration>,
    pub(crate) state: String,
    pub(crate) signal: String,
    pub(crate) troubles: Vec<String>,
    pub(crate) version: String,
    pub(crate) model: String,
    pub(crate) purpose: String,
    labels: Vec<String>,
    pub(crate) levels: Vec<(u64, Level)>,
    pub(crate) heard: Heard,
    pub(crate) history: VecDeque<Line>,
    pub(crate) health: Health,
    pub(crate) events: u64,
    /// Events whose number is missing.
    pub(crate) missing: u64,
    boot: String,
    seq: Option<u64>,
}

impl Device {
    pub(crate) fn take(&mut self, message: &Message, now: Duration) {
        let body = &message.body;
        if !message.retained && message.topic != Topic::Availability {
            self.seen = Some(now);
        }
        match message.topic {
            Topic::Availability => self.presence(body, message.retained, now),
            Topic::Info => self.info(body),
            Topic::State => self.status(body, message.retained, now),
            Topic::Event => self.event(body, now),
            Topic::Level => self.level(body),
            Topic::Health => self.health = health(body),
            Topic::Line => {
                let of = |field| count(body, field).unwrap_or(0);
                let text = format!(
                    "line: {} damaged, {} lost, {} overrun",
                    of("damaged"),
                    of("lost"),
                    of("overruns")
                );
                self.note(now, text, true);
            }
            Topic::Missed => {
                let text = format!(
                    "{} reports were missed: this program is too slow",
                    count(body, "count").unwrap_or(0)
                );
                self.note(now, text, true);
            }
        }
    }

    fn note(&mut self, at: Duration, text: String, bad: bool) {
        if self.history.len() >= HISTORY {
            self.history.pop_back();
        }
        self.history.push_front(Line { at, text, bad });
    }

    fn presence(&mut self, body: &Value, retained: bool, now: Duration) {
        let presence = match body.as_str() {
            Some("online") => Presence::Online,
            Some("stopped") => Presence::Stopped,
            Some("offline") => Presence::Offline,
            _ => return,
        };
        if presence == self.presence {
            return;
        }
        self.presence = presence;
        if !retained {
            let (text, bad) = match presence {
                Presence::Offline => ("gone without a word", true),
                Presence::Stopped => ("stopped", false),
                Presence::Online | Presence::Unknown => ("online", false),
            };
            self.note(now, text.to_owned(), bad);
        }
        if presence != Presence::Online {
            // Nothing of what was live still is.
            self.levels.clear();
            self.heard.open = false;
        }
    }

    fn info(&mut self, body: &Value) {
        self.version = text(body, "version");
        self.model = text(body, "model_hash").chars().take(12).collect();
        self.purpose = text(body, "purpose");
        self.labels = texts(body, "labels", MAX_LABELS);
    }

    fn status(&mut self, body: &Value, retained: bool, now: Duration) {
        let state = text(body, "state");
        if state != self.state {
            let bad = matches!(state.as_str(), "stalled" | "mic-lost" | "degraded");
            let plain = matches!(state.as_str(), "speech" | "listening")
                && matches!(self.state.as_str(), "speech" | "listening");
            if !retained && !plain {
                self.note(now, format!("state {state}"), bad);
            }
            self.state = state;
        }
        self.signal = text(body, "signal");
        self.troubles = texts(body, "troubles", 8);
    }

    fn level(&mut self, body: &Value) {
        let channel = count(body, "channel").unwrap_or(0);
        let level = Level {
            rms_dbfs: number(body, "rms_dbfs", -120.0, 0.0).unwrap_or(-120.0),
            peak_dbfs: number(body, "peak_dbfs", -120.0, 0.0).unwrap_or(-120.0),
            signal: text(body, "signal"),
            dead: truth(body, "dead"),
            raised: truth(body, "raised_voice"),
        };
        if let Some((_, known)) = self.levels.iter_mut().find(|(known, _)| *known == channel) {
            *known = level;
        } else if self.levels.len() < CHANNELS {
            self.levels.push((channel, level));
            self.levels.sort_by_key(|(channel, _)| *channel);
        }
    }

    fn event(&mut self, body: &Value, now: Duration) {
        self.follow(body);
        let kind = text(body, "kind");
        match kind.as_str() {
            "start" | "update" | "end" => self.hear(&kind, body, now),
            "aggregate" => {
                let of = |field| count(body, field).unwrap_or(0);
                let text = format!(
                    "interval of {} s: {} utterances, {} s of speech",
                    of("interval_ms") / 1000,
                    of("utterances"),
                    of("speech_ms") / 1000
                );
                self.note(now, text, false);
            }
            "dropped" => {
                let lost = count(body, "count").unwrap_or(0);
                self.note(now, format!("{lost} events were given up by the box"), true);
            }
            _ => {}
        }
    }

    fn hear(&mut self, kind: &str, body: &Value, now: Duration) {
        let mut scores = shares(body, "scores", MAX_LABELS);
        // JSON objects have no order; the box has one.
        let place = |name: &String| {
            self.labels
                .iter()
                .position(|label| label == name)
                .unwrap_or(MAX_LABELS)
        };
        scores.sort_by_key(|(name, _)| place(name));
        let begin = count(body, "start_ms");
        let heard = Heard {
            open: kind != "end",
            id: count(body, "id").unwrap_or(0),
            channel: count(body, "channel").unwrap_or(0),
            label: text(body, "label"),
            confidence: number(body, "confidence", 0.0, 1.0).unwrap_or(0.0),
            scores,
            length_ms: begin.and_then(|begin| count(body, "at_ms")?.checked_sub(begin)),
        };
        let length = heard
            .length_ms
            .map(|length| format!(" {:.1} s", length as f64 / 1000.0))
            .unwrap_or_default();
        let reason = text(body, "reason");
        let why = if reason.is_empty() || reason == "silence" {
            String::new()
        } else {
            format!(" ({reason})")
        };
        let old = if truth(body, "historical") {
            " (waited for a connection)"
        } else {
            ""
        };
        let line = format!(
            "#{} {kind:<6} {} {:.0} %{length}{why}{old}",
            heard.id,
            short(&heard.label, 16),
            heard.confidence * 100.0,
        );
        self.note(now, line, false);
        self.heard = heard;
    }

    /// Finds missing events: numbers follow one another within a boot.
    fn follow(&mut self, body: &Value) {
        self.events += 1;
        let boot = text(body, "boot_id");
        let Some(seq) = count(body, "seq").or_else(|| count(body, "last_seq")) else {
            return;
        };
        let first = count(body, "first_seq").unwrap_or(seq);
        if boot == self.boot
            && let Some(before) = self.seq
        {
            self.missing = self
                .missing
                .saturating_add(first.saturating_sub(before).saturating_sub(1));
            // One that was sent again is older.
            self.seq = Some(before.max(seq));
        } else {
            self.boot = boot;
            self.seq = Some(seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn take(device: &mut Device, topic: Topic, body: Value) {
        device.take(&Message::new("box", topic, body), Duration::from_secs(1));
    }

    #[test]
    fn missing_numbers_are_counted_once_and_a_new_boot_begins_anew() {
        let mut device = Device::default();
        let mut event = |seq: u64, boot: &str| {
            let body = json!({"kind": "start", "id": 1, "seq": seq, "boot_id": boot});
            take(&mut device, Topic::Event, body);
            device.missing
        };
        assert_eq!([event(5, "a"), event(6, "a"), event(9, "a")], [0, 0, 2]);
        assert_eq!([event(7, "a"), event(10, "a"), event(1, "b")], [2, 2, 2]);
    }

    #[test]
    fn an_utterance_is_followed_with_its_scores_in_the_order_of_the_model() {
        let mut device = Device::default();
        take(
            &mut device,
            Topic::Info,
            json!({"labels": ["neutral", "angry"]}),
        );
        let body = json!({"kind": "update", "id": 2, "label": "angry", "confidence": 0.7, "start_ms": 1000, "at_ms": 3500,
            "scores": {"angry": 0.7, "neutral": 0.3}});
        take(&mut device, Topic::Event, body);
        assert!(device.heard.open);
        assert_eq!(
            device.heard.scores,
            [("neutral".to_owned(), 0.3), ("angry".to_owned(), 0.7)]
        );
        assert_eq!(device.heard.length_ms, Some(2500));
        take(&mut device, Topic::Availability, json!("offline"));
        assert!(!device.heard.open);
        assert_eq!(device.history[0].text, "gone without a word");
    }

    #[test]
    fn no_body_makes_it_panic_or_grow_or_hold_what_a_terminal_acts_on() {
        let mut device = Device::default();
        let hostile = "\u{1b}[2J\u{9b}x".repeat(1000);
        let bodies = [
            json!(null),
            json!([1, 2]),
            json!({"kind": "start", "id": -1, "label": hostile, "confidence": 1e308, "scores": {hostile.clone(): "x"},
                "start_ms": u64::MAX, "at_ms": 0, "seq": u64::MAX, "boot_id": hostile}),
            json!({"kind": "dropped", "first_seq": u64::MAX, "last_seq": 0, "count": u64::MAX}),
            json!({"state": hostile, "signal": 7, "troubles": [hostile, 1]}),
            json!({"channel": u64::MAX, "rms_dbfs": "loud", "peak_dbfs": 1e300}),
            json!({"temperature_c": 1e300, "queues": [{"link": {"up": 3}}, 1], "uptime_s": u64::MAX}),
        ];
        for _ in 0..200 {
            for body in &bodies {
                for topic in [
                    Topic::Availability,
                    Topic::Info,
                    Topic::State,
                    Topic::Event,
                    Topic::Level,
                    Topic::Health,
                    Topic::Line,
                    Topic::Missed,
                ] {
                    take(&mut device, topic, body.clone());
                }
            }
        }
        assert_eq!(device.history.len(), HISTORY);
        let shown = format!("{:?}", device.history) + &device.state + &device.heard.label;
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{9b}'));
    }
}
