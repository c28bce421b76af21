//! Learning from a guide ([`crate::guide`]): a head beside the network says what the guide made of every step, and is not exported.
//!
//! What the guide says is standardised first: less its mean at each step since the beginning, for the guide counts steps, and
//! over each corpus by itself, so that a corpus's chain of recording says nothing.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::batch::Example;
use super::normalise::Normalisation;
use crate::features::ClipFeatures;

/// Steps that the network may lag behind the guide, which hears what follows.
const LAG: usize = 1;
/// A step at which fewer clips than this still last has the mean of the last one before.
const FEWEST: usize = 30;
/// Times that the means of corpora and of steps are taken off.
const ROUNDS: usize = 6;
/// Added to deviations.
const FLOOR: f32 = 1e-3;

/// Says what the guide says.
#[derive(Module, Debug)]
pub struct GuideHead {
    output: Linear,
}

impl GuideHead {
    /// For steps of `width` values and a guide of `dimensions`.
    #[must_use]
    pub fn new(width: usize, dimensions: usize, device: &Device) -> Self {
        Self {
            output: LinearConfig::new(width, dimensions).init(device),
        }
    }

    /// Mean squared error of what is said of `steps` `[batch, width, steps]`; `said` is the guide's, `[batch, steps, dimensions]`, and
    /// `mask` `[batch, steps, 1]` is 1 where it said anything. About 1 for a guess of nothing but the mean.
    pub fn loss(&self, steps: Tensor<3>, said: Tensor<3>, mask: Tensor<3>) -> Tensor<1> {
        let [_, count, dimensions] = said.dims();
        if count <= LAG {
            return Tensor::zeros([1], &said.device());
        }
        let kept = count - LAG;
        let guess = self
            .output
            .forward(steps.narrow(2, LAG, kept).swap_dims(1, 2));
        let error = guess - said.narrow(1, 0, kept);
        let mask = mask.narrow(1, LAG, kept);
        let all = mask.clone().sum().clamp_min(1.0) * dimensions as f32;
        (error.clone() * error * mask).sum() / all
    }
}

/// Standardises what the guide said of the clips of a run, each of which it said something of, and cuts off what it said beyond a
/// clip's last step of `stride` frames: a frame is longer than the way to the next.
pub fn standardise(examples: &mut [Example], stride: usize) {
    let rows = examples.iter().map(|example| example.guide.rows).max();
    let rows = rows.unwrap_or(0);
    if rows == 0 {
        return;
    }
    for example in &mut *examples {
        let steps = example.features.frames().div_ceil(stride).max(1);
        example.guide.values.truncate(steps * rows);
    }
    let mut corpora: BTreeMap<usize, Vec<&mut ClipFeatures>> = BTreeMap::new();
    for example in examples {
        let own = corpora.entry(example.group).or_default();
        own.push(&mut example.guide);
    }
    // Corpora and steps in turn: which corpora are left at a step depends on the lengths of their clips.
    for _ in 0..ROUNDS {
        for clips in corpora.values_mut() {
            let mean = statistics(clips, rows).mean;
            each_step(clips, |_, row, value| *value -= mean[row]);
        }
        let means = means(corpora.values().flatten(), rows);
        let last = means.len().saturating_sub(1);
        for clips in corpora.values_mut() {
            each_step(clips, |step, row, value| {
                *value -= means[step.min(last)][row]
            });
        }
    }
    for clips in corpora.values_mut() {
        let Normalisation {
            mean, deviation, ..
        } = statistics(clips, rows);
        each_step(clips, |_, row, value| {
            *value = (*value - mean[row]) / (deviation[row] + FLOOR)
        });
    }
}

fn statistics(clips: &[&mut ClipFeatures], rows: usize) -> Normalisation {
    Normalisation::fit(clips.iter().map(|clip| &**clip), rows, None)
}

/// Changes every value, knowing its step and row.
fn each_step(clips: &mut [&mut ClipFeatures], change: impl Fn(usize, usize, &mut f32)) {
    for clip in clips {
        for (step, values) in clip.values.chunks_exact_mut(clip.rows).enumerate() {
            let rows = values.iter_mut().enumerate();
            rows.for_each(|(row, value)| change(step, row, value));
        }
    }
}

/// The mean of all clips at each step.
fn means<'a>(
    said: impl Iterator<Item = &'a &'a mut ClipFeatures> + Clone,
    rows: usize,
) -> Vec<Vec<f32>> {
    let longest = said.clone().map(|clip| clip.frames()).max().unwrap_or(0);
    let (mut sums, mut counts) = (vec![vec![0.0f64; rows]; longest], vec![0usize; longest]);
    for clip in said {
        for (step, values) in clip.values.chunks_exact(rows).enumerate() {
            counts[step] += 1;
            for (sum, value) in sums[step].iter_mut().zip(values) {
                *sum += f64::from(*value);
            }
        }
    }
    let kept = counts.iter().take_while(|&&count| count >= FEWEST).count();
    let all = sums.into_iter().zip(counts).take(kept.max(1));
    all.map(|(sums, count)| {
        let mean = sums.iter().map(|sum| (sum / count.max(1) as f64) as f32);
        mean.collect()
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(group: usize, steps: usize, of: impl Fn(usize, usize) -> f32) -> Example {
        Example {
            group,
            features: ClipFeatures {
                rows: 1,
                values: vec![0.0; 4 * steps - 1],
            },
            guide: ClipFeatures {
                rows: 2,
                values: (0..2 * steps).map(|i| of(i / 2, i % 2)).collect(),
            },
            ..Example::default()
        }
    }

    #[test]
    fn neither_the_number_of_a_step_nor_the_corpus_is_left_in_what_was_said() {
        let noise = |clip: usize, i: usize| ((clip * 37 + i * 101) % 19) as f32;
        // Clips of 3 to 12 steps, those of the second corpus of 6 at most; it is louder by 50, and a step by 7 for each before it.
        let mut examples: Vec<Example> = (0..200)
            .map(|clip| {
                let (group, longest) = (clip % 2, [12, 6][clip % 2]);
                example(group, (3 + clip / 20).min(longest), |step, row| {
                    noise(clip, 2 * step + row) + 50.0 * group as f32 + 7.0 * step as f32
                })
            })
            .collect();
        standardise(&mut examples, 4);
        for group in 0..2 {
            let own = examples.iter().filter(|example| example.group == group);
            let all: Vec<f32> = own.flat_map(|e| e.guide.values.iter().copied()).collect();
            let mean = all.iter().sum::<f32>() / all.len() as f32;
            let square = all.iter().map(|value| value * value).sum::<f32>() / all.len() as f32;
            assert!(
                mean.abs() < 1e-3 && (square - 1.0).abs() < 1e-2,
                "{mean} {square}"
            );
        }
        for step in [0, 5, 9] {
            let said = examples.iter().filter_map(|e| e.guide.values.get(2 * step));
            let said: Vec<f32> = said.copied().collect();
            let mean = said.iter().sum::<f32>() / said.len() as f32;
            assert!(mean.abs() < 0.4, "step {step}: {mean}");
        }
        standardise(&mut [], 4);
        let mut long = [example(0, 5, |step, _| step as f32)];
        long[0].guide.values.extend([9.0; 4]);
        standardise(&mut long, 4);
        assert_eq!(long[0].guide.frames(), 5);
    }

    #[test]
    fn the_network_is_asked_one_step_late_and_only_for_what_was_said() {
        let device = Device::flex();
        let head = GuideHead::new(1, 1, &device);
        let tensor = |values: [f32; 4]| Tensor::<1>::from_data(values, &device);
        let steps = tensor([9.0, 1.0, 2.0, 3.0]).reshape([1, 1, 4]);
        let guess: Vec<f32> = head
            .output
            .forward(steps.clone().swap_dims(1, 2))
            .into_data()
            .iter::<f32>()
            .collect();
        // What is guessed at steps 1 and 2 is said at 0 and 1; at step 3 nothing was said.
        let said = tensor([guess[1], guess[2] + 2.0, -50.0, 70.0]).reshape([1, 4, 1]);
        let mask = tensor([1.0, 1.0, 1.0, 0.0]).reshape([1, 4, 1]);
        let loss = head.loss(steps, said, mask).into_scalar::<f32>();
        assert!((loss - 2.0).abs() < 1e-5, "{loss}");
        let short = Tensor::<3>::zeros([2, 1, 1], &device);
        let mask = Tensor::<3>::ones([2, 1, 1], &device);
        let loss = head.loss(short.clone(), short, mask).into_scalar::<f32>();
        assert_eq!(loss, 0.0);
    }
}
