//! Length and pitch: each alone, or together as a record played too fast.
//!
//! Time is stretched by overlap-add of similar waveforms (WSOLA, Verhelst & Roelands 1993), which keeps a voice's
//! attacks and needs no transform; the kept libraries want a C++ parser to build or work on music at 48 kHz.

use undertone_dsp::{DspError, resample};

use super::RATE;

/// Samples of a segment, 32 ms: two periods of a low voice.
const SEGMENT: usize = 512;
/// Samples between segments that are put out.
const HOP: usize = SEGMENT / 2;
/// How far a segment is looked for from where it should lie, in samples; covers a period of 80 Hz.
const TOLERANCE: usize = 200;
/// Step of the first, coarse look.
const COARSE: usize = 4;

/// The same voice at the same pitch, `rate` times as fast (0.25 to 4; beyond, it is limited).
#[must_use]
pub fn stretch(samples: &[f32], rate: f32) -> Vec<f32> {
    let rate = rate.clamp(0.25, 4.0);
    let length = (samples.len() as f32 / rate) as usize;
    if samples.len() < 2 * SEGMENT + TOLERANCE || (rate - 1.0).abs() < 1e-3 {
        return samples.to_vec();
    }
    let window: Vec<f32> = (0..SEGMENT)
        .map(|i| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / SEGMENT as f32).cos())
        .collect();
    let last = samples.len() - SEGMENT;
    let mut out = vec![0.0; length + SEGMENT];
    // The first half segment has no one before it to overlap with.
    out[..HOP].copy_from_slice(&samples[..HOP]);
    let mut taken = 0;
    for (index, start) in (0..length).step_by(HOP).enumerate() {
        if index > 0 {
            let ideal = ((start as f32 * rate) as usize).min(last);
            let natural = (taken + HOP).min(last);
            taken = most_similar(samples, natural, ideal, last);
        }
        let half = if index == 0 { HOP } else { 0 };
        for i in half..SEGMENT {
            out[start + i] += window[i] * samples[taken + i];
        }
    }
    out.truncate(length);
    out
}

/// The start near `ideal` whose segment is most like the one at `natural`.
fn most_similar(samples: &[f32], natural: usize, ideal: usize, last: usize) -> usize {
    let like = &samples[natural..natural + SEGMENT];
    let likeness = |start: usize| -> f32 {
        let here = &samples[start..start + SEGMENT];
        let (mut product, mut energy) = (0.0f32, 1e-9f32);
        for (a, b) in like.iter().zip(here) {
            product += a * b;
            energy += b * b;
        }
        product / energy.sqrt()
    };
    let best = |candidates: &mut dyn Iterator<Item = usize>| {
        candidates
            .map(|start| (start, likeness(start)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .map_or(ideal, |(start, _)| start)
    };
    let (low, high) = (
        ideal.saturating_sub(TOLERANCE),
        (ideal + TOLERANCE).min(last),
    );
    let near = best(&mut (low..=high).step_by(COARSE));
    best(&mut (near.saturating_sub(COARSE - 1)..=(near + COARSE - 1).min(last)))
}

/// `rate` times as fast and as high, as a record; `rate` is rounded to 1/160.
///
/// # Errors
/// [`DspError`] if the rate lies beyond what can be resampled.
pub fn speed(samples: Vec<f32>, rate: f32) -> Result<Vec<f32>, DspError> {
    let from = (RATE as f32 * rate / 100.0).round().max(10.0) as u32 * 100;
    resample(samples, from, RATE)
}

/// `semitones` higher, in the same time (to within the rounding of [`speed`]).
///
/// # Errors
/// As [`speed`].
pub fn pitch(samples: &[f32], semitones: f32) -> Result<Vec<f32>, DspError> {
    let rate = (2f32.powf(semitones / 12.0) * 160.0).round() / 160.0;
    speed(stretch(samples, 1.0 / rate), rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::power;

    fn tone(hz: f32, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|i| 0.5 * (std::f32::consts::TAU * hz * i as f32 / RATE as f32).sin())
            .collect()
    }

    /// Frequency of a tone, by its upward crossings, away from the ends.
    fn frequency(samples: &[f32]) -> f32 {
        let middle = &samples[2000..samples.len() - 2000];
        let up = middle
            .windows(2)
            .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0);
        up.count() as f32 * RATE as f32 / middle.len() as f32
    }

    #[test]
    fn stretching_changes_the_length_and_keeps_pitch_and_level() {
        let voice = tone(220.0, 32_000);
        for rate in [0.8, 0.9, 1.15, 1.3] {
            let out = stretch(&voice, rate);
            assert!((out.len() as f32 - 32_000.0 / rate).abs() < 2.0, "{rate}");
            assert!(
                (frequency(&out) - 220.0).abs() < 3.0,
                "{} at {rate}",
                frequency(&out)
            );
            let level = power(&out[2000..out.len() - 2000]) / power(&voice);
            assert!((level - 1.0).abs() < 0.05, "{level} at {rate}");
        }
    }

    #[test]
    fn shifting_the_pitch_keeps_the_length() {
        let out = pitch(&tone(200.0, 32_000), 2.0).unwrap();
        assert!((out.len() as f32 - 32_000.0).abs() < 320.0, "{}", out.len());
        assert!((frequency(&out) - 224.5).abs() < 3.0, "{}", frequency(&out));
    }

    #[test]
    fn speed_changes_both() {
        let out = speed(tone(200.0, 32_000), 1.1).unwrap();
        assert!((out.len() as f32 - 29_091.0).abs() < 3.0, "{}", out.len());
        assert!((frequency(&out) - 220.0).abs() < 3.0);
    }

    #[test]
    fn a_sound_too_short_to_stretch_stays_as_it_is() {
        assert_eq!(stretch(&[0.1; 300], 0.8), [0.1; 300]);
        assert_eq!(stretch(&[], 0.8), [0.0; 0]);
    }
}
