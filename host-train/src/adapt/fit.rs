//! Logistic regression on hidden activations, with the head given as its prior.
//!
//! What is minimised: the sum over the clips of the cross-entropy at the model's temperature, and [`PRIOR`] / 2 times the squared
//! distance from the head given, with activations scaled to a mean square norm of 1. The few clips move the head as far as
//! they are surprising, and no further.

use super::enrolled::Enrolled;
use super::head::Head;
use crate::training::validate::probabilities;

/// Weight of the prior; chosen on the validation speakers of the shipped model (`models/research.md`).
pub const PRIOR: f32 = 0.3;
/// Most steps of gradient descent.
const STEPS: usize = 500;

/// `head` with its output layer fitted to `clips`, at the model's `temperature`; classes without clips have no part.
#[must_use]
pub fn fit(head: &Head, clips: &[Enrolled], temperature: f32, prior: f32) -> Head {
    let square = |clip: &Enrolled| clip.hidden.iter().map(|value| value * value).sum::<f32>();
    let mean = clips.iter().map(square).sum::<f32>() / clips.len().max(1) as f32;
    if mean <= 0.0 {
        return head.clone();
    }
    let mut given = vec![false; head.output.bias.len()];
    clips.iter().for_each(|clip| given[clip.target] = true);
    let problem = Problem {
        given,
        clips,
        temperature,
        prior,
        unit: mean,
        start: head,
    };
    let mut best = head.clone();
    let mut cost = problem.cost(&best);
    let mut step = temperature;
    for _ in 0..STEPS {
        let gradient = problem.gradient(&best);
        let moved = problem.moved(&best, &gradient, step);
        let now = problem.cost(&moved);
        if now < cost {
            let gained = cost - now;
            (best, cost) = (moved, now);
            step *= 1.2;
            if gained < 1e-6 * cost.max(1e-3) {
                break;
            }
        } else {
            step *= 0.5;
        }
    }
    best
}

struct Problem<'a> {
    given: Vec<bool>,
    clips: &'a [Enrolled],
    temperature: f32,
    prior: f32,
    /// Mean squared norm of the activations.
    unit: f32,
    start: &'a Head,
}

impl Problem<'_> {
    fn answer(&self, head: &Head, clip: &Enrolled) -> Vec<f32> {
        let mut logits = head.logits(&clip.hidden);
        for (logit, given) in logits.iter_mut().zip(&self.given) {
            if !given {
                *logit = -1e4;
            }
        }
        probabilities(&logits, self.temperature)
    }

    fn cost(&self, head: &Head) -> f32 {
        let surprise = self.clips.iter().map(|clip| {
            let probability = self.answer(head, clip)[clip.target];
            -probability.max(1e-12).ln()
        });
        let far = |now: &[f32], start: &[f32]| -> f32 {
            now.iter()
                .zip(start)
                .map(|(now, start)| (now - start).powi(2))
                .sum()
        };
        let (now, start) = (&head.output, &self.start.output);
        let distance = self.unit * far(&now.weight, &start.weight) + far(&now.bias, &start.bias);
        let scale = self.prior / (2.0 * self.temperature * self.temperature);
        surprise.sum::<f32>() + scale * distance
    }

    /// Of the weights and the biases, in scaled units.
    fn gradient(&self, head: &Head) -> (Vec<f32>, Vec<f32>) {
        let outputs = head.output.bias.len();
        let pull = self.prior / (self.temperature * self.temperature);
        let toward = |now: &[f32], start: &[f32], scale: f32| -> Vec<f32> {
            now.iter()
                .zip(start)
                .map(|(now, start)| pull * scale * (now - start))
                .collect()
        };
        let (now, start) = (&head.output, &self.start.output);
        let mut weight = toward(&now.weight, &start.weight, self.unit);
        let mut bias = toward(&now.bias, &start.bias, 1.0);
        for clip in self.clips {
            let mut error = self.answer(head, clip);
            error[clip.target] -= 1.0;
            error
                .iter_mut()
                .for_each(|error| *error /= self.temperature);
            for (value, row) in clip.hidden.iter().zip(weight.chunks_exact_mut(outputs)) {
                row.iter_mut()
                    .zip(&error)
                    .for_each(|(place, error)| *place += value * error);
            }
            bias.iter_mut()
                .zip(&error)
                .for_each(|(place, error)| *place += error);
        }
        (weight, bias)
    }

    fn moved(&self, head: &Head, (weight, bias): &(Vec<f32>, Vec<f32>), step: f32) -> Head {
        let mut moved = head.clone();
        let weights = moved.output.weight.iter_mut().zip(weight);
        weights.for_each(|(place, gradient)| *place -= step / self.unit * gradient);
        let biases = moved.output.bias.iter_mut().zip(bias);
        biases.for_each(|(place, gradient)| *place -= step * gradient);
        moved
    }
}
