//! A head of one layer, fitted to many clips: logistic regression on the pooled statistics themselves.
//!
//! What is minimised: the sum over the clips of the cross-entropy, each class's clips weighed so that all classes count the same, and
//! [`PRIOR`] / 2 times the squared weights, the statistics being scaled to mean 0 and deviation 1. The gradient is followed with
//! Nesterov's momentum, begun anew where it points uphill (O'Donoghue and Candès 2015).

use rayon::prelude::*;
use undertone_model::onnx::ModelProto;

use super::AdaptError;
use super::enrolled::Enrolled;
use super::head::Dense;
use super::stored::{multiplies, put};
use crate::training::validate::probabilities;

/// Weight of the prior, which is a head that tells nothing apart (`models/research.md`).
pub const PRIOR: f32 = 300.0;
/// Most steps.
const STEPS: usize = 2000;
/// Steps end when the gradient is this much smaller than it was.
const ENOUGH: f32 = 1e-4;
/// Rounds in which the steepest direction is found.
const ROUNDS: usize = 30;
/// How much the length of a step is below what those say is safe: they come from below.
const MARGIN: f32 = 1.1;
/// The logit of a class without clips: it is never the answer.
const NEVER: f32 = -50.0;
/// Clips whose part in a sum is made by one thread; the same on every machine, so that the outcome is too.
const TOGETHER: usize = 256;

/// A layer from statistics to logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    layer: Dense,
}

/// The clips, scaled.
struct Problem<'a> {
    clips: &'a [Enrolled],
    scaled: Vec<f32>,
    statistics: usize,
    classes: usize,
    /// By class; 0 for one without clips.
    shares: Vec<f32>,
}

impl Regression {
    /// Fitted to `clips` of `classes` classes, for a model at `temperature`.
    ///
    /// # Errors
    /// [`AdaptError::OneClass`] if the clips are of fewer than two classes.
    pub fn fit(clips: &[Enrolled], classes: usize, temperature: f32) -> Result<Self, AdaptError> {
        let mut counts = vec![0usize; classes];
        clips.iter().for_each(|clip| counts[clip.target] += 1);
        let given = counts.iter().filter(|&&count| count > 0).count();
        if given < 2 {
            return Err(AdaptError::OneClass(given));
        }
        let share = |&count: &usize| match count {
            0 => 0.0,
            _ => clips.len() as f32 / (given * count) as f32,
        };
        let (mean, deviation) = scale(clips);
        let problem = Problem::new(
            clips,
            (&mean, &deviation),
            counts.iter().map(share).collect(),
        );
        let mut weight = problem.solve();
        // The scaling becomes part of the layer, and so does the temperature that its logits will be divided by.
        let mut bias = weight.split_off(mean.len() * classes);
        for (row, (mean, deviation)) in weight
            .chunks_exact_mut(classes)
            .zip(mean.iter().zip(&deviation))
        {
            for (value, bias) in row.iter_mut().zip(&mut bias) {
                *value /= deviation;
                *bias -= *value * mean;
            }
        }
        let logits = weight.iter_mut().chain(&mut bias);
        logits.for_each(|value| *value *= temperature);
        for (bias, &count) in bias.iter_mut().zip(&counts) {
            if count == 0 {
                *bias = NEVER * temperature;
            }
        }
        Ok(Self {
            layer: Dense { weight, bias },
        })
    }

    /// Logits of a clip's statistics.
    #[must_use]
    pub fn logits(&self, statistics: &[f32]) -> Vec<f32> {
        self.layer.run(statistics)
    }

    /// Puts the layer into a graph in the place of the two layers there: each logit is the difference of two hidden units, of which one
    /// is what the other is not.
    ///
    /// # Errors
    /// [`AdaptError::Head`] if the hidden layer there is no product with all statistics, as in a committee.
    pub fn write(&self, model: &mut ModelProto) -> Result<(), AdaptError> {
        let Dense { weight, bias } = &self.layer;
        if !multiplies(model, "hidden")? {
            return Err(AdaptError::Head(
                "its members have a hidden layer each, and one layer cannot stand in the place of all".into(),
            ));
        }
        let classes = bias.len();
        let both = |values: &[f32]| -> Vec<f32> {
            let rows = values.chunks_exact(classes);
            rows.flat_map(|row| row.iter().flat_map(|value| [*value, -value]))
                .collect()
        };
        put(model, "hidden", &both(weight), &both(bias))?;
        let mut difference = vec![0.0; 2 * classes * classes];
        for class in 0..classes {
            difference[2 * class * classes + class] = 1.0;
            difference[(2 * class + 1) * classes + class] = -1.0;
        }
        put(model, "logits", &difference, &vec![0.0; classes])
    }
}

/// Mean and deviation of each statistic; one that never changes has deviation 1.
fn scale(clips: &[Enrolled]) -> (Vec<f32>, Vec<f32>) {
    let statistics = clips.first().map_or(0, |clip| clip.statistics.len());
    let count = clips.len().max(1) as f64;
    let moments = |index: usize| {
        let values = || {
            clips
                .iter()
                .map(move |clip| f64::from(clip.statistics[index]))
        };
        let mean = values().sum::<f64>() / count;
        let square = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let deviation = square.sqrt();
        let deviation = if deviation > 1e-6 { deviation } else { 1.0 };
        (mean as f32, deviation as f32)
    };
    (0..statistics).map(moments).unzip()
}

impl<'a> Problem<'a> {
    fn new(clips: &'a [Enrolled], (mean, deviation): (&[f32], &[f32]), shares: Vec<f32>) -> Self {
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
    fn solve(&self) -> Vec<f32> {
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

    fn gradient(&self, at: &[f32]) -> Vec<f32> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Clips whose class is told by the first two of three statistics, with some of them at odds.
    fn clips(each: usize) -> Vec<Enrolled> {
        let clip = |index: usize| {
            let target = index % 3;
            let noise = |k: usize| ((index * k) % 17) as f32 / 17.0 - 0.5;
            Enrolled {
                hidden: Vec::new(),
                statistics: vec![
                    100.0 + 5.0 * (f32::from(target == 0) + noise(5)),
                    0.1 * (f32::from(target == 1) + noise(7)),
                    noise(3),
                ],
                target,
            }
        };
        (0..3 * each).map(clip).collect()
    }

    #[test]
    fn the_gradient_vanishes_where_it_ends_and_no_thread_count_changes_that() {
        let clips = clips(400);
        let fitted = Regression::fit(&clips, 3, 1.0).unwrap();
        let (mean, deviation) = scale(&clips);
        assert!((mean[0] - 101.6).abs() < 0.2 && deviation[1] < 0.1);
        // Back to scaled statistics.
        let mut at = fitted.layer.weight.clone();
        let mut bias = fitted.layer.bias.clone();
        for (row, (mean, deviation)) in at.chunks_exact_mut(3).zip(mean.iter().zip(&deviation)) {
            for (value, bias) in row.iter_mut().zip(&mut bias) {
                *bias += *value * mean;
                *value *= deviation;
            }
        }
        at.extend(bias);
        let problem = Problem::new(&clips, (&mean, &deviation), vec![1.0; 3]);
        let longest = |at: &[f32]| {
            problem
                .gradient(at)
                .into_iter()
                .fold(0.0, |a: f32, b| a.max(b.abs()))
        };
        assert!(
            longest(&at) < 2e-3 * longest(&vec![0.0; 12]),
            "{}",
            longest(&at)
        );
        let alone = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap();
        assert_eq!(
            alone.install(|| Regression::fit(&clips, 3, 1.0)).unwrap(),
            fitted
        );
    }

    #[test]
    fn clips_that_were_not_fitted_to_are_told_apart_and_rare_classes_count_as_much() {
        let mut clips = clips(400);
        let rest = clips.split_off(900);
        clips.retain({
            let mut seen = 0;
            move |clip| {
                clip.target != 2 || {
                    seen += 1;
                    seen % 10 == 0
                }
            }
        });
        let fitted = Regression::fit(&clips, 3, 2.0).unwrap();
        let right = |class: usize| {
            let of: Vec<&Enrolled> = rest.iter().filter(|clip| clip.target == class).collect();
            let best = |clip: &&&Enrolled| {
                let logits = fitted.logits(&clip.statistics);
                logits.iter().all(|logit| *logit <= logits[class])
            };
            of.iter().filter(best).count() as f32 / of.len() as f32
        };
        for class in 0..3 {
            assert!(right(class) > 0.8, "{class}: {}", right(class));
        }
    }

    #[test]
    fn a_class_without_clips_is_never_the_answer_and_one_class_is_none_to_tell_apart() {
        let mut clips = clips(20);
        clips.retain(|clip| clip.target != 1);
        let fitted = Regression::fit(&clips, 3, 0.5).unwrap();
        for clip in &clips {
            let answer = probabilities(&fitted.logits(&clip.statistics), 0.5);
            assert!(answer[1] < 1e-9, "{answer:?}");
        }
        clips.retain(|clip| clip.target == 0);
        assert!(matches!(
            Regression::fit(&clips, 3, 1.0),
            Err(AdaptError::OneClass(1))
        ));
    }
}
