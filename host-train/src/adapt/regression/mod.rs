//! A head of one layer, fitted to many clips: logistic regression on the pooled statistics themselves.
//!
//! What is minimised: the sum over the clips of the cross-entropy, each class's clips weighed so that all classes count the same, and
//! [`PRIOR`] / 2 times the squared weights, the statistics being scaled to mean 0 and deviation 1. The gradient is followed with
//! Nesterov's momentum, begun anew where it points uphill (O'Donoghue and Candès 2015).

mod problem;

use undertone_model::onnx::ModelProto;

use super::AdaptError;
use super::enrolled::Enrolled;
use super::head::Dense;
use super::stored::put;
use problem::Problem;

/// Weight of the prior, which is a head that tells nothing apart; chosen by log-loss on validation speakers (`models/research.md`).
pub const PRIOR: f32 = 300.0;
/// The logit of a class without clips: it is never the answer.
const NEVER: f32 = -50.0;

/// A layer from statistics to logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    layer: Dense,
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
    /// [`AdaptError::Head`] if there is no graph.
    pub fn write(&self, model: &mut ModelProto) -> Result<(), AdaptError> {
        let Dense { weight, bias } = &self.layer;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::validate::probabilities;

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
            longest(&at) < 2e-3 * longest(&[0.0; 12]),
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
