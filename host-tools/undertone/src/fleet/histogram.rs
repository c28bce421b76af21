//! Times in little memory, whose percentiles are right within 1 %.

/// From one bucket to the next.
const STEP: f64 = 1.02;
/// The last bucket begins at 20 hours.
const BUCKETS: usize = 1264;

/// Times in microseconds.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    most: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram {
            buckets: vec![0; BUCKETS],
            count: 0,
            most: 0,
        }
    }
}

impl Histogram {
    pub(crate) fn add(&mut self, micros: u64) {
        let bucket = (micros.max(1) as f64).ln() / STEP.ln();
        self.buckets[(bucket.round() as usize).min(BUCKETS - 1)] += 1;
        self.count += 1;
        self.most = self.most.max(micros);
    }

    /// What a share of the times is at most, in milliseconds; `None` without any.
    pub(crate) fn at_most_ms(&self, share: f64) -> Option<f64> {
        let rank = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        let place = self.buckets.iter().position(|count| {
            below += count;
            below >= rank
        });
        let micros = STEP.powi(i32::try_from(place?).ok()?).min(self.most as f64);
        (self.count > 0).then(|| (micros / 10.0).round() / 100.0)
    }

    /// The longest time, in milliseconds.
    pub(crate) fn most_ms(&self) -> Option<f64> {
        (self.count > 0).then(|| (self.most as f64 / 10.0).round() / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_within_a_percent() {
        let mut times = Histogram::default();
        assert_eq!((times.at_most_ms(0.5), times.most_ms()), (None, None));
        (1..=100_000).for_each(|micros| times.add(micros));
        for (share, ms) in [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            let found = times.at_most_ms(share).unwrap();
            assert!((found / ms - 1.0).abs() < 0.012, "{share}: {found}");
        }
        times.add(u64::MAX);
        assert!(times.at_most_ms(1.0).unwrap() > 1e6);
    }
}
