//! How far two models' answers to the same sound lie apart.

/// Differences counted so far, one answer of each model at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Drift {
    /// Pairs of answers compared.
    pub answers: usize,
    /// Of these, the ones whose most probable label differs.
    pub changed: usize,
    /// Largest difference of a probability.
    pub probability: f32,
}

impl Drift {
    /// Largest share of changed labels that counts as the same model stored otherwise.
    pub const MOST_LABELS: f64 = 0.005;
    /// Largest difference of a probability that does.
    pub const MOST_PROBABILITY: f32 = 0.02;

    /// Counts one answer of each model: distributions over the same labels.
    pub fn add(&mut self, before: &[f32], after: &[f32]) {
        self.answers += 1;
        self.changed += usize::from(best(before) != best(after));
        for (before, after) in before.iter().zip(after) {
            self.probability = self.probability.max((before - after).abs());
        }
    }

    /// Share of answers whose most probable label differs, 0 to 1; 0 without answers.
    #[must_use]
    pub fn labels(&self) -> f64 {
        self.changed as f64 / self.answers.max(1) as f64
    }

    /// Whether neither bound is passed: `labels` as a share, 0 to 1, and `probability`.
    #[must_use]
    pub fn within(&self, labels: f64, probability: f32) -> bool {
        self.labels() <= labels && self.probability <= probability
    }
}

fn best(probabilities: &[f32]) -> Option<usize> {
    (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_labels_and_the_largest_difference_are_counted_and_bounds_belong_to_what_is_allowed()
    {
        let mut drift = Drift::default();
        assert!(drift.within(0.0, 0.0));
        drift.add(&[0.75, 0.25], &[0.5, 0.5]);
        drift.add(&[0.75, 0.25], &[0.25, 0.75]);
        assert_eq!(
            (drift.answers, drift.labels(), drift.probability),
            (2, 1.0, 0.5)
        );
        assert!(drift.within(1.0, 0.5) && !drift.within(0.9, 0.5) && !drift.within(1.0, 0.4));
    }
}
