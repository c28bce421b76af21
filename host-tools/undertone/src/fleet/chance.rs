//! What is left to chance in a virtual box: when somebody speaks, for how long, and what it sounds like.
//!
//! Lengths of utterances are log-normal, silences exponential, moods mostly neutral; the answers of the network wander
//! around the mood as those of the shipped model do.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Those of the shipped model.
pub(super) const LABELS: [&str; 7] = [
    "neutral", "happy", "sad", "angry", "fear", "disgust", "surprise",
];
/// How often each is what a voice sounds like.
const MOODS: [f64; LABELS.len()] = [0.55, 0.17, 0.08, 0.08, 0.03, 0.03, 0.06];
/// Half of the utterances are shorter.
const MEDIAN_S: f64 = 2.0;
/// Deviation of the logarithm of their lengths.
const SPREAD: f64 = 0.7;

/// A number for each of [`LABELS`].
pub(super) type Scores = [f32; LABELS.len()];

/// The dice of one box.
pub(super) struct Chance {
    pub(super) rng: StdRng,
    mean_silence_s: f64,
}

impl Chance {
    /// Those of the box of this number, in which somebody speaks `rate` times a minute.
    pub(super) fn new(seed: u64, number: usize, rate: f64) -> Self {
        let mean_length = MEDIAN_S * (SPREAD * SPREAD / 2.0).exp();
        Chance {
            rng: StdRng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ number as u64),
            mean_silence_s: (60.0 / rate - mean_length).max(0.5),
        }
    }

    /// Time until somebody speaks.
    pub(super) fn silence(&mut self) -> Duration {
        let share: f64 = self.rng.random_range(f64::EPSILON..1.0);
        Duration::from_secs_f64(-share.ln() * self.mean_silence_s)
    }

    /// Length of an utterance.
    pub(super) fn length(&mut self) -> Duration {
        let seconds = MEDIAN_S * (SPREAD * normal(&mut self.rng)).exp();
        Duration::from_secs_f64(seconds.clamp(0.6, 30.0))
    }

    /// What an utterance sounds like, as a place in [`LABELS`].
    pub(super) fn mood(&mut self) -> usize {
        let mut left: f64 = self.rng.random_range(0.0..1.0);
        MOODS
            .iter()
            .position(|share| {
                left -= share;
                left < 0.0
            })
            .unwrap_or(0)
    }

    /// A distribution that leans to the mood; each score wanders by itself.
    pub(super) fn answer(&mut self, mood: usize, wander: &mut Scores) -> Scores {
        let mut scores = Scores::default();
        for (index, (score, wander)) in scores.iter_mut().zip(wander).enumerate() {
            *wander = 0.8 * *wander + 0.5 * normal(&mut self.rng) as f32;
            let lean = if index == mood { 2.0 } else { 0.0 };
            *score = (lean + *wander).exp();
        }
        let sum: f32 = scores.iter().sum();
        scores.map(|score| score / sum)
    }
}

/// A number from the normal distribution (Box and Muller, 1958).
fn normal(rng: &mut StdRng) -> f64 {
    let share: f64 = rng.random_range(f64::EPSILON..1.0);
    (-2.0 * share.ln()).sqrt() * (std::f64::consts::TAU * rng.random_range(0.0..1.0)).cos()
}
