//! Background noise, added as power, so that it fills the pauses first, as in a real room.

use std::ops::Range;

use rand::{Rng, RngExt};

use crate::features::ClipFeatures;

/// Adds stationary noise with a drawn slope, or `other` as babble, to the `bands` of `clip`, at a ratio within `snr_db`.
pub(super) fn add(
    clip: &mut ClipFeatures,
    other: &ClipFeatures,
    bands: Range<usize>,
    snr_db: [f32; 2],
    rng: &mut impl Rng,
) {
    let [low, high] = snr_db;
    let snr = rng.random_range(low..=high);
    let babble = rng.random::<f32>() < 0.4;
    let slope: f32 = rng.random_range(-30.0..5.0);
    let frames = other.frames();
    let offset = rng.random_range(0..frames);
    let (rows, height) = (clip.rows, bands.len());
    let noise = |t: usize, band: usize, jitter: f32| {
        if babble {
            other.values[((t + offset) % frames) * rows + bands.start + band]
        } else {
            slope * band as f32 / height as f32 + jitter
        }
    };
    let power = |values: &mut dyn Iterator<Item = f32>| {
        let (sum, count) = values.fold((0.0, 0.0), |(sum, count), db| {
            (sum + from_db(db), count + 1.0)
        });
        to_db(sum / f32::max(count, 1.0))
    };
    let heard = clip.values.chunks_exact(rows);
    let speech = power(&mut heard.flat_map(|frame| frame[bands.clone()].iter().copied()));
    let length = clip.frames();
    let level = power(&mut (0..length * height).map(|i| noise(i / height, i % height, 0.0)));
    let gain = speech - snr - level;
    for t in 0..length {
        for band in 0..height {
            // A band's power in one frame of stationary noise scatters by about 5 dB.
            let jitter = (rng.random::<f32>() + rng.random::<f32>() - 1.0) * 8.0;
            let value = &mut clip.values[t * rows + bands.start + band];
            *value = to_db(from_db(*value) + from_db(noise(t, band, jitter) + gain));
        }
    }
}

fn from_db(db: f32) -> f32 {
    (db * (std::f32::consts::LN_10 / 10.0)).exp()
}

fn to_db(power: f32) -> f32 {
    10.0 * power.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn noise_at_a_high_ratio_leaves_loud_bands_and_fills_silent_ones() {
        let of = |frame: [f32; 8]| ClipFeatures {
            rows: 8,
            values: frame.repeat(40),
        };
        let mut clip = of([-100.0, -10.0, -10.0, -10.0, -10.0, -10.0, -10.0, -10.0]);
        let babble = of([0, 1, 2, 3, 4, 5, 6, 7].map(|band| band as f32 - 60.0));
        let mut rng = StdRng::seed_from_u64(3);
        add(&mut clip, &babble, 0..8, [25.0, 25.0], &mut rng);
        for frame in clip.values.chunks_exact(8) {
            assert!((frame[7] + 10.0).abs() < 1.0, "{frame:?}");
            assert!(frame[0] > -70.0, "{frame:?}");
        }
    }
}
