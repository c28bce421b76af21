//! Which clips an epoch hears, in which order, and how each is changed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::augment::splice::splice;
use super::bank::WaveBank;
use super::batch::{Example, HostBatch};
use super::normalise::Normalisation;
use super::recipe::Recipe;
use crate::features::{ClipFeatures, Window};

/// Order and augmentation of one epoch's clips, fixed by seed and epoch alone, so that a resumed run goes on as if it
/// had not been interrupted.
#[derive(Debug)]
pub struct Epoch<'a> {
    examples: &'a [Example],
    batches: Vec<Vec<usize>>,
    /// Clips of each corpus and class, where any are spliced.
    alike: HashMap<(usize, usize), Vec<usize>>,
    number: usize,
    seed: u64,
}

impl<'a> Epoch<'a> {
    /// Plans an epoch: shuffled, then grouped by similar length so that little is padded.
    #[must_use]
    pub fn new(examples: &'a [Example], recipe: &Recipe, number: usize) -> Self {
        let seed = recipe
            .seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .wrapping_add(number as u64);
        let mut rng = StdRng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..examples.len()).collect();
        order.shuffle(&mut rng);
        let batch = recipe.batch;
        // Sorting within pools of a few batches keeps the order random enough.
        for pool in order.chunks_mut(batch * 8) {
            pool.sort_by_key(|&index| examples[index].features.frames());
        }
        let mut batches: Vec<Vec<usize>> = order.chunks(batch).map(<[usize]>::to_vec).collect();
        batches.shuffle(&mut rng);
        let mut alike: HashMap<_, Vec<usize>> = HashMap::new();
        if recipe.augmentation.splice > 0.0 {
            for (index, example) in examples.iter().enumerate() {
                let kind = (example.group, example.target);
                alike.entry(kind).or_default().push(index);
            }
        }
        Self {
            examples,
            batches,
            alike,
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
        let heard: Vec<(ClipFeatures, ClipFeatures)> = self.batches[position]
            .par_iter()
            .map(|&index| self.clip(index, recipe, &bands, stride, normalisation, bank))
            .collect();
        let (clips, said): (Vec<_>, Vec<_>) = heard.into_iter().unzip();
        let mut batch = HostBatch::stack(&clips, &chosen, stride, recipe.label_smoothing);
        if said.iter().any(|said| said.rows > 0) {
            batch.add_guide(&said);
        }
        batch
    }

    /// A clip as it is heard, and what the guide says of it.
    fn clip(
        &self,
        index: usize,
        recipe: &Recipe,
        bands: &Range<usize>,
        stride: usize,
        normalisation: &Normalisation,
        bank: Option<&WaveBank>,
    ) -> (ClipFeatures, ClipFeatures) {
        let mut rng = StdRng::seed_from_u64(self.seed ^ ((index as u64 + 1) << 20));
        let other = &self.examples[rng.random_range(0..self.examples.len())].features;
        let augmentation = &recipe.augmentation;
        let variant = |index: usize| bank.and_then(|bank| bank.variant(index, self.number));
        let (changed, plain) = (variant(index), &self.examples[index].features);
        let mut features = changed.as_deref().unwrap_or(plain);
        let mut said = Cow::Borrowed(&self.examples[index].guide);
        let mut unchanged = plain.frames();
        let spliced;
        // Nothing is drawn where it is off, so that older runs can be repeated.
        if augmentation.splice > 0.0
            && rng.random::<f32>() < augmentation.splice
            && let Some(mate) = self.mate(index, &mut rng)
        {
            let (changed, plain) = (variant(mate), &self.examples[mate].features);
            let cut;
            (spliced, cut) = splice(features, changed.as_deref().unwrap_or(plain), &mut rng);
            features = &spliced;
            if said.rows > 0 {
                said = Cow::Owned(cut.join(&said, &self.examples[mate].guide));
                unchanged = said.frames() * stride;
            }
        }
        let heard = features.frames();
        let (mut clip, part) =
            augmentation.apply(features, other, bands.clone(), recipe.longest, &mut rng);
        let said = if said.rows > 0 {
            // A copy that is slower has more frames for the same step.
            let frames = (heard * stride) as f32 / unchanged.max(1) as f32;
            part.along(&said, frames, stride, clip.frames() / stride)
        } else {
            ClipFeatures::default()
        };
        if let Some(Window::Live(window)) = recipe.window {
            clip = window.at(&clip, rng.random_range(window.moments(&clip)));
        }
        normalisation.apply(&mut clip);
        augmentation.mask(&mut clip, &mut rng);
        (clip, said)
    }

    /// A clip of the same corpus and class by another speaker, if a few draws find one.
    fn mate(&self, index: usize, rng: &mut StdRng) -> Option<usize> {
        let example = &self.examples[index];
        let alike = self.alike.get(&(example.group, example.target))?;
        let mut drawn = (0..4).map(|_| alike[rng.random_range(0..alike.len())]);
        drawn.find(|&mate| self.examples[mate].speaker != example.speaker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::augment::Augmentation;
    use crate::training::normalise::Scaling;

    #[test]
    fn a_mate_is_another_speaker_of_the_same_corpus_and_class() {
        // Two corpora, three classes, five speakers; class 2 of corpus 1 has one speaker only.
        let examples: Vec<Example> = (0..120)
            .map(|index| Example {
                group: index % 2,
                target: index / 2 % 3,
                speaker: if index % 6 == 5 { 9 } else { index % 5 },
                ..Example::default()
            })
            .collect();
        let mut recipe = Recipe::default();
        let mut rng = StdRng::seed_from_u64(1);
        recipe.augmentation.splice = 0.0;
        assert!(
            Epoch::new(&examples, &recipe, 0)
                .mate(0, &mut rng)
                .is_none()
        );
        recipe.augmentation.splice = 0.5;
        let epoch = Epoch::new(&examples, &recipe, 0);
        let mut found = 0;
        for (index, example) in examples.iter().enumerate() {
            let Some(mate) = epoch.mate(index, &mut rng) else {
                continue;
            };
            let mate = &examples[mate];
            assert_eq!((mate.group, mate.target), (example.group, example.target));
            assert_ne!(mate.speaker, example.speaker);
            found += 1;
        }
        assert!((95..=100).contains(&found), "{found}");
    }

    #[test]
    fn what_the_guide_says_stays_beside_the_frames_that_it_says_it_of() {
        // Every frame and every step says whose it is and when; clips end within a step, and the guide says a step more.
        let clip = |index: usize| {
            let frames = 61 + 37 * index;
            let at = move |frame: f32| 1000.0 * index as f32 + frame;
            Example {
                features: ClipFeatures {
                    rows: 1,
                    values: (0..frames).map(|frame| at(frame as f32)).collect(),
                },
                guide: ClipFeatures {
                    rows: 1,
                    values: (0..frames.div_ceil(8))
                        .map(|step| at(8.0 * step as f32 + 3.5))
                        .collect(),
                },
                speaker: index,
                ..Example::default()
            }
        };
        let examples: Vec<Example> = (0..6).map(clip).collect();
        let mut recipe = Recipe {
            longest: 150,
            augmentation: Augmentation {
                splice: 0.5,
                speed: 0.1,
                ..Augmentation::none()
            },
            ..Recipe::default()
        };
        recipe.frontend.mel_bands = 1;
        let plain = Normalisation {
            mean: vec![0.0],
            deviation: vec![1.0],
            scaling: Scaling::Fixed,
            floor: None,
        };
        let (mut near, mut all) = (0, 0);
        for number in 0..40 {
            let epoch = Epoch::new(&examples, &recipe, number);
            for index in 0..examples.len() {
                let (heard, said) = epoch.clip(index, &recipe, &(0..0), 8, &plain, None);
                assert!((heard.frames() / 8).abs_diff(said.frames()) <= 1);
                for (frames, said) in heard.values.chunks_exact(8).zip(&said.values) {
                    let middle = frames.iter().sum::<f32>() / 8.0;
                    all += 1;
                    near += usize::from((middle - said).abs() < 8.0);
                }
            }
        }
        // All but the step in which one clip ends and the other begins.
        assert!(near as f32 > 0.95 * all as f32, "{near} of {all}");
    }
}
