//! Rooms as impulse responses: shaped noise to train with, mirrored sources to evaluate with.

use std::cell::RefCell;

use rand::{Rng, RngExt};
use realfft::RealFftPlanner;

use super::line::high_pass;
use super::noise::normal;
use super::{RATE, power, scale};

/// Frequencies below are not modelled, in Hz.
const LOWEST: f32 = 160.0;
/// Speed of sound in m/s.
const SOUND: f32 = 343.0;

thread_local! {
    static PLANNER: RefCell<RealFftPlanner<f32>> = RefCell::new(RealFftPlanner::new());
}

/// A room with this reverberation time: the direct sound, and after it noise that falls by 60 dB in `rt60` seconds (Moorer
/// 1979) and `ratio_db` below it in energy, darker or brighter by chance.
pub fn shaped(rt60: f32, ratio_db: f32, rng: &mut impl Rng) -> Vec<f32> {
    let length = ((rt60 * RATE as f32) as usize).max(1);
    let gap = rng.random_range(16..128);
    let dark: f32 = rng.random_range(0.0..0.7);
    let mut smooth = 0.0;
    let mut tail: Vec<f32> = (0..length)
        .map(|index| {
            smooth = dark * smooth + (1.0 - dark) * normal(rng);
            smooth * 10f32.powf(-3.0 * index as f32 / length as f32)
        })
        .collect();
    let energy = power(&tail) * tail.len() as f32;
    if energy > 0.0 {
        scale(&mut tail, (10f32.powf(-ratio_db / 10.0) / energy).sqrt());
    }
    let mut response = vec![0.0; gap];
    response[0] = 1.0;
    response.append(&mut tail);
    response
}

/// A shoebox in metres, with a talker and a microphone in it.
#[derive(Clone, Copy, Debug)]
pub struct Shoebox {
    /// Length, width, height.
    pub size: [f32; 3],
    /// Where somebody talks.
    pub talker: [f32; 3],
    /// Where the microphone is.
    pub microphone: [f32; 3],
    /// Reverberation time by Eyring's formula, in seconds, from which the walls' absorption follows. Mirrored sources, which
    /// scatter nothing, ring a third longer.
    pub eyring: f32,
}

impl Shoebox {
    /// A meeting room of 8 x 6 x 3 m that rings for 0.6 s, the microphone 6 m from the talker.
    pub const MEETING_ROOM: Self = Self {
        size: [8.0, 6.0, 3.0],
        talker: [1.2, 1.5, 1.6],
        microphone: [6.6, 4.1, 1.2],
        eyring: 0.45,
    };

    /// Impulse response by mirrored sources (Allen & Berkley 1979), its first sample being the direct sound; walls absorb
    /// what Eyring's formula asks for, all of them and all frequencies alike. As there, the lowest frequencies are taken
    /// away, at which mirror images of one sign would add up without end.
    #[must_use]
    pub fn response(&self) -> Vec<f32> {
        let [x, y, z] = self.size;
        let surface = 2.0 * (x * y + y * z + z * x);
        let absorbed = 1.0 - (-0.161 * x * y * z / (surface * self.eyring)).exp();
        let reflected = (1.0 - absorbed).sqrt();
        let length = 1.5 * self.eyring;
        let far = length * SOUND;
        let direct = distance(self.talker, self.microphone);
        let mut response = vec![0.0f32; (length * RATE as f32) as usize + 1];
        let counts = self.size.map(|side| (far / (2.0 * side)).ceil() as i32);
        for nx in -counts[0]..=counts[0] {
            for ny in -counts[1]..=counts[1] {
                for nz in -counts[2]..=counts[2] {
                    for mirrored in 0..8u8 {
                        let (image, bounces) = self.image([nx, ny, nz], mirrored);
                        let path = distance(image, self.microphone);
                        let sample = ((path - direct) / SOUND * RATE as f32).round();
                        if let Some(place) = response.get_mut(sample.max(0.0) as usize) {
                            *place += reflected.powi(bounces) * direct / path;
                        }
                    }
                }
            }
        }
        high_pass(&mut response, LOWEST);
        response
    }

    /// A mirror image of the talker, and how often its sound meets a wall.
    fn image(&self, cell: [i32; 3], mirrored: u8) -> ([f32; 3], i32) {
        let mut bounces = 0;
        let image = std::array::from_fn(|axis| {
            let flipped = i32::from(mirrored >> axis & 1);
            bounces += (cell[axis] - flipped).abs() + cell[axis].abs();
            let side = (1 - 2 * flipped) as f32;
            side * self.talker[axis] + 2.0 * cell[axis] as f32 * self.size[axis]
        });
        (image, bounces)
    }
}

fn distance(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).powi(2))
        .sum::<f32>()
        .sqrt()
}

/// `samples` heard in a room, as long and as loud as before; what rings on after the end is cut off.
#[must_use]
pub fn hear(samples: &[f32], response: &[f32]) -> Vec<f32> {
    let before = power(samples);
    let size = (samples.len() + response.len()).next_power_of_two().max(2);
    let out = PLANNER.with_borrow_mut(|planner| {
        let (forward, inverse) = (
            planner.plan_fft_forward(size),
            planner.plan_fft_inverse(size),
        );
        let spectrum = |values: &[f32]| {
            let mut padded = values.to_vec();
            padded.resize(size, 0.0);
            let mut spectrum = forward.make_output_vec();
            forward.process(&mut padded, &mut spectrum).ok()?;
            Some(spectrum)
        };
        let (mut product, response) = (spectrum(samples)?, spectrum(response)?);
        for (a, b) in product.iter_mut().zip(response) {
            *a *= b;
        }
        let mut out = inverse.make_output_vec();
        inverse.process(&mut product, &mut out).ok()?;
        Some(out)
    });
    // Lengths fit by construction; should the library disagree, the sound stays dry.
    let Some(mut out) = out else {
        return samples.to_vec();
    };
    out.truncate(samples.len());
    let after = power(&out);
    if after > 0.0 {
        scale(&mut out, (before / after).sqrt());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    /// Time in which the energy that is still to come falls from -5 to -25 dB, times 3 (Schroeder 1965).
    fn reverberation(response: &[f32]) -> f32 {
        let all: f32 = response.iter().map(|value| value * value).sum();
        let mut left = all;
        let mut reached = [None; 2];
        for (index, value) in response.iter().enumerate() {
            left -= value * value;
            for (place, share) in reached.iter_mut().zip([0.316_23, 0.003_162_3]) {
                if place.is_none() && left < all * share {
                    *place = Some(index as f32 / RATE as f32);
                }
            }
        }
        3.0 * (reached[1].unwrap() - reached[0].unwrap())
    }

    #[test]
    fn mirrored_sources_ring_for_the_time_that_was_asked_for() {
        let response = Shoebox::MEETING_ROOM.response();
        assert!((response[0] - 1.0).abs() < 0.1, "{}", response[0]);
        let found = reverberation(&response);
        assert!((0.55..0.65).contains(&found), "{found} s");
    }

    #[test]
    fn shaped_noise_rings_for_the_time_and_at_the_ratio_that_were_asked_for() {
        let response = shaped(0.5, 3.0, &mut StdRng::seed_from_u64(2));
        let tail = power(&response[1..]) * (response.len() - 1) as f32;
        assert!((10.0 * (1.0 / tail).log10() - 3.0).abs() < 0.1);
        assert!((reverberation(&response[128..]) - 0.5).abs() < 0.1);
    }

    #[test]
    fn a_response_of_one_impulse_changes_nothing_and_an_echo_comes_later() {
        let voice: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.3).sin()).collect();
        for (dry, wet) in voice.iter().zip(hear(&voice, &[1.0])) {
            assert!((dry - wet).abs() < 1e-4);
        }
        let mut click = vec![0.0; 500];
        click[10] = 1.0;
        let mut echo = vec![0.0; 300];
        (echo[0], echo[250]) = (1.0, 1.0);
        let out = hear(&click, &echo);
        assert!((out[10] - out[260]).abs() < 1e-4 && out[10] > 0.5 && out[100].abs() < 1e-4);
        assert_eq!(hear(&[], &[1.0]), [0.0; 0]);
    }
}
