//! Augmentation of feature frames while training; log-mel rows in dB, before normalisation.
//!
//! Every change keeps what makes an emotion audible and varies what belongs to the room, the microphone, the speaker
//! or chance: level, spectral tilt, speed, vocal-tract length, background noise; SpecAugment (Park et al. 2019) hides
//! stripes. Noise is added as power, so that it fills the pauses first, as in a real room.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::features::ClipFeatures;

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
            gain_db: 10.0,
            tilt_db: 8.0,
            speed: 0.15,
            mel_shift: 3.0,
            noise: 0.4,
            noise_snr_db: [3.0, 30.0],
            masks: 2,
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
            noise: 0.0,
            masks: 0,
            ..Self::default()
        }
    }

    /// A changed copy of `clip`, at most `longest` frames of it; `other` is another training clip, for babble.
    pub fn apply(
        &self,
        clip: &ClipFeatures,
        other: &ClipFeatures,
        longest: usize,
        rng: &mut impl Rng,
    ) -> ClipFeatures {
        let rate = 1.0 + spread(self.speed, rng);
        let shift = spread(self.mel_shift, rng);
        let crop = ((longest as f32 * rate) as usize).max(1);
        let start = match clip.frames().saturating_sub(crop) {
            0 => 0,
            room => rng.random_range(0..=room),
        };
        let mut out = warp(clip, start, crop, rate, shift);
        self.colour(&mut out, rng);
        if rng.random::<f32>() < self.noise {
            self.add_noise(&mut out, other, rng);
        }
        out
    }

    fn colour(&self, clip: &mut ClipFeatures, rng: &mut impl Rng) {
        let (gain, tilt) = (spread(self.gain_db, rng), spread(self.tilt_db, rng));
        for frame in clip.values.chunks_exact_mut(clip.rows) {
            for (band, value) in frame.iter_mut().enumerate() {
                *value += gain + tilt * (band as f32 / (clip.rows - 1).max(1) as f32 - 0.5);
            }
        }
    }

    fn add_noise(&self, clip: &mut ClipFeatures, other: &ClipFeatures, rng: &mut impl Rng) {
        let [low, high] = self.noise_snr_db;
        let snr = rng.random_range(low..=high);
        let babble = rng.random::<f32>() < 0.4;
        let slope: f32 = rng.random_range(-30.0..5.0);
        let frames = other.frames();
        let offset = rng.random_range(0..frames);
        let rows = clip.rows;
        let noise = |t: usize, band: usize, jitter: f32| {
            if babble {
                other.values[((t + offset) % frames) * rows + band]
            } else {
                slope * band as f32 / rows as f32 + jitter
            }
        };
        let power = |values: &mut dyn Iterator<Item = f32>| {
            let (sum, count) = values.fold((0.0, 0.0), |(sum, count), db| {
                (sum + from_db(db), count + 1.0)
            });
            to_db(sum / f32::max(count, 1.0))
        };
        let speech = power(&mut clip.values.iter().copied());
        let length = clip.frames();
        let level = power(&mut (0..length * rows).map(|i| noise(i / rows, i % rows, 0.0)));
        let gain = speech - snr - level;
        for t in 0..length {
            for band in 0..rows {
                // A band's power in one frame of stationary noise scatters by about 5 dB.
                let jitter = (rng.random::<f32>() + rng.random::<f32>() - 1.0) * 8.0;
                let value = &mut clip.values[t * rows + band];
                *value = to_db(from_db(*value) + from_db(noise(t, band, jitter) + gain));
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

fn spread(range: f32, rng: &mut impl Rng) -> f32 {
    range * rng.random_range(-1.0..=1.0)
}

fn from_db(db: f32) -> f32 {
    (db * (std::f32::consts::LN_10 / 10.0)).exp()
}

fn to_db(power: f32) -> f32 {
    10.0 * power.max(1e-10).log10()
}

/// `crop` frames from `start` on, played `rate` times as fast and moved `shift` bands up, by linear interpolation.
fn warp(clip: &ClipFeatures, start: usize, crop: usize, rate: f32, shift: f32) -> ClipFeatures {
    let rows = clip.rows;
    let crop = crop.min(clip.frames() - start);
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
        for band in 0..rows {
            let at = (band as f32 - shift).clamp(0.0, (rows - 1) as f32);
            let (low, share) = (at as usize, at.fract());
            let high = (low + 1).min(rows - 1);
            values.push(mixed[low] + share * (mixed[high] - mixed[low]));
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
        let mut out = Augmentation::none().apply(&clip, &clip, 100, &mut rng);
        Augmentation::none().mask(&mut out, &mut rng);
        assert_eq!(out, clip);
    }

    #[test]
    fn the_same_seed_gives_the_same_frames_and_another_seed_others() {
        let clip = ramp(8, 90);
        let draw = |seed| {
            Augmentation::default().apply(&clip, &clip, 50, &mut StdRng::seed_from_u64(seed))
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn noise_at_a_high_ratio_leaves_loud_bands_and_fills_silent_ones() {
        let mut clip = ramp(8, 40);
        for frame in clip.values.chunks_exact_mut(8) {
            frame.fill(-10.0);
            frame[0] = -100.0;
        }
        let noisy = Augmentation {
            noise: 1.0,
            noise_snr_db: [25.0, 25.0],
            ..Augmentation::none()
        };
        let out = noisy.apply(&clip, &ramp(8, 40), 100, &mut StdRng::seed_from_u64(3));
        for frame in out.values.chunks_exact(8) {
            assert!((frame[7] + 10.0).abs() < 1.0, "{frame:?}");
            assert!(frame[0] > -70.0, "{frame:?}");
        }
    }

    #[test]
    fn any_clip_length_gives_at_least_one_and_at_most_the_longest_number_of_frames() {
        let mut rng = StdRng::seed_from_u64(5);
        for frames in [1, 2, 3, 7, 100, 400] {
            for _ in 0..50 {
                let clip = ramp(64, frames);
                let mut out = Augmentation::default().apply(&clip, &ramp(64, 5), 120, &mut rng);
                Augmentation::default().mask(&mut out, &mut rng);
                assert!(
                    (1..=121).contains(&out.frames()),
                    "{frames} -> {}",
                    out.frames()
                );
                assert!(out.values.iter().all(|v| v.is_finite()));
            }
        }
    }
}
