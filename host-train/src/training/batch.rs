//! Clips to tensors.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::bank::WaveBank;
use super::goal;
use super::normalise::Normalisation;
use super::recipe::Recipe;
use crate::features::{ClipFeatures, Window};

/// A clip with what training needs of its label.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Feature frames, not normalised.
    pub features: ClipFeatures,
    /// Class index.
    pub target: usize,
    /// What is asked for instead of the class alone: a distribution over the classes.
    pub soft: Option<Vec<f32>>,
    /// Whether the clip's corpus knows each class; the others are left out of its loss and score.
    pub known: Vec<bool>,
    /// Group that scores are averaged by: the corpus.
    pub group: usize,
    /// Number of the speaker among those of the run.
    pub speaker: usize,
}

impl Example {
    /// What the network is asked for, with label smoothing.
    #[must_use]
    pub fn goal(&self, smoothing: f32) -> Vec<f32> {
        let certain = || goal::certain(self.target, self.known.len());
        let mut goal = self.soft.clone().unwrap_or_else(certain);
        goal::smooth(&mut goal, &self.known, smoothing);
        goal
    }
}

/// Clips of one step, padded with zeros on the right to a common number of frames, in the computer's own memory.
#[derive(Clone, Debug)]
pub struct HostBatch {
    clips: usize,
    rows: usize,
    frames: usize,
    steps: usize,
    classes: usize,
    values: Vec<f32>,
    mask: Vec<f32>,
    goals: Vec<f32>,
    barred: Vec<f32>,
    speakers: Vec<i64>,
}

/// Clips of one step on a device.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Normalised features, `[batch, rows, frames]`.
    pub features: Tensor<3>,
    /// 1 for encoder steps that belong to the clip, `[batch, 1, steps]`.
    pub mask: Tensor<3>,
    /// What is asked for, `[batch, classes]`.
    pub goals: Tensor<2>,
    /// 0 for classes that the clip's corpus knows and a large negative number for others, `[batch, classes]`.
    pub barred: Tensor<2>,
    /// Who speaks, `[batch]`.
    pub speakers: Tensor<1, Int>,
}

/// What is added to the logit of a class that a clip's corpus does not know.
const BARRED: f32 = -1e4;

impl HostBatch {
    /// Stacks normalised clips for a network with `stride` frames to an encoder step.
    #[must_use]
    pub fn stack(
        clips: &[ClipFeatures],
        examples: &[&Example],
        stride: usize,
        smoothing: f32,
    ) -> Self {
        let rows = clips.first().map_or(0, |clip| clip.rows);
        let longest = clips.iter().map(ClipFeatures::frames).max().unwrap_or(0);
        let steps = longest.div_ceil(stride).max(1);
        let frames = steps * stride;
        let mut values = vec![0.0f32; clips.len() * rows * frames];
        let mut mask = vec![0.0f32; clips.len() * steps];
        for (index, clip) in clips.iter().enumerate() {
            let plane = &mut values[index * rows * frames..(index + 1) * rows * frames];
            for (t, frame) in clip.values.chunks_exact(rows).enumerate() {
                for (row, value) in frame.iter().enumerate() {
                    plane[row * frames + t] = *value;
                }
            }
            // The box gives a step for whole strides only; a clip shorter than one keeps a step.
            let own = (clip.frames() / stride).max(1);
            mask[index * steps..index * steps + own].fill(1.0);
        }
        let known = examples.iter().flat_map(|example| &example.known);
        Self {
            clips: clips.len(),
            rows,
            frames,
            steps,
            classes: examples.first().map_or(0, |example| example.known.len()),
            values,
            mask,
            goals: examples.iter().flat_map(|e| e.goal(smoothing)).collect(),
            barred: known
                .map(|&known| if known { 0.0 } else { BARRED })
                .collect(),
            speakers: examples.iter().map(|e| e.speaker as i64).collect(),
        }
    }

    /// The batch on `device`.
    #[must_use]
    pub fn on(self, device: &Device) -> Batch {
        let (clips, steps, classes) = (self.clips, self.steps, self.classes);
        let shape = [clips, self.rows, self.frames];
        Batch {
            features: Tensor::from_data(TensorData::new(self.values, shape), device),
            mask: Tensor::from_data(TensorData::new(self.mask, [clips, 1, steps]), device),
            goals: Tensor::from_data(TensorData::new(self.goals, [clips, classes]), device),
            barred: Tensor::from_data(TensorData::new(self.barred, [clips, classes]), device),
            speakers: Tensor::from_data(TensorData::new(self.speakers, [clips]), device),
        }
    }
}

/// Order and augmentation of one epoch's clips, fixed by seed and epoch alone, so that a resumed run goes on as if it
/// had not been interrupted.
#[derive(Debug)]
pub struct Epoch<'a> {
    examples: &'a [Example],
    batches: Vec<Vec<usize>>,
    number: usize,
    seed: u64,
}

impl<'a> Epoch<'a> {
    /// Plans an epoch: shuffled, then grouped by similar length so that little is padded. `balance` evens out the groups
    /// (corpora), 0 not at all and 1 wholly; the number of clips stays.
    #[must_use]
    pub fn new(
        examples: &'a [Example],
        batch: usize,
        balance: f32,
        seed: u64,
        number: usize,
    ) -> Self {
        let seed = seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(number as u64);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut order = balanced(examples, balance, &mut rng);
        order.shuffle(&mut rng);
        // Sorting within pools of a few batches keeps the order random enough.
        for pool in order.chunks_mut(batch * 8) {
            pool.sort_by_key(|&index| examples[index].features.frames());
        }
        let mut batches: Vec<Vec<usize>> = order.chunks(batch).map(<[usize]>::to_vec).collect();
        batches.shuffle(&mut rng);
        Self {
            examples,
            batches,
            number,
            seed,
        }
    }

    /// Number of batches.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// Whether there is no batch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The batch at `position`, augmented and normalised, for a network with `stride` frames to an encoder step. `bank` has the sound of the examples, where samples are changed.
    #[must_use]
    pub fn batch(
        &self,
        position: usize,
        recipe: &Recipe,
        stride: usize,
        normalisation: &Normalisation,
        bank: Option<&WaveBank>,
    ) -> HostBatch {
        let chosen: Vec<&Example> = self.batches[position]
            .iter()
            .map(|&i| &self.examples[i])
            .collect();
        let bands = recipe.bands();
        let clips: Vec<ClipFeatures> = self.batches[position]
            .par_iter()
            .map(|&index| self.clip(index, recipe, &bands, normalisation, bank))
            .collect();
        HostBatch::stack(&clips, &chosen, stride, recipe.label_smoothing)
    }

    fn clip(
        &self,
        index: usize,
        recipe: &Recipe,
        bands: &Range<usize>,
        normalisation: &Normalisation,
        bank: Option<&WaveBank>,
    ) -> ClipFeatures {
        let mut rng = StdRng::seed_from_u64(self.seed ^ ((index as u64 + 1) << 20));
        let other = &self.examples[rng.random_range(0..self.examples.len())].features;
        let changed = bank.and_then(|bank| bank.variant(index, self.number));
        let features = changed.as_deref().unwrap_or(&self.examples[index].features);
        let augmentation = &recipe.augmentation;
        let mut clip = augmentation.apply(features, other, bands.clone(), recipe.longest, &mut rng);
        if let Some(Window::Live(window)) = recipe.window {
            clip = window.at(&clip, rng.random_range(window.moments(&clip)));
        }
        normalisation.apply(&mut clip);
        augmentation.mask(&mut clip, &mut rng);
        clip
    }
}

/// Indices of as many examples as there are, with `balance` of the way to equal shares of the groups; an example comes again
/// only when all of its group have come.
fn balanced(examples: &[Example], balance: f32, rng: &mut StdRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..examples.len()).collect();
    if balance == 0.0 {
        return order;
    }
    let groups = examples
        .iter()
        .map(|example| example.group)
        .max()
        .unwrap_or(0)
        + 1;
    let mut members = vec![Vec::new(); groups];
    for (index, example) in examples.iter().enumerate() {
        members[example.group].push(index);
    }
    members.retain(|group| !group.is_empty());
    let weights: Vec<f32> = members
        .iter()
        .map(|group| (group.len() as f32).powf(1.0 - balance))
        .collect();
    let all: f32 = weights.iter().sum();
    order.clear();
    for (mut group, weight) in members.into_iter().zip(weights) {
        let mut wanted = (examples.len() as f32 * weight / all).round() as usize;
        while wanted > 0 {
            group.shuffle(rng);
            let now = wanted.min(group.len());
            order.extend_from_slice(&group[..now]);
            wanted -= now;
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_evens_out_the_corpora_and_repeats_no_clip_before_its_corpus_is_through() {
        let examples: Vec<Example> = (0..100)
            .map(|index| Example {
                group: usize::from(index >= 90),
                ..Example::default()
            })
            .collect();
        let mut rng = StdRng::seed_from_u64(1);
        for (balance, rare) in [(0.0, 10), (1.0, 50), (0.5, 25)] {
            let order = balanced(&examples, balance, &mut rng);
            let counts = (0..100).map(|i| order.iter().filter(|&&one| one == i).count());
            let counts: Vec<usize> = counts.collect();
            assert_eq!(order.len(), 100, "{balance}");
            assert_eq!(counts[90..].iter().sum::<usize>(), rare, "{balance}");
            for group in [&counts[..90], &counts[90..]] {
                let (least, most) = (group.iter().min(), group.iter().max());
                assert!(most.unwrap() - least.unwrap() <= 1, "{balance}");
            }
        }
    }
}
