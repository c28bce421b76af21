//! What can happen to a voice on its way to the microphone and from there to the box.
//!
//! Comes in: mono samples at 16 kHz, full scale 1. Goes out: samples of the same kind. Training draws from these
//! ([`crate::training::wave`]), and evaluation fixes them ([`crate::evaluation::condition`]); noises and rooms that evaluation
//! uses are never trained with. Everything random comes from the generator that is handed in.

mod adpcm;
pub mod line;
pub mod noise;
pub mod room;
pub mod stretch;

/// The rate that everything here works at, in Hz.
pub const RATE: u32 = 16_000;

/// Mean square of samples; 0 for none.
#[must_use]
pub fn power(samples: &[f32]) -> f32 {
    let sum: f64 = samples
        .iter()
        .map(|&sample| f64::from(sample).powi(2))
        .sum();
    (sum / samples.len().max(1) as f64) as f32
}

/// Multiplies every sample.
pub fn scale(samples: &mut [f32], factor: f32) {
    samples.iter_mut().for_each(|sample| *sample *= factor);
}

/// A ratio of amplitudes, from dB.
#[must_use]
pub fn amplitude(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}
