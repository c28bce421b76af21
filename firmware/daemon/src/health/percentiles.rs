//! Percentiles of durations, in fixed memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Buckets per doubling: a percentile is at most a sixteenth too high.
const STEPS: usize = 16;
/// Doublings from one microsecond on; the last bucket takes what is above a minute.
const DOUBLINGS: usize = 26;
const BUCKETS: usize = STEPS * DOUBLINGS;
/// With so many answers a generation is full, and the one before it is forgotten.
const GENERATION: u32 = 2048;

/// Durations of late: those of the last 2048 to 4096 answers. Clones share them.
#[derive(Debug, Clone)]
pub struct Timings(Arc<[Generation; 2]>);

#[derive(Debug)]
struct Generation {
    buckets: Box<[AtomicU32]>,
    count: AtomicU32,
}

/// Three percentiles, in microseconds; 0 where there is nothing to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// Half took at most this long.
    pub p50: u32,
    /// 95 % did.
    pub p95: u32,
    /// 99 % did.
    pub p99: u32,
}

impl Default for Timings {
    fn default() -> Self {
        let generation = || Generation {
            buckets: (0..BUCKETS).map(|_| AtomicU32::new(0)).collect(),
            count: AtomicU32::new(0),
        };
        Timings(Arc::new([generation(), generation()]))
    }
}

impl Timings {
    /// Adds a duration. One thread at a time.
    pub fn add(&self, duration: Duration) {
        let [first, second] = &*self.0;
        let full = |generation: &Generation| generation.count.load(Ordering::Relaxed) >= GENERATION;
        let (now, before) = match (full(first), full(second)) {
            (false, _) => (first, second),
            (true, false) => (second, first),
            (true, true) => {
                // Both are full: the first begins anew, and the second is the one before it.
                first.clear();
                (first, second)
            }
        };
        now.buckets[bucket(duration)].fetch_add(1, Ordering::Relaxed);
        let count = now.count.fetch_add(1, Ordering::Relaxed) + 1;
        if count >= GENERATION {
            before.clear();
        }
    }

    /// The percentiles.
    pub fn percentiles(&self) -> Percentiles {
        let counts: Vec<u64> = (0..BUCKETS)
            .map(|bucket| {
                let count = |generation: &Generation| {
                    u64::from(generation.buckets[bucket].load(Ordering::Relaxed))
                };
                self.0.iter().map(count).sum()
            })
            .collect();
        let total: u64 = counts.iter().sum();
        let percentile = |percent: u64| {
            let rank = (total * percent).div_ceil(100);
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            if total == 0 {
                0
            } else {
                found.map_or(0, upper_edge)
            }
        };
        Percentiles {
            p50: percentile(50),
            p95: percentile(95),
            p99: percentile(99),
        }
    }
}

impl Generation {
    fn clear(&self) {
        self.buckets
            .iter()
            .for_each(|bucket| bucket.store(0, Ordering::Relaxed));
        self.count.store(0, Ordering::Relaxed);
    }
}

fn bucket(duration: Duration) -> usize {
    let microseconds = duration.as_secs_f64() * 1e6;
    let place = (microseconds.max(1.0).log2() * STEPS as f64).ceil();
    (place as usize).min(BUCKETS - 1)
}

/// The longest duration of a bucket, in microseconds.
fn upper_edge(bucket: usize) -> u32 {
    (bucket as f64 / STEPS as f64).exp2().ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_at_most_a_sixteenth_too_high_and_never_too_low() {
        let timings = Timings::default();
        (1..=1000).for_each(|n| timings.add(Duration::from_micros(n * 10)));
        let Percentiles { p50, p95, p99 } = timings.percentiles();
        for (told, true_value) in [(p50, 5000.0), (p95, 9500.0), (p99, 9900.0)] {
            let ratio = f64::from(told) / true_value;
            assert!(
                (1.0..1.0 + 1.0 / 16.0).contains(&ratio),
                "{told} for {true_value}"
            );
        }
    }

    #[test]
    fn what_is_long_past_is_forgotten_and_what_is_of_late_is_not() {
        let timings = Timings::default();
        let add = |count: u32, microseconds| {
            (0..count).for_each(|_| timings.add(Duration::from_micros(microseconds)));
        };
        add(10_000, 1_000_000);
        add(2 * GENERATION, 10);
        assert!(
            timings.percentiles().p99 < 12,
            "{:?}",
            timings.percentiles()
        );
        add(GENERATION / 2, 1000);
        assert!(timings.percentiles().p95 >= 1000);
    }

    #[test]
    fn extremes_are_taken_and_nothing_is_zero() {
        let timings = Timings::default();
        assert_eq!(timings.percentiles(), Percentiles::default());
        timings.add(Duration::ZERO);
        assert_eq!(timings.percentiles().p50, 1);
        timings.add(Duration::MAX);
        assert!(timings.percentiles().p99 > 30_000_000);
    }
}
