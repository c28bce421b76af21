//! Augmentation of feature frames while training, before normalisation. Level, tilt, vocal-tract length and noise concern the
//! log-mel rows, which are in dB, and leave other rows as they are.
//!
//! Every change keeps what makes an emotion audible and varies what belongs to the room, the microphone, the speaker
//! or chance: level, spectral tilt, speed, vocal-tract length, background noise; SpecAugment (Park et al. 2019) hides
//! stripes.

mod noise;
pub(super) mod splice;

use std::ops::Range;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::features::ClipFeatures;
use crate::training::TrainingError;

/// Most stripes hidden along an axis.
const MOST_MASKS: usize = 100;

/// Ranges that are drawn from, for each clip and epoch anew; 0 switches a part off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Level, plus or minus dB.
    pub gain_db: f32,
    /// Tilt from the lowest to the highest band, plus or minus dB.
    pub tilt_db: f32,
    /// Speed, plus or minus this share.
    pub speed: f32,
    /// Shift along the mel axis, plus or minus bands.
    pub mel_shift: f32,
    /// Share of clips of which a part is another speaker's, of the same corpus and class.
    pub splice: f32,
    /// Share of clips that get noise.
    pub noise: f32,
    /// Least and greatest signal-to-noise ratio of noisy clips, in dB.
    pub noise_snr_db: [f32; 2],
    /// Stripes hidden along each axis.
    pub masks: usize,
    /// Widest hidden stripe of mel bands.
    pub mask_bands: usize,
    /// Widest hidden stripe of frames.
    pub mask_frames: usize,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            gain_db: 4.0,
            tilt_db: 3.0,
            speed: 0.12,
            mel_shift: 2.0,
            splice: 0.4,
            noise: 0.15,
            noise_snr_db: [3.0, 30.0],
            masks: 1,
            mask_bands: 8,
            mask_frames: 20,
        }
    }
}

impl Augmentation {
    /// Changes nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            gain_db: 0.0,
            tilt_db: 0.0,
            speed: 0.0,
            mel_shift: 0.0,
            splice: 0.0,
            noise: 0.0,
            masks: 0,
            ..Self::default()
        }
    }

    /// Refuses ranges that nothing can be drawn from.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], the first field that is out of its range.
    pub fn check(&self) -> Result<(), TrainingError> {
        TrainingError::up_to([
            ("augmentation.gain_db", self.gain_db, 60.0, "0 to 60"),
            ("augmentation.tilt_db", self.tilt_db, 60.0, "0 to 60"),
            ("augmentation.speed", self.speed, 0.5, "0 to 0.5"),
            (
                "augmentation.mel_shift",
                self.mel_shift,
                32.0,
                "0 to 32 bands",
            ),
            ("augmentation.splice", self.splice, 1.0, "0 to 1"),
            ("augmentation.noise", self.noise, 1.0, "0 to 1"),
        ])?;
        let (field, allowed) = (
            "augmentation.noise_snr_db",
            "the least first, -20 to 100 dB",
        );
        TrainingError::rising(field, self.noise_snr_db, [-20.0, 100.0], allowed)?;
        if self.masks > MOST_MASKS {
            return TrainingError::refuse("augmentation.masks", self.masks.to_string(), "0 to 100");
        }
        Ok(())
    }

    /// A changed copy of `clip`, at most `longest` frames of it, and the part that it is of; `other` is another training clip, for
    /// babble, and `bands` are the log-mel rows.
    pub(super) fn apply(
        &self,
        clip: &ClipFeatures,
        other: &ClipFeatures,
        bands: Range<usize>,
        longest: usize,
        rng: &mut impl Rng,
    ) -> (ClipFeatures, Part) {
        let rate = 1.0 + spread(self.speed, rng);
        let shift = spread(self.mel_shift, rng);
        let crop = ((longest as f32 * rate) as usize).max(1);
        let start = match clip.frames().saturating_sub(crop) {
            0 => 0,
            room => rng.random_range(0..=room),
        };
        let mut out = warp(clip, start..start + crop, rate, bands.clone(), shift);
        self.colour(&mut out, bands.clone(), rng);
        if rng.random::<f32>() < self.noise && !bands.is_empty() {
            noise::add(&mut out, other, bands, self.noise_snr_db, rng);
        }
        (out, Part { start, rate })
    }

    fn colour(&self, clip: &mut ClipFeatures, bands: Range<usize>, rng: &mut impl Rng) {
        let (gain, tilt) = (spread(self.gain_db, rng), spread(self.tilt_db, rng));
        let last = bands.len().saturating_sub(1).max(1) as f32;
        for frame in clip.values.chunks_exact_mut(clip.rows) {
            for (band, value) in frame[bands.clone()].iter_mut().enumerate() {
                *value += gain + tilt * (band as f32 / last - 0.5);
            }
        }
    }

    /// SpecAugment on normalised frames: hidden stripes become the mean, which is 0.
    pub fn mask(&self, clip: &mut ClipFeatures, rng: &mut impl Rng) {
        let (rows, frames) = (clip.rows, clip.frames());
        for _ in 0..self.masks {
            let width = rng.random_range(0..=self.mask_bands.min(rows));
            let band = rng.random_range(0..=rows - width);
            for frame in clip.values.chunks_exact_mut(rows) {
                frame[band..band + width].fill(0.0);
            }
            let width = rng.random_range(0..=self.mask_frames.min(frames / 4));
            let frame = rng.random_range(0..=frames - width);
            clip.values[frame * rows..(frame + width) * rows].fill(0.0);
        }
    }
}

/// Which part of a clip a changed copy is of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    start: usize,
    rate: f32,
}

impl Part {
    /// What goes along with the clip, a step for every `frames` frames of it, for `count` steps of `stride` frames of the copy, or as many
    /// as there are.
    pub(super) fn along(
        self,
        steps: &ClipFeatures,
        frames: f32,
        stride: usize,
        count: usize,
    ) -> ClipFeatures {
        let mut values = Vec::with_capacity(count * steps.rows);
        for step in 0..count {
            // The step in which the middle of the copy's lies.
            let middle = (step as f32 + 0.5) * stride as f32 * self.rate + self.start as f32;
            let at = (middle / frames) as usize * steps.rows;
            let Some(said) = steps.values.get(at..at + steps.rows) else {
                break;
            };
            values.extend_from_slice(said);
        }
        ClipFeatures {
            rows: steps.rows,
            values,
        }
    }
}

fn spread(range: f32, rng: &mut impl Rng) -> f32 {
    range * rng.random_range(-1.0..=1.0)
}

/// The frames of `crop`, played `rate` times as fast and their `bands` moved `shift` up, by linear interpolation.
fn warp(
    clip: &ClipFeatures,
    crop: Range<usize>,
    rate: f32,
    bands: Range<usize>,
    shift: f32,
) -> ClipFeatures {
    let rows = clip.rows;
    let (start, crop) = (crop.start, crop.len().min(clip.frames() - crop.start));
    let frames = ((crop as f32 / rate) as usize).max(1);
    let mut values = Vec::with_capacity(frames * rows);
    let mut mixed = vec![0.0; rows];
    for t in 0..frames {
        let at = (t as f32 * rate).min((crop - 1) as f32);
        let (frame, share) = (at as usize, at.fract());
        let here = (start + frame) * rows;
        let next = (start + (frame + 1).min(crop - 1)) * rows;
        let frames = clip.values[here..here + rows]
            .iter()
            .zip(&clip.values[next..next + rows]);
        for (mixed, (a, b)) in mixed.iter_mut().zip(frames) {
            *mixed = a + share * (b - a);
        }
        values.extend_from_slice(&mixed);
        let moved = values.len() - rows + bands.start;
        for band in 0..bands.len() {
            let at = (band as f32 - shift).clamp(0.0, (bands.len() - 1) as f32);
            let (low, share) = (at as usize, at.fract());
            let high = (low + 1).min(bands.len() - 1);
            let [low, high] = [low, high].map(|band| mixed[bands.start + band]);
            values[moved + band] = low + share * (high - low);
        }
    }
    ClipFeatures { rows, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn ramp(rows: usize, frames: usize) -> ClipFeatures {
        let values = (0..rows * frames)
            .map(|i| (i % rows) as f32 - 60.0)
            .collect();
        ClipFeatures { rows, values }
    }

    #[test]
    fn switched_off_it_changes_nothing() {
        let clip = ramp(8, 30);
        let mut rng = StdRng::seed_from_u64(1);
        let mut out = Augmentation::none()
            .apply(&clip, &clip, 0..8, 100, &mut rng)
            .0;
        Augmentation::none().mask(&mut out, &mut rng);
        assert_eq!(out, clip);
    }

    #[test]
    fn the_same_seed_gives_the_same_frames_and_another_seed_others() {
        let clip = ramp(8, 90);
        let draw = |seed| {
            let mut rng = StdRng::seed_from_u64(seed);
            Augmentation::default()
                .apply(&clip, &clip, 0..8, 50, &mut rng)
                .0
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn any_clip_length_gives_at_least_one_and_at_most_the_longest_number_of_frames() {
        let mut rng = StdRng::seed_from_u64(5);
        let hidden = Augmentation {
            masks: 2,
            ..Augmentation::default()
        };
        for frames in [1, 2, 3, 7, 100, 400] {
            for _ in 0..50 {
                let clip = ramp(64, frames);
                let (mut out, _) = hidden.apply(&clip, &ramp(64, 5), 0..64, 120, &mut rng);
                hidden.mask(&mut out, &mut rng);
                assert!(
                    (1..=121).contains(&out.frames()),
                    "{frames} -> {}",
                    out.frames()
                );
                assert!(out.values.iter().all(|v| v.is_finite()));
            }
        }
    }

    #[test]
    fn rows_that_are_no_log_mel_bands_keep_their_values() {
        let clip = ramp(10, 30);
        let still = Augmentation {
            speed: 0.0,
            ..Augmentation::default()
        };
        let mut rng = StdRng::seed_from_u64(4);
        let (out, _) = still.apply(&clip, &clip, 2..9, 100, &mut rng);
        assert_ne!(out, clip);
        for (after, before) in out
            .values
            .chunks_exact(10)
            .zip(clip.values.chunks_exact(10))
        {
            assert_eq!((&after[..2], after[9]), (&before[..2], before[9]));
        }
    }

    #[test]
    fn what_goes_along_with_a_clip_is_cut_and_played_as_fast_as_the_clip() {
        // Every value is the time of its frame, and a step says the time of its middle.
        let time = |frames: usize, frame: f32| ClipFeatures {
            rows: 1,
            values: (0..frames).map(|i| (i as f32 + 0.5) * frame).collect(),
        };
        let changes = Augmentation {
            speed: 0.2,
            ..Augmentation::none()
        };
        for seed in 0..200 {
            let mut rng = StdRng::seed_from_u64(seed);
            // A copy of 1.25 times as many frames as the steps were made of.
            let (clip, steps) = (time(500, 0.8), time(50, 8.0));
            let (out, part) = changes.apply(&clip, &clip, 0..0, 160, &mut rng);
            let along = part.along(&steps, 10.0, 8, out.frames() / 8);
            assert!((out.frames() / 8 - 1..=out.frames() / 8).contains(&along.frames()));
            for (step, said) in along.values.iter().enumerate() {
                let middle = f32::midpoint(out.values[8 * step + 3], out.values[8 * step + 4]);
                assert!(
                    (said - middle).abs() < 5.0,
                    "{seed} {step}: {said} {middle}"
                );
            }
        }
    }
}
