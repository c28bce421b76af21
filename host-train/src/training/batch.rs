//! Clips to tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::augment::Augmentation;
use super::normalise::Normalisation;
use crate::features::ClipFeatures;
use crate::network::streaming::TIME_STRIDE;

/// A clip with what training needs of its label.
#[derive(Clone, Debug)]
pub struct Example {
    /// Feature frames, not normalised.
    pub features: ClipFeatures,
    /// Class index.
    pub target: usize,
    /// Whether the clip's corpus knows each class; the others are left out of its loss and score.
    pub known: Vec<bool>,
    /// Group that scores are averaged by: the corpus.
    pub group: usize,
}

/// Clips of one step, padded with zeros on the right to a common number of frames.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Normalised features, `[batch, rows, frames]`.
    pub features: Tensor<3>,
    /// 1 for encoder steps that belong to the clip, `[batch, 1, steps]`.
    pub mask: Tensor<3>,
    /// Class indices, `[batch]`.
    pub targets: Tensor<1, Int>,
    /// 0 for classes that the clip's corpus knows and a large negative number for others, `[batch, classes]`.
    pub barred: Tensor<2>,
}

/// What is added to the logit of a class that a clip's corpus does not know.
const BARRED: f32 = -1e4;

impl Batch {
    /// Stacks normalised clips.
    #[must_use]
    pub fn stack(clips: &[ClipFeatures], examples: &[&Example], device: &Device) -> Self {
        let rows = clips.first().map_or(0, |clip| clip.rows);
        let longest = clips.iter().map(ClipFeatures::frames).max().unwrap_or(0);
        let steps = longest.div_ceil(TIME_STRIDE).max(1);
        let frames = steps * TIME_STRIDE;
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
            let own = (clip.frames() / TIME_STRIDE).max(1);
            mask[index * steps..index * steps + own].fill(1.0);
        }
        let classes = examples.first().map_or(0, |example| example.known.len());
        let barred = examples
            .iter()
            .flat_map(|e| &e.known)
            .map(|&known| if known { 0.0 } else { BARRED });
        let targets = examples
            .iter()
            .map(|example| example.target as i64)
            .collect::<Vec<_>>();
        Self {
            features: Tensor::from_data(
                TensorData::new(values, [clips.len(), rows, frames]),
                device,
            ),
            mask: Tensor::from_data(TensorData::new(mask, [clips.len(), 1, steps]), device),
            targets: Tensor::from_data(TensorData::new(targets, [clips.len()]), device),
            barred: Tensor::from_data(
                TensorData::new(barred.collect::<Vec<f32>>(), [clips.len(), classes]),
                device,
            ),
        }
    }
}

/// Order and augmentation of one epoch's clips, fixed by seed and epoch alone, so that a resumed run goes on as if it
/// had not been interrupted.
#[derive(Debug)]
pub struct Epoch<'a> {
    examples: &'a [Example],
    batches: Vec<Vec<usize>>,
    seed: u64,
}

impl<'a> Epoch<'a> {
    /// Plans an epoch: shuffled, then grouped by similar length so that little is padded.
    #[must_use]
    pub fn new(examples: &'a [Example], batch: usize, seed: u64, epoch: usize) -> Self {
        let seed = seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(epoch as u64);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..examples.len()).collect();
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

    /// The batch at `position`, augmented and normalised.
    #[must_use]
    pub fn batch(
        &self,
        position: usize,
        augmentation: &Augmentation,
        normalisation: &Normalisation,
        longest: usize,
        device: &Device,
    ) -> Batch {
        let chosen: Vec<&Example> = self.batches[position]
            .iter()
            .map(|&i| &self.examples[i])
            .collect();
        let clips: Vec<ClipFeatures> = self.batches[position]
            .par_iter()
            .map(|&index| {
                let mut rng = StdRng::seed_from_u64(self.seed ^ ((index as u64 + 1) << 20));
                let other = &self.examples[rng.random_range(0..self.examples.len())].features;
                let features = &self.examples[index].features;
                let mut clip = augmentation.apply(features, other, longest, &mut rng);
                normalisation.apply(&mut clip);
                augmentation.mask(&mut clip, &mut rng);
                clip
            })
            .collect();
        Batch::stack(&clips, &chosen, device)
    }
}
