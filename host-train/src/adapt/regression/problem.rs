//! What a regression minimises, and the way to its least.

use rayon::prelude::*;

use super::PRIOR;
use crate::adapt::enrolled::Enrolled;
use crate::training::validate::probabilities;

/// Most steps.
const STEPS: usize = 2000;
/// Steps end when the gradient is this much smaller than it was.
const ENOUGH: f32 = 1e-4;
/// Rounds in which the steepest direction is found.
const ROUNDS: usize = 30;
/// How much the length of a step is below what those say is safe: they come from below.
const MARGIN: f32 = 1.1;
/// Clips whose part in a sum is made by one thread; the same on every machine, so that the outcome is too.
const TOGETHER: usize = 256;

/// The clips, scaled.
pub(super) struct Problem<'a> {
    clips: &'a [Enrolled],
    scaled: Vec<f32>,
    statistics: usize,
    classes: usize,
    /// By class; 0 for one without clips.
    shares: Vec<f32>,
}

impl<'a> Problem<'a> {
    /// `clips` scaled by the mean and the deviation of each statistic.
    pub(super) fn new(
        clips: &'a [Enrolled],
        (mean, deviation): (&[f32], &[f32]),
        shares: Vec<f32>,
    ) -> Self {
        let scaled = clips.iter().flat_map(|clip| {
            let scales = mean.iter().zip(deviation);
            let values = clip.statistics.iter().zip(scales);
            values.map(|(value, (mean, deviation))| (value - mean) / deviation)
        });
        Self {
            clips,
            scaled: scaled.collect(),
            statistics: mean.len(),
            classes: shares.len(),
            shares,
        }
    }

    /// Weights, statistic after statistic, then biases.
    pub(super) fn solve(&self) -> Vec<f32> {
        let step = 1.0 / (MARGIN * 0.5 * self.steepest() + PRIOR);
        let mut now = vec![0.0f32; (self.statistics + 1) * self.classes];
        let mut ahead = now.clone();
        let (mut pace, mut first) = (1.0f32, None);
        for _ in 0..STEPS {
            let gradient = self.gradient(&ahead);
            let length = gradient
                .iter()
                .map(|value| value * value)
                .sum::<f32>()
                .sqrt();
            if length <= ENOUGH * *first.get_or_insert(length) {
                break;
            }
            let next: Vec<f32> = ahead
                .iter()
                .zip(&gradient)
                .map(|(a, g)| a - step * g)
                .collect();
            let moved = next.iter().zip(&now).map(|(next, now)| next - now);
            let uphill = gradient
                .iter()
                .zip(moved)
                .map(|(g, moved)| g * moved)
                .sum::<f32>()
                > 0.0;
            let faster = 0.5 * (1.0 + (1.0 + 4.0 * pace * pace).sqrt());
            let momentum = if uphill { 0.0 } else { (pace - 1.0) / faster };
            pace = if uphill { 1.0 } else { faster };
            ahead = next
                .iter()
                .zip(&now)
                .map(|(next, now)| next + momentum * (next - now))
                .collect();
            now = next;
        }
        now
    }

    /// The largest eigenvalue of the weighed second moments of the scaled statistics, from below.
    fn steepest(&self) -> f32 {
        let mut direction = vec![1.0f32; self.statistics + 1];
        let mut size = 0.0;
        for _ in 0..ROUNDS {
            size = direction
                .iter()
                .map(|value| value * value)
                .sum::<f32>()
                .sqrt();
            direction
                .iter_mut()
                .for_each(|value| *value /= size.max(f32::MIN_POSITIVE));
            direction = self.sum(direction.len(), |clip, scaled, sum| {
                let values = || scaled.iter().chain(&[1.0]);
                let along: f32 = values().zip(&direction).map(|(a, b)| a * b).sum();
                let along = self.shares[clip.target] * along;
                sum.iter_mut()
                    .zip(values())
                    .for_each(|(sum, value)| *sum += along * value);
            });
        }
        size
    }

    pub(super) fn gradient(&self, at: &[f32]) -> Vec<f32> {
        let (weights, bias) = at.split_at(self.statistics * self.classes);
        let mut gradient = self.sum(at.len(), |clip, scaled, sum| {
            let mut logits = bias.to_vec();
            for (value, row) in scaled.iter().zip(weights.chunks_exact(self.classes)) {
                logits
                    .iter_mut()
                    .zip(row)
                    .for_each(|(logit, weight)| *logit += value * weight);
            }
            let none = logits
                .iter_mut()
                .zip(&self.shares)
                .filter(|(_, share)| **share == 0.0);
            none.for_each(|(logit, _)| *logit = -1e4);
            let mut error = probabilities(&logits, 1.0);
            error[clip.target] -= 1.0;
            error
                .iter_mut()
                .for_each(|error| *error *= self.shares[clip.target]);
            let rows = sum.chunks_exact_mut(self.classes);
            for (row, value) in rows.zip(scaled.iter().chain(&[1.0])) {
                row.iter_mut()
                    .zip(&error)
                    .for_each(|(sum, error)| *sum += value * error);
            }
        });
        // The bias has no prior.
        let pulled = gradient.iter_mut().zip(weights);
        pulled.for_each(|(gradient, weight)| *gradient += PRIOR * weight);
        gradient
    }

    /// The sum over the clips of what `add` adds to `length` numbers, in an order that no number of threads changes.
    fn sum(&self, length: usize, add: impl Fn(&Enrolled, &[f32], &mut [f32]) + Sync) -> Vec<f32> {
        let scaled = self.scaled.par_chunks(TOGETHER * self.statistics.max(1));
        let parts: Vec<Vec<f32>> = self
            .clips
            .par_chunks(TOGETHER)
            .zip(scaled)
            .map(|(clips, scaled)| {
                let mut sum = vec![0.0; length];
                let scaled = scaled.chunks_exact(self.statistics.max(1));
                clips
                    .iter()
                    .zip(scaled)
                    .for_each(|(clip, scaled)| add(clip, scaled, &mut sum));
                sum
            })
            .collect();
        let mut sum = vec![0.0; length];
        for part in parts {
            sum.iter_mut()
                .zip(part)
                .for_each(|(sum, part)| *sum += part);
        }
        sum
    }
}
