//! When to try again.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);

/// Waits that double up to a limit, of which a random part is taken off so that many boxes do not come at once.
#[derive(Debug)]
pub struct Backoff {
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits from half a second on, up to `longest`.
    pub fn new(longest: Duration) -> Self {
        Backoff {
            longest,
            next: FIRST.min(longest),
        }
    }

    /// It worked: the next failure begins anew.
    pub fn reset(&mut self) {
        self.next = FIRST.min(self.longest);
    }

    /// How long to wait; `random` from 0 to 1.
    pub fn wait(&mut self, random: f64) -> Duration {
        let wait = self.next.mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0));
        self.next = (self.next * 2).min(self.longest);
        wait
    }
}

/// A random number from 0 to 1; the middle when the system has none.
pub fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_begin_anew_after_success() {
        let mut backoff = Backoff::new(Duration::from_secs(3));
        let waits: Vec<_> = (0..5).map(|_| backoff.wait(1.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000]);
        assert_eq!(backoff.wait(0.0).as_millis(), 1500);
        backoff.reset();
        assert_eq!(backoff.wait(1.0).as_millis(), 500);
        assert!((0.0..=1.0).contains(&random()));
    }
}
