//! What one virtual box hears and says: people who speak from time to time, through the tracker and the JSON of the
//! daemon.
//!
//! An answer of the network comes every half second, as from the shipped model. Which of them becomes an event is the
//! daemon's own [`Tracker`]'s decision. What is left to chance: [`Chance`]. The same seed gives the same stream.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rand::RngExt as _;
use undertone_analysis::Signal;
use undertone_deployment::Subjects;
use undertone_events::{EndReason, Event, IdRange, Label, Tracker, TrackerConfig};
use undertone_reports::json::{self, Times};
use undertone_reports::{
    EventReport, Health, Info, LinkHealth, QueueHealth, SourceStatus, Stamp, State, Status, Topics,
};

use super::chance::{Chance, LABELS, Scores};

/// The shipped model's.
const UNKNOWN: f32 = 0.42;
const RATE: u32 = 16_000;
/// From one answer of the shipped model to the next.
const ANSWER: Duration = Duration::from_millis(500);
/// The daemon's default.
const HEALTH: Duration = Duration::from_secs(10);

/// What is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) retain: bool,
    /// The number of the event, if it is one.
    pub(crate) seq: Option<u64>,
}

enum Talk {
    Silence {
        until: Duration,
    },
    Speech {
        until: Duration,
        next: Duration,
        mood: usize,
        wander: Scores,
    },
    Over,
}

/// One box. Times are since the start of the simulation.
pub(crate) struct Speaker {
    chance: Chance,
    info: Info,
    pub(crate) topics: Topics,
    tracker: Tracker,
    status: Status,
    talk: Talk,
    next_health: Duration,
    temperature: f32,
    seq: u64,
}

impl Speaker {
    /// A box by its number, in the run of that number, in which somebody speaks `rate` times a minute.
    pub(crate) fn new(prefix: &str, number: usize, run: u32, seed: u64, rate: f64) -> Result<Self> {
        let mut chance = Chance::new(seed, number, rate);
        let temperature = chance.rng.random_range(45.0..65.0);
        Ok(Speaker {
            info: Info {
                version: env!("CARGO_PKG_VERSION"),
                boot_id: format!("{run:08x}{number:08x}").into(),
                model_hash: "5117".repeat(16),
                licence: "research",
                labels: LABELS.map(str::to_owned).to_vec(),
                purpose: "evaluation".into(),
                subjects: Subjects::Volunteers,
                legal_basis: None,
                live: true,
            },
            topics: Topics::new(prefix, &name(number)),
            tracker: Tracker::new(
                &TrackerConfig::default(),
                LABELS.len(),
                UNKNOWN,
                RATE,
                IdRange::default(),
            )?,
            status: Status {
                state: State::Listening,
                since_ms: 0,
                signal: Signal::Ok,
                label: None,
                confidence: None,
                sources: vec![SourceStatus {
                    name: "alsa:hw:CARD=Mic".into(),
                    state: State::Listening,
                    signal: Signal::Ok,
                    dead: false,
                }],
                troubles: Vec::new(),
            },
            talk: Talk::Over,
            next_health: Duration::MAX,
            temperature,
            seq: 0,
            chance,
        })
    }

    /// What is said on every connection.
    pub(crate) fn announce(&mut self, now: Duration) -> Result<Vec<Said>> {
        let availability = self.retained(self.topics.availability.clone(), "online".into());
        let info = self.retained(self.topics.info.clone(), serde_json::to_string(&self.info)?);
        Ok(vec![availability, info, self.state()?, self.health(now)?])
    }

    /// People begin to speak, each when it comes.
    pub(crate) fn begin(&mut self, now: Duration) {
        self.talk = Talk::Silence {
            until: now + self.chance.silence(),
        };
        self.next_health = now + HEALTH.mul_f64(self.chance.rng.random_range(0.0..1.0));
    }

    /// When [`Speaker::speak`] has something to say.
    pub(crate) fn due(&self) -> Duration {
        let talk = match self.talk {
            Talk::Silence { until } => until,
            Talk::Speech { until, next, .. } => until.min(next),
            Talk::Over => Duration::MAX,
        };
        talk.min(self.next_health)
    }

    /// Takes the next step, if one is due; its time is `now`.
    pub(crate) fn speak(&mut self, now: Duration, wall_ms: u64) -> Result<Vec<Said>> {
        let mut said = Vec::new();
        if self.next_health <= now {
            self.next_health += HEALTH;
            said.push(self.health(now)?);
        }
        match self.talk {
            Talk::Silence { until } if until <= now => {
                let until = now + self.chance.length();
                let mood = self.chance.mood();
                self.tracker.begin(samples(now));
                self.talk = Talk::Speech {
                    until,
                    next: now + ANSWER,
                    mood,
                    wander: Scores::default(),
                };
                self.enter(State::Speech, now);
                said.push(self.state()?);
            }
            Talk::Speech { until, .. } if until <= now => {
                self.end(EndReason::Silence, now, wall_ms, &mut said)?
            }
            Talk::Speech {
                until,
                next,
                mood,
                mut wander,
            } if next <= now => {
                let scores = self.chance.answer(mood, &mut wander);
                self.talk = Talk::Speech {
                    until,
                    next: next + ANSWER,
                    mood,
                    wander,
                };
                if let Some(event) = self.tracker.update(&scores, samples(now))? {
                    self.tell(event, now, wall_ms, &mut said)?;
                }
            }
            _ => {}
        }
        Ok(said)
    }

    /// The end: who speaks is cut off, and nothing is due any more.
    pub(crate) fn stop(&mut self, now: Duration, wall_ms: u64) -> Result<Vec<Said>> {
        let mut said = Vec::new();
        if matches!(self.talk, Talk::Speech { .. }) {
            self.end(EndReason::Shutdown, now, wall_ms, &mut said)?;
        }
        self.talk = Talk::Over;
        self.next_health = Duration::MAX;
        Ok(said)
    }

    /// The last word of a box that ends.
    pub(crate) fn good_bye(&self) -> Said {
        self.retained(self.topics.availability.clone(), "stopped".into())
    }

    fn end(
        &mut self,
        reason: EndReason,
        now: Duration,
        wall_ms: u64,
        said: &mut Vec<Said>,
    ) -> Result<()> {
        let event = self.tracker.finish(reason, samples(now));
        self.talk = Talk::Silence {
            until: now + self.chance.silence(),
        };
        self.enter(State::Listening, now);
        match event {
            Some(event) => self.tell(event, now, wall_ms, said),
            None => {
                said.push(self.state()?);
                Ok(())
            }
        }
    }

    /// An event, and the state that it changes.
    fn tell(
        &mut self,
        event: Event,
        now: Duration,
        wall_ms: u64,
        said: &mut Vec<Said>,
    ) -> Result<()> {
        self.seq += 1;
        let ended = event.reason.is_some();
        let label = match event.label {
            Label::Known(index) => LABELS.get(index).copied().unwrap_or("unknown"),
            Label::Unknown => "unknown",
        };
        self.status.label = (!ended).then(|| Arc::from(label));
        self.status.confidence = (!ended).then_some(event.confidence);
        let milliseconds = |sample: u64| sample * 1000 / u64::from(RATE);
        let report = EventReport {
            channel: 0,
            role: None,
            seq: self.seq,
            stamp: Stamp {
                monotonic_ms: now.as_millis() as u64,
                wall_ms: Some(wall_ms),
                clock_synced: true,
            },
            start_ms: milliseconds(event.start_sample),
            at_ms: milliseconds(event.at_sample),
            event,
        };
        let line = json::event(&self.info, &report, Times::AudioAndClock)?;
        said.push(Said {
            topic: self.topics.event.clone(),
            payload: json::marked(&line, false),
            retain: false,
            seq: Some(self.seq),
        });
        said.push(self.state()?);
        Ok(())
    }

    fn enter(&mut self, state: State, now: Duration) {
        self.status.state = state;
        self.status.since_ms = now.as_millis() as u64;
        self.status
            .sources
            .iter_mut()
            .for_each(|source| source.state = state);
    }

    fn state(&self) -> Result<Said> {
        Ok(self.retained(
            self.topics.state.clone(),
            serde_json::to_string(&self.status)?,
        ))
    }

    fn health(&mut self, now: Duration) -> Result<Said> {
        self.temperature =
            (self.temperature + self.chance.rng.random_range(-0.5..0.5)).clamp(40.0, 75.0);
        let queue = |sink, link| QueueHealth {
            sink,
            depth: 0,
            capacity: 1024,
            lost: 0,
            link,
        };
        let link = LinkHealth {
            up: true,
            ..LinkHealth::default()
        };
        let health = Health {
            temperature_c: Some((self.temperature * 10.0).round() / 10.0),
            throttled: Some(false),
            queues: vec![queue("stdout", None), queue("mqtt", Some(link))],
            inference_p50_us: self.chance.rng.random_range(300..400),
            inference_p95_us: self.chance.rng.random_range(450..600),
            inference_p99_us: self.chance.rng.random_range(600..900),
            uptime_s: now.as_secs(),
            resident_bytes: Some(self.chance.rng.random_range(30_000_000..34_000_000)),
            ..Health::default()
        };
        Ok(self.retained(self.topics.health.clone(), serde_json::to_string(&health)?))
    }

    fn retained(&self, topic: String, payload: String) -> Said {
        Said {
            topic,
            payload,
            retain: true,
            seq: None,
        }
    }
}

/// The name of a box.
pub(crate) fn name(number: usize) -> String {
    format!("sim-{number:05}")
}

fn samples(now: Duration) -> u64 {
    now.as_millis() as u64 * u64::from(RATE) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn hour(seed: u64) -> Vec<Said> {
        let mut speaker = Speaker::new("p", 7, 1, seed, 6.0).unwrap();
        let mut said = speaker.announce(Duration::ZERO).unwrap();
        speaker.begin(Duration::ZERO);
        while speaker.due() < Duration::from_secs(3600) {
            let now = speaker.due();
            said.extend(speaker.speak(now, 1_800_000_000_000).unwrap());
        }
        said.extend(speaker.stop(Duration::from_secs(3600), 0).unwrap());
        assert_eq!(speaker.due(), Duration::MAX);
        said
    }

    #[test]
    fn an_hour_of_a_box_is_a_stream_as_the_daemon_tells_it() {
        let said = hour(1);
        let events: Vec<Value> = said
            .iter()
            .filter(|said| said.seq.is_some())
            .map(|said| serde_json::from_str(&said.payload).unwrap())
            .collect();
        let kinds = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
        assert_eq!(kinds("start"), kinds("end"));
        assert!((200..=420).contains(&kinds("start")), "{}", kinds("start"));
        assert!(kinds("update") > kinds("start"));
        let numbers: Vec<u64> = events
            .iter()
            .map(|event| event["seq"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, (1..=events.len() as u64).collect::<Vec<_>>());
        let neutral = events
            .iter()
            .filter(|event| event["kind"] == "end" && event["label"] == "neutral")
            .count();
        assert!(neutral * 10 > kinds("end") * 3, "{neutral}");
        let unknown = events
            .iter()
            .filter(|event| event["label"] == "unknown")
            .count();
        assert!(unknown > 0 && unknown * 2 < events.len(), "{unknown}");
        assert_eq!(events[0]["boot_id"], "0000000100000007");
        assert_eq!(events[0]["historical"], false);
        let health = said
            .iter()
            .filter(|said| said.topic == "p/sim-00007/health")
            .count();
        assert!((359..=362).contains(&health), "{health}");
    }

    #[test]
    fn the_same_seed_says_the_same_and_another_does_not() {
        assert_eq!(hour(1), hour(1));
        assert_ne!(hour(1), hour(2));
    }
}
