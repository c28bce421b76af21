//! The detector answers as the crate does that its network comes from.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use undertone_analysis::vad::{EarshotVad, Vad};
use undertone_decode::{Limits, read_file};

/// Largest difference of a probability: rounding, and what it becomes in whole numbers.
const TOLERANCE: f32 = 5e-4;
/// The same where bands hold nothing but the crate's rounding: its transform is in `f32`, ours in `f64`.
const TOLERANCE_OF_TONES: f32 = 2e-3;

fn speech() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/assets/speech.wav");
    read_file(&path, &Limits::default()).unwrap().mono()
}

fn noise(count: usize) -> impl Iterator<Item = f32> {
    let mut state = 1u32;
    (0..count).map(move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / u32::MAX as f32 - 0.5
    })
}

/// Compares every hop, and returns how many were speech.
fn compare(name: &str, audio: &[f32], tolerance: f32) -> usize {
    let mut ours = EarshotVad::new();
    let mut theirs = earshot::Detector::default();
    let mut speech = 0;
    for (index, hop) in audio.chunks_exact(ours.hop_length()).enumerate() {
        let (a, b) = (ours.probability(hop), theirs.predict_f32(hop));
        assert!(
            (a - b).abs() < tolerance,
            "{name}: hop {index} is {a}, the crate says {b}"
        );
        speech += usize::from(b > 0.5);
    }
    speech
}

#[test]
fn speech_is_heard_as_the_crate_hears_it_loud_and_faint_and_in_noise() {
    let clip = speech();
    for (gain, floor) in [(1.0, 0.0), (0.01, 0.0), (0.3, 0.02), (0.1, 0.1), (4.0, 0.0)] {
        let audio: Vec<f32> = clip
            .iter()
            .zip(noise(clip.len()))
            .map(|(sample, noise)| (gain * sample + floor * noise).clamp(-1.0, 1.0))
            .collect();
        let heard = compare(&format!("gain {gain}, noise {floor}"), &audio, TOLERANCE);
        assert!(heard > 5, "only {heard} hops of speech at gain {gain}");
    }
}

#[test]
fn silence_noise_and_tones_are_heard_as_the_crate_hears_them() {
    compare("silence", &[0.0; 8_000], TOLERANCE);
    compare("noise", &noise(32_000).collect::<Vec<f32>>(), TOLERANCE);
    let tone: Vec<f32> = (0..32_000).map(|n| (n as f32 * 0.1).sin()).collect();
    compare("tone", &tone, TOLERANCE_OF_TONES);
    let square: Vec<f32> = tone.iter().map(|sample| sample.signum()).collect();
    compare("square", &square, TOLERANCE_OF_TONES);
}
