//! Noises, made and mixed in.

use std::f32::consts::TAU;

use rand::{Rng, RngExt};

use super::{RATE, amplitude, power, scale};

/// Adds `noise` to `speech` so that their powers lie `snr_db` apart; `noise` begins at a drawn place and is repeated.
pub fn mix(speech: &mut [f32], noise: &[f32], snr_db: f32, rng: &mut impl Rng) {
    let (loud, soft) = (power(speech), power(noise));
    if noise.is_empty() || soft <= 0.0 || loud <= 0.0 {
        return;
    }
    let gain = (loud / soft).sqrt() * amplitude(-snr_db);
    let start = rng.random_range(0..noise.len());
    for (index, sample) in speech.iter_mut().enumerate() {
        *sample += gain * noise[(start + index) % noise.len()];
    }
}

/// A normally distributed value (Box & Muller 1958).
pub(super) fn normal(rng: &mut impl Rng) -> f32 {
    let radius = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    radius * (TAU * rng.random::<f32>()).cos()
}

/// White noise of deviation 1.
pub fn white(samples: usize, rng: &mut impl Rng) -> Vec<f32> {
    (0..samples).map(|_| normal(rng)).collect()
}

/// Pink noise: 3 dB less per octave, within 0.1 dB from 40 Hz up (Kellet's filter, at 16 kHz a little off).
pub fn pink(samples: usize, rng: &mut impl Rng) -> Vec<f32> {
    const POLES: [(f32, f32); 3] = [
        (0.997_65, 0.099_046),
        (0.963_00, 0.296_516_4),
        (0.570_00, 1.052_691_3),
    ];
    let mut state = [0.0; 3];
    (0..samples)
        .map(|_| {
            let white = normal(rng);
            for (state, (pole, gain)) in state.iter_mut().zip(POLES) {
                *state = pole * *state + gain * white;
            }
            state.iter().sum::<f32>() + 0.1848 * white
        })
        .collect()
}

/// A machine: mains hum with harmonics, and a fan's rumble that swells with its blades. For evaluation only.
pub fn machine(samples: usize, rng: &mut impl Rng) -> Vec<f32> {
    let mains = if rng.random::<bool>() { 50.0 } else { 60.0 };
    let blades: f32 = rng.random_range(17.0..43.0);
    let phases: [f32; 8] = std::array::from_fn(|_| rng.random_range(0.0..TAU));
    let mut rumble = 0.0;
    (0..samples)
        .map(|index| {
            let t = index as f32 / RATE as f32;
            let hum: f32 = phases
                .iter()
                .zip(1u8..)
                .map(|(phase, n)| {
                    let n = f32::from(n);
                    (TAU * ((mains * n * t).fract()) + phase).sin() / n
                })
                .sum();
            rumble = 0.96 * rumble + 0.28 * normal(rng);
            let swell = 1.0 + 0.6 * (TAU * (blades * t).fract()).sin();
            0.35 * hum + swell * rumble
        })
        .collect()
}

/// Dishes and tools: some five strokes a second, each a few damped resonances from 0.8 to 6 kHz. For evaluation only.
pub fn clatter(samples: usize, rng: &mut impl Rng) -> Vec<f32> {
    let mut out: Vec<f32> = (0..samples).map(|_| 0.01 * normal(rng)).collect();
    let strokes = (5 * samples).div_ceil(RATE as usize).max(2);
    for _ in 0..strokes {
        let start = rng.random_range(0..samples.max(1));
        let loud: f32 = rng.random_range(0.2..1.0);
        for _ in 0..4 {
            let frequency: f32 = rng.random_range(800.0..6000.0);
            let decay: f32 = rng.random_range(0.01..0.08);
            let length = ((decay * 7.0 * RATE as f32) as usize).min(samples - start);
            for (index, sample) in out[start..start + length].iter_mut().enumerate() {
                let t = index as f32 / RATE as f32;
                *sample += loud * (-t / decay).exp() * (TAU * frequency * t).sin();
            }
        }
    }
    out
}

/// A street: low rumble all the time, and hiss of tyres that comes and goes over seconds. For evaluation only.
pub fn street(samples: usize, rng: &mut impl Rng) -> Vec<f32> {
    let pace: f32 = rng.random_range(0.15..0.6);
    let phase: f32 = rng.random_range(0.0..TAU);
    let (mut rumble, mut tyres) = (0.0, 0.0);
    (0..samples)
        .map(|index| {
            let t = index as f32 / RATE as f32;
            rumble = 0.99 * rumble + 0.14 * normal(rng);
            tyres = 0.6 * tyres + 0.8 * normal(rng);
            let near = (0.5 + 0.5 * (TAU * pace * t + phase).sin()).powi(2);
            rumble + near * tyres
        })
        .collect()
}

/// Voices of others: the sum of `voices`, each from a drawn place on, over `samples` samples.
pub fn babble(voices: &[Vec<f32>], samples: usize, rng: &mut impl Rng) -> Vec<f32> {
    let mut out = vec![0.0; samples];
    for voice in voices.iter().filter(|voice| power(voice) > 0.0) {
        let mut voice = voice.clone();
        let gain = 1.0 / power(&voice).sqrt();
        scale(&mut voice, gain);
        let start = rng.random_range(0..voice.len());
        for (index, sample) in out.iter_mut().enumerate() {
            *sample += voice[(start + index) % voice.len()];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    /// Mean power of the differences of neighbours, relative to the noise's own: 2 for white noise, less for darker ones.
    fn brightness(noise: &[f32]) -> f32 {
        let steps: Vec<f32> = noise.windows(2).map(|pair| pair[1] - pair[0]).collect();
        power(&steps) / power(noise)
    }

    #[test]
    fn what_is_mixed_in_lies_at_the_ratio_that_was_asked_for() {
        let speech = white(16_000, &mut rng());
        for snr in [0.0, 10.0, 20.0] {
            let mut noisy = speech.clone();
            mix(&mut noisy, &pink(9_000, &mut rng()), snr, &mut rng());
            let added: Vec<f32> = noisy.iter().zip(&speech).map(|(a, b)| a - b).collect();
            let found = 10.0 * (power(&speech) / power(&added)).log10();
            assert!((found - snr).abs() < 0.5, "{found} dB of {snr}");
        }
    }

    #[test]
    fn silence_and_no_noise_stay_as_they_are() {
        let mut silence = vec![0.0; 100];
        mix(&mut silence, &[1.0; 10], 10.0, &mut rng());
        assert_eq!(silence, [0.0; 100]);
        let mut speech = vec![0.5; 100];
        mix(&mut speech, &[], 10.0, &mut rng());
        assert_eq!(speech, [0.5; 100]);
    }

    #[test]
    fn pink_is_darker_than_white_and_street_and_machine_are_darker_still() {
        let of = |noise: Vec<f32>| brightness(&noise);
        let white = of(white(48_000, &mut rng()));
        let pink = of(pink(48_000, &mut rng()));
        assert!(
            (white - 2.0).abs() < 0.1 && pink < 0.8 * white,
            "{white} {pink}"
        );
        for dark in [machine(48_000, &mut rng()), street(48_000, &mut rng())] {
            assert!(of(dark) < pink);
        }
    }

    #[test]
    fn every_noise_is_finite_not_silent_and_the_same_for_the_same_seed() {
        let noises: [fn(usize, &mut StdRng) -> Vec<f32>; 5] =
            [white, pink, machine, clatter, street];
        for noise in noises {
            for samples in [1, 100, 20_000] {
                let made = noise(samples, &mut rng());
                assert_eq!(made, noise(samples, &mut rng()));
                assert!(made.len() == samples && made.iter().all(|value| value.is_finite()));
                assert!(samples == 1 || power(&made) > 0.0);
            }
        }
        let voices = vec![vec![0.1, -0.1, 0.2], vec![0.0; 4], Vec::new()];
        assert!((power(&babble(&voices, 3_000, &mut rng())) - 1.0).abs() < 0.01);
    }
}
