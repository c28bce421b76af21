//! A floor under the log-mel bands of an utterance: how silent the pauses are, between 20 and 80 dB below speech, is the
//! room's and the recorder's, and tells nothing of the voice.

use crate::DspError;
use crate::config::{out_of_range, within};
use serde::{Deserialize, Serialize};

/// Depths in dB.
const DEPTHS: std::ops::RangeInclusive<f32> = 0.0..=200.0;
/// In dB a frame.
const RELEASES: std::ops::RangeInclusive<f32> = 0.0..=10.0;
/// Most frames that are held back.
const MAX_HOLD: usize = 1_000;

/// Values that are compared at the same time.
const LANES: usize = 16;

/// The greater of two numbers, neither of which is NaN.
fn louder(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// No band of an utterance lies further below its loudest band so far than this.
///
/// The first `hold` frames are measured by the loudest of all of them, so that silence before the first word has a floor too.
/// Everything is relative: a louder utterance keeps its shape. [`Frontend`](crate::Frontend) puts no floor anywhere; who knows
/// where an utterance begins does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Depth of the floor in the lowest band, 0 to 200 dB below the loudest band.
    pub low_db: f32,
    /// The same in the highest band; between the two it is linear.
    pub high_db: f32,
    /// Frames that are held back at the beginning of an utterance, 1 to 1000, and no more than lie between two answers.
    pub hold: usize,
    /// How much of the loudest band is forgotten with every frame after these, 0 to 10 dB: a door that slams is not the voice.
    pub release_db: f32,
}

/// A [`Floor`] for so many bands.
#[derive(Debug, Clone)]
pub struct Depths {
    below: Box<[f32]>,
    release: f32,
}

impl Floor {
    /// # Errors
    /// [`DspError::OutOfRange`].
    pub fn validate(&self) -> Result<(), DspError> {
        for (field, value, allowed) in [
            ("floor.low_db", self.low_db, DEPTHS),
            ("floor.high_db", self.high_db, DEPTHS),
            ("floor.release_db", self.release_db, RELEASES),
        ] {
            if !allowed.contains(&value) {
                let range = format!("{} to {}", allowed.start(), allowed.end());
                return Err(out_of_range(field, f64::from(value), range));
            }
        }
        within("floor.hold", self.hold, 1, MAX_HOLD)
    }

    /// The depth of each of `bands` bands.
    #[must_use]
    pub fn depths(&self, bands: usize) -> Depths {
        let last = bands.saturating_sub(1).max(1) as f32;
        let slope = (self.high_db - self.low_db) / last;
        Depths {
            below: (0..bands)
                .map(|band| self.low_db + slope * band as f32)
                .collect(),
            release: self.release_db,
        }
    }

    /// Raises all frames of an utterance, `bands` values in dB each.
    pub fn raise_all(&self, frames: &mut [f32], bands: usize) {
        let depths = self.depths(bands);
        let held = frames.len().min(self.hold.saturating_mul(bands));
        let (first, rest) = frames.split_at_mut(held);
        let mut loudest = depths.louder(f32::NEG_INFINITY, first);
        for frame in first.chunks_exact_mut(bands.max(1)) {
            depths.raise(frame, loudest);
        }
        for frame in rest.chunks_exact_mut(bands.max(1)) {
            loudest = depths.next(loudest, frame);
            depths.raise(frame, loudest);
        }
    }
}

impl Depths {
    /// The loudest band so far, when these come that are held back as well; negative infinity before any.
    #[must_use]
    pub fn louder(&self, loudest: f32, held: &[f32]) -> f32 {
        // Lane by lane, and by a comparison that is one instruction: this is done for every frame.
        let mut lanes = [loudest; LANES];
        let (chunks, rest) = held.as_chunks::<LANES>();
        for chunk in chunks {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                *lane = louder(*lane, value);
            }
        }
        lanes.iter().chain(rest).copied().fold(loudest, louder)
    }

    /// The loudest band so far with the next frame after those that were held back.
    #[must_use]
    pub fn next(&self, loudest: f32, frame: &[f32]) -> f32 {
        self.louder(loudest - self.release, frame)
    }

    /// Raises every band of a frame to its depth below the loudest so far at least. Once more below a greater loudest gives what that
    /// alone would have.
    pub fn raise(&self, frame: &mut [f32], loudest: f32) {
        for (value, below) in frame.iter_mut().zip(&self.below) {
            *value = louder(*value, loudest - below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOOR: Floor = Floor {
        low_db: 30.0,
        high_db: 50.0,
        hold: 2,
        release_db: 1.0,
    };
    const SILENCE: [f32; 3] = [-100.0; 3];

    fn raised(frames: &[[f32; 3]]) -> Vec<[f32; 3]> {
        let mut all = frames.concat();
        FLOOR.raise_all(&mut all, 3);
        all.chunks_exact(3).map(|f| [f[0], f[1], f[2]]).collect()
    }

    #[test]
    fn silence_before_the_first_word_lies_below_the_loudest_frame_that_is_held_back_with_it() {
        let word = [-20.0, -90.0, -30.0];
        let louder = [0.0, -90.0, -10.0];
        let found = raised(&[SILENCE, word, SILENCE, louder, SILENCE, SILENCE]);
        let expected = [
            [-50.0, -60.0, -70.0],
            [-20.0, -60.0, -30.0],
            [-51.0, -61.0, -71.0],
            [0.0, -40.0, -10.0],
            [-31.0, -41.0, -51.0],
            [-32.0, -42.0, -52.0],
        ];
        assert_eq!(found, expected);
        assert_eq!(raised(&[SILENCE])[0], SILENCE);
        assert_eq!(raised(&[]), Vec::<[f32; 3]>::new());
    }

    #[test]
    fn a_louder_utterance_keeps_its_shape() {
        let frames = [[-40.0, -95.0, -60.0], [-20.0, -30.0, -99.0], [-70.0; 3]];
        let louder = frames.map(|frame| frame.map(|value| value + 25.0));
        for (soft, loud) in raised(&frames).iter().zip(raised(&louder)) {
            assert_eq!(soft.map(|value| value + 25.0), loud);
        }
    }

    #[test]
    fn a_frame_that_was_raised_before_ends_up_where_it_would_have() {
        let depths = FLOOR.depths(3);
        let (mut twice, mut once) = ([-90.0, -35.0, -61.0], [-90.0, -35.0, -61.0]);
        depths.raise(&mut twice, -20.0);
        assert_ne!(twice, once);
        depths.raise(&mut twice, -5.0);
        depths.raise(&mut once, -5.0);
        assert_eq!(twice, once);
    }

    #[test]
    fn a_field_out_of_range_is_refused_by_name() {
        FLOOR.validate().unwrap();
        let with = |change: fn(&mut Floor)| {
            let mut floor = FLOOR;
            change(&mut floor);
            floor.validate().unwrap_err().to_string()
        };
        for (name, message) in [
            ("floor.low_db is -1", with(|floor| floor.low_db = -1.0)),
            (
                "floor.high_db is NaN",
                with(|floor| floor.high_db = f32::NAN),
            ),
            ("floor.hold is 0", with(|floor| floor.hold = 0)),
            ("floor.hold", with(|floor| floor.hold = usize::MAX)),
            (
                "floor.release_db is 11",
                with(|floor| floor.release_db = 11.0),
            ),
        ] {
            assert!(message.contains(name), "{name} is not said in: {message}");
        }
        assert_eq!(*FLOOR.depths(1).below, [30.0]);
    }
}
