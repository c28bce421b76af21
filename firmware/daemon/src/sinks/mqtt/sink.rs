//! The sink as its thread sees it.

use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use undertone_mqtt::Wake;
use undertone_mqtt::packet::{self, Message};

use super::commands::Commands;
use super::publish::ACKNOWLEDGED;
use super::{Mqtt, NAME, now};
use crate::sinks::{Sink, SinkError, Waker};
use crate::status::json::{self, Times};
use crate::status::{Info, LevelReport, LinkHealth, Report};
use crate::talk::{Severity, tell};

/// How long the good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(3);
/// Of that, what is kept for the last words.
const LAST_WORDS: Duration = Duration::from_millis(1000);
/// Between two looks whether the sinks of before a reload have ended.
const HAND_OVER: Duration = Duration::from_millis(50);

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
        let wake = waker.clone();
        self.link.wakes(Wake::new(move || wake.wake()));
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
            Report::Level(level) => self.level(level)?,
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
        let late = self
            .flying
            .values()
            .map(|(_, since)| *since + ACKNOWLEDGED)
            .min();
        Ok([self.link.due(), outbox, late].into_iter().flatten().min())
    }

    fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.link.interest()
    }

    fn close(&mut self, deadline: Instant) {
        let soon = deadline.checked_sub(LAST_WORDS).unwrap_or(deadline);
        if self.waits && !self.place.is_last() {
            self.leave();
            return;
        }
        while self.waits && Instant::now() < soon {
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
        self.leave();
    }
}

impl Mqtt {
    /// Puts an event in; `json` is an object.
    fn event(&mut self, info: &Info, seq: u64, json: String) {
        let historical = !self.link.is_up();
        self.outbox
            .push((&info.boot_id, seq), json, historical, now());
    }

    fn level(&mut self, level: &LevelReport) -> Result<(), SinkError> {
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
        Ok(())
    }
}

fn unwritten(error: serde_json::Error) -> SinkError {
    SinkError::Write {
        name: NAME,
        reason: error.into(),
    }
}
