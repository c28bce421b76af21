//! A box at the other end of a serial line: frames of undertone-wire, told in the words of the JSON forms.

use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Map, Value, json};
use undertone_mqtt::Backoff;
use undertone_wire::{Counters, Decoder, Event, Hello, Phase, SCORE_ONE};

use super::End;
use crate::monitor::feed::{Feed, Input};
use crate::monitor::message::{Message, Topic};
use crate::text::hex;

/// Seconds without a byte after which the port is opened anew; the box sends a heartbeat every second or so.
const SILENCE_S: i64 = 15;

/// Watches a line.
pub(crate) fn start(path: PathBuf, baud: u32, feed: Feed) -> Result<()> {
    let place = path.display().to_string();
    let mut far = Far::default();
    super::again("serial", place, advice, feed, move |feed, backoff| {
        watch(&path, baud, &mut far, feed, backoff)
    })
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "plug the adapter in; ls -l /dev/serial/by-id shows what there is",
        ErrorKind::PermissionDenied => "usermod -aG dialout USER, and log in again",
        ErrorKind::WouldBlock | ErrorKind::ResourceBusy => {
            "another program has the port: fuser -v PORT shows which"
        }
        ErrorKind::TimedOut => "check the wires and --baud: the box sends a heartbeat every second",
        _ => "ls -l /dev/serial/by-id shows the ports that there are",
    }
}

fn watch(
    path: &Path,
    baud: u32,
    far: &mut Far,
    feed: &Feed,
    backoff: &mut Backoff,
) -> Result<(), End> {
    let mut port = undertone_serial::open(path, baud)?;
    let mut decoder = Decoder::new();
    let (mut bytes, mut up) = ([0; 1024], false);
    loop {
        let patience = Timespec {
            tv_sec: SILENCE_S,
            tv_nsec: 0,
        };
        let ready = match poll(&mut [PollFd::new(&port, PollFlags::IN)], Some(&patience)) {
            Err(rustix::io::Errno::INTR) => continue,
            ready => ready.map_err(io::Error::from)?,
        };
        if ready == 0 {
            return Err(io::Error::new(ErrorKind::TimedOut, "nothing comes over the line").into());
        }
        let count = match port.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for byte in bytes.iter().take(count) {
            let Some(frame) = decoder.feed(*byte) else {
                continue;
            };
            // A message of a newer box is passed over, as the protocol says.
            let Ok(message) = frame.message() else {
                continue;
            };
            if !up {
                up = true;
                backoff.reset();
                feed.tell(Input::Up)?;
            }
            let told = far.take(message, &mut || decoder.counters());
            for message in told {
                feed.message(message)?;
            }
        }
    }
}

/// What is known of the box.
#[derive(Debug, Default)]
struct Far {
    hello: Option<Hello>,
    labels: Vec<String>,
    counters: Counters,
}

impl Far {
    fn take(
        &mut self,
        message: undertone_wire::Message,
        counters: &mut dyn FnMut() -> Counters,
    ) -> Vec<Message> {
        use undertone_wire::Message as Wire;
        let (topic, body) = match message {
            Wire::Hello(hello) => {
                let anew = self.hello.is_none_or(|before| before.model != hello.model);
                self.hello = Some(hello);
                if anew {
                    self.labels.clear();
                }
                (Topic::Info, self.info())
            }
            Wire::Label(label) => {
                let index = usize::from(label.index);
                if index >= undertone_wire::MAX_LABELS {
                    return Vec::new();
                }
                if self.labels.len() <= index {
                    self.labels.resize(index + 1, String::new());
                }
                self.labels[index] = label.name.as_str().to_owned();
                if index + 1 < usize::from(label.of) {
                    return Vec::new();
                }
                (Topic::Info, self.info())
            }
            Wire::Event(event) => (Topic::Event, self.event(&event)),
            Wire::Heartbeat(beat) => {
                let state = kebab(&format!("{:?}", beat.state));
                let signal = kebab(&format!("{:?}", beat.signal));
                (
                    Topic::State,
                    json!({"state": state, "signal": signal, "uptime_ms": beat.uptime_ms}),
                )
            }
            Wire::Health(health) => (
                Topic::Health,
                json!({
                    "temperature_c": health.temperature_dc.map(|tenths| f64::from(tenths) / 10.0),
                    "throttled": health.throttled, "xruns": health.xruns, "gaps": health.gaps,
                    "queue_depth": health.queue_depth, "inference_p50_us": health.inference_p50_us,
                    "inference_p95_us": health.inference_p95_us, "inference_p99_us": health.inference_p99_us,
                }),
            ),
            Wire::Dropped(dropped) => (
                Topic::Event,
                json!({
                    "kind": "dropped", "count": dropped.count, "first_seq": dropped.first_seq,
                    "last_seq": dropped.last_seq, "boot_id": self.boot(),
                }),
            ),
        };
        let mut told = vec![Message::new("serial", topic, body)];
        let now = counters();
        let damage = |counters: Counters| {
            (
                counters.crc_errors,
                counters.overruns,
                counters.lost,
                counters.restarts,
            )
        };
        if damage(now) != damage(self.counters) {
            self.counters = now;
            let body = json!({
                "frames": now.frames, "damaged": now.crc_errors, "overruns": now.overruns,
                "lost": now.lost, "restarts": now.restarts,
            });
            told.push(Message::new("serial", Topic::Line, body));
        }
        told
    }

    fn info(&self) -> Value {
        let Some(hello) = &self.hello else {
            return json!({"labels": self.labels});
        };
        json!({
            "version": hello.firmware(), "product": hello.product(), "model_hash": hex(&hello.model),
            "boot_id": self.boot(), "labels": self.labels,
        })
    }

    fn boot(&self) -> Option<String> {
        self.hello.map(|hello| hex(&hello.boot))
    }

    fn event(&self, event: &Event) -> Value {
        let share = |score: u16| f64::from(score) / f64::from(SCORE_ONE);
        let name = |index: usize| match self.labels.get(index) {
            Some(name) if !name.is_empty() => name.clone(),
            // Until the next Hello tells.
            _ => format!("label {index}"),
        };
        let scores = event.scores.as_slice().iter().enumerate();
        let scores: Map<String, Value> = scores
            .map(|(index, score)| (name(index), share(*score).into()))
            .collect();
        json!({
            "kind": match event.phase { Phase::Start => "start", Phase::Update => "update", Phase::End => "end" },
            "id": event.id, "channel": event.channel,
            "label": event.label.map_or_else(|| "unknown".to_owned(), |index| name(index.into())),
            "confidence": share(event.confidence), "scores": scores, "seq": event.seq,
            "monotonic_ms": event.monotonic_ms, "boot_id": self.boot(),
        })
    }
}

/// The name of a variant as JSON has it.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_wire::{BoxState, Heartbeat, Label, Message as Wire, Scores, Signal};

    #[test]
    fn frames_are_told_in_the_words_of_json() {
        let mut far = Far::default();
        let mut take = |message| far.take(message, &mut Counters::default);
        let label = |index, name: &str| Label {
            index,
            of: 2,
            name: name.try_into().unwrap(),
        };
        assert!(take(Wire::Label(label(0, "neutral"))).is_empty());
        let told = take(Wire::Label(label(1, "happy")));
        assert_eq!(told[0].body["labels"], json!(["neutral", "happy"]));
        let event = Event {
            phase: Phase::Update,
            id: 3,
            channel: 0,
            label: Some(1),
            confidence: 7500,
            scores: Scores::from_probabilities(&[0.25, 0.75]).unwrap(),
            seq: 9,
            monotonic_ms: 100,
        };
        let body = take(Wire::Event(event)).remove(0).body;
        assert_eq!(
            (&body["label"], &body["kind"]),
            (&json!("happy"), &json!("update"))
        );
        assert_eq!(body["scores"], json!({"neutral": 0.25, "happy": 0.75}));
        let beat = Heartbeat {
            uptime_ms: 5,
            state: BoxState::MicLost,
            signal: Signal::None,
        };
        assert_eq!(take(Wire::Heartbeat(beat))[0].body["state"], "mic-lost");
    }

    #[test]
    fn damage_on_the_line_is_told_once() {
        let mut far = Far::default();
        let beat = || {
            Wire::Heartbeat(Heartbeat {
                uptime_ms: 5,
                state: BoxState::Listening,
                signal: Signal::Ok,
            })
        };
        let counters = Counters {
            crc_errors: 2,
            ..Counters::default()
        };
        let told = far.take(beat(), &mut || counters);
        assert_eq!((told.len(), &told[1].body["damaged"]), (2, &json!(2)));
        assert_eq!(far.take(beat(), &mut || counters).len(), 1);
    }
}
