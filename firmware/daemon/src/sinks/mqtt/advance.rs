//! Going on with everything without waiting for anything, and at the end until a deadline.

use std::sync::PoisonError;
use std::time::Instant;

use undertone_mqtt::Failure;

use super::outbox::{self, Opened};
use super::publish::ACKNOWLEDGED;
use super::{Flying, Mqtt, now};
use crate::sinks::SinkError;
use crate::talk::{Severity, say, tell};

impl Mqtt {
    /// Goes on with everything as far as it goes without waiting.
    pub(super) fn advance(&mut self, now: Instant) {
        let late = |(_, since): &(Flying, Instant)| now.duration_since(*since) > ACKNOWLEDGED;
        if self.link.is_up() && self.flying.values().any(late) {
            let failure = Failure::Network("the broker does not acknowledge".into());
            let down = self.link.fail(failure, now);
            self.happened(down);
        }
        for _ in 0..16 {
            let happened = self.link.turn(now);
            let quiet = happened.is_empty();
            happened
                .into_iter()
                .for_each(|happened| self.happened(happened));
            if !self.pump() && quiet {
                break;
            }
        }
    }

    pub(super) fn note_fault(&mut self) {
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

    /// Takes over from the sinks of before a reload, once they have ended.
    pub(super) fn take_over(&mut self) -> Result<(), SinkError> {
        if self.place.is_first()
            && let Opened::Ready(journal) = outbox::open(&self.settings.outbox)?
        {
            self.waits = false;
            let left = self.place.inherit();
            self.outbox
                .adopt(journal.map(|journal| *journal), left, now());
            self.outbox.say_waiting();
        }
        Ok(())
    }

    /// Leaves what would end with this sink to the one that a reload has put in its place, if there is one.
    pub(super) fn leave(&mut self) {
        let rest = self.outbox.rest();
        if let Err(lost) = self.place.leave(rest)
            && !lost.events.is_empty()
        {
            let count = lost.events.len();
            tell(
                Severity::Warning,
                format_args!(
                    "mqtt: {count} event(s) that the broker has not acknowledged end with the outbox in memory; set mqtt.outbox.path to keep them"
                ),
            );
        }
    }

    /// Goes on until it is done, the connection is gone or the time is up.
    pub(super) fn work_until(&mut self, until: Instant, done: impl Fn(&Self) -> bool) {
        while self.link.is_up() && !done(self) && Instant::now() < until {
            self.advance(Instant::now());
            if !done(self) {
                self.link
                    .wait(until.saturating_duration_since(Instant::now()));
            }
        }
    }
}
