//! Playing a recording at the pace of real time.

use std::time::{Duration, Instant};

use crate::stop::Stop;

/// The longest sleep before the request to stop is looked at again.
const NAP: Duration = Duration::from_millis(20);

/// Says when a position of a recording is due.
#[derive(Debug)]
pub struct Pace {
    rate: u32,
    started: Option<Instant>,
}

impl Pace {
    /// A pace of `rate` frames per second, which begins with the first wait.
    pub fn new(rate: u32) -> Self {
        Pace {
            rate,
            started: None,
        }
    }

    /// How long after its beginning the given number of frames has been played.
    pub fn due(&self, frames: u64) -> Duration {
        let rate = u64::from(self.rate.max(1));
        Duration::from_secs(frames / rate)
            + Duration::from_nanos((frames % rate) * 1_000_000_000 / rate)
    }

    /// Sleeps until the given number of frames has been played, or the end is asked for.
    pub fn wait(&mut self, frames: u64, stop: &Stop) {
        let started = *self.started.get_or_insert_with(Instant::now);
        let due = self.due(frames);
        while !stop.requested() {
            let elapsed = started.elapsed();
            if elapsed >= due {
                return;
            }
            std::thread::sleep((due - elapsed).min(NAP));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_due_when_their_time_has_passed_also_after_days() {
        let pace = Pace::new(44_100);
        assert_eq!(pace.due(0), Duration::ZERO);
        assert_eq!(pace.due(44_100), Duration::from_secs(1));
        assert_eq!(
            pace.due(44_100 * 86_400 * 365 + 22_050),
            Duration::from_millis(86_400 * 365 * 1000 + 500)
        );
    }

    #[test]
    fn a_wait_lasts_as_long_as_the_audio_and_no_longer_once_stopped() {
        let (mut pace, stop) = (Pace::new(1000), Stop::default());
        let start = Instant::now();
        pace.wait(30, &stop);
        assert!(start.elapsed() >= Duration::from_millis(30));
        stop.request();
        pace.wait(1_000_000, &stop);
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
