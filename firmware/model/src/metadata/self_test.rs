//! An answer that a reader can check for itself.

use serde::{Deserialize, Serialize};

/// An input that a reader can make for itself, and the logits that the trainer computed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    /// Feature frames to feed.
    pub frames: usize,
    /// Logits after the last frame.
    pub logits: Vec<f32>,
}

impl SelfTest {
    /// Largest difference of a logit that counts as equal: absolute up to 1, and beyond as a share of the logit.
    pub const TOLERANCE: f32 = 2e-3;
    /// Most frames that a file may ask for.
    pub const MAX_FRAMES: usize = 2_000;

    /// The input: `frames` frames of `rows` values, -80 to 0, frame after frame, from a 64-bit linear congruential
    /// generator (Knuth's MMIX constants) started at 1.
    #[must_use]
    pub fn input(frames: usize, rows: usize) -> Vec<f32> {
        let mut state = 1u64;
        (0..frames * rows)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let unit = (state >> 40) as f32 / (1u64 << 24) as f32;
                -80.0 * unit
            })
            .collect()
    }
}
