//! What is looked at again and again: health, the watchdog, whether every thread is alive.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::machine::Doing;
use super::source::Running;
use super::{MUTE_DEADLINE, Supervisor};
use crate::capture::MuteCause;
use crate::control::{Command, CommandError, Outcome, WATCH};
use crate::status::{Report, State};
use crate::talk::caution;

/// A stage that has not gone round for so long is stuck; none of them waits longer for anything.
const STUCK: Duration = Duration::from_secs(5);
/// A sink that lost events counts as slow for so long.
const SLOW: Duration = Duration::from_secs(30);

impl Supervisor {
    pub(super) fn tick(&mut self, now: Instant) {
        if let Some(ended) = self.sinks.ended() {
            // Who watches through the control socket is not what the box is for.
            let none_left = self.sinks.names().all(|name| name == WATCH);
            match ended {
                Ok(()) if none_left => self.outcome = self.outcome.take().or(Some(Ok(()))),
                Ok(()) => {}
                Err(error) => self.fail(error),
            }
        }
        self.watch(now);
        if now >= self.next_health {
            self.tell_health(now);
        }
        self.answer_mute(now);
        self.show_status();
        // Nobody can say when a pipe or a file begins; a device that is there is heard at once.
        let awaited = self.sources.iter().any(|source| source.live);
        if !self.ready && self.warm && (self.heard || !awaited) {
            self.ready = true;
            self.notifier.ready();
        }
    }

    /// Feeds the watchdog while every stage goes round, and says which does not.
    fn watch(&mut self, now: Instant) {
        let stuck = self.hub.progress.stuck(now, STUCK);
        if stuck != self.stuck && !stuck.is_empty() {
            caution!(
                "no progress for {} s: {}",
                STUCK.as_secs(),
                stuck.join(", ")
            );
        }
        self.stuck = stuck;
        if self.stuck.is_empty() && self.notifier.hungry(now) {
            self.notifier.feed(now);
        }
    }

    fn tell_health(&mut self, now: Instant) {
        let settings = &self.configuration.settings.health;
        self.next_health = now + Duration::from_millis(settings.interval_ms.into());
        let health = self.gatherer.health();
        self.hot = health
            .temperature_c
            .is_some_and(|degrees| degrees >= settings.hot_celsius);
        self.throttled = health.throttled.unwrap_or(false);
        for queue in &health.queues {
            let (seen, since) = self.slow_sinks.entry(queue.sink).or_default();
            if queue.lost > *seen {
                (*seen, *since) = (queue.lost, Some(now));
            }
            *since = since.filter(|since| now - *since < SLOW);
        }
        self.fan_out.report(&Report::Health(Arc::new(health)));
    }

    /// Answers the command that waits for the devices, once they have done it or the time is up.
    fn answer_mute(&mut self, now: Instant) {
        let Some((request, since)) = &self.waiting else {
            return;
        };
        let mute = request.command == Command::Mute;
        let done = |source: &Running| match source.doing {
            Doing::Ended => true,
            // What waits for others has nothing to open.
            Doing::Opening if !source.live => !mute,
            Doing::Muted(cause) => mute || cause == MuteCause::Switch,
            // What is not there is not listening either, but it may not have seen the command yet.
            Doing::Lost | Doing::Stalled => !mute,
            doing => !mute && doing.state() != Some(State::Starting),
        };
        let all = self.sources.iter().all(done);
        let late = now - *since >= MUTE_DEADLINE;
        if !all && !late {
            return;
        }
        if let Some((request, _)) = self.waiting.take() {
            request.answer(match (all, mute) {
                (true, true) => Ok(Outcome::Muted),
                (true, false) => Ok(Outcome::Unmuted),
                (false, _) => Err(CommandError::Timeout(
                    MUTE_DEADLINE.as_millis().try_into().unwrap_or(u64::MAX),
                )),
            });
        }
    }
}
