//! A floor under the mel bands: how silent the pauses are, between 20 and 80 dB below speech, is the room's and the
//! recorder's, and tells nothing of the voice.

use crate::DspError;
use crate::config::out_of_range;
use serde::{Deserialize, Serialize};

/// Depths and levels, in dB.
const DEPTHS: std::ops::RangeInclusive<f32> = 0.0..=200.0;
const LEVELS: std::ops::RangeInclusive<f32> = -100.0..=100.0;
const RELEASES: std::ops::RangeInclusive<f32> = 0.0..=1000.0;

/// Power that is added to every mel band, as if there were a steady noise this far below the loudest band of the last seconds.
///
/// The loudest band so far falls by `release_db` a second until a louder one comes, and never below `least_db`, where it
/// begins: so the silence before the first word has a floor too.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floor {
    /// Depth of the floor in the lowest band, 0 to 200 dB below the loudest band.
    pub low_db: f32,
    /// The same in the highest band; between the two it is linear.
    pub high_db: f32,
    /// Least power that counts as the loudest band's, -100 to 100 dB as in [`Frame::log_mel`](crate::Frame::log_mel).
    pub least_db: f32,
    /// How fast the loudest band is forgotten, 0 to 1000 dB a second.
    pub release_db: f32,
}

impl Floor {
    /// 35 dB below the loudest band for the lowest, 60 for the highest.
    pub const SPEECH: Self = Self {
        low_db: 35.0,
        high_db: 60.0,
        least_db: 0.0,
        release_db: 6.0,
    };

    /// # Errors
    /// [`DspError::OutOfRange`].
    pub(crate) fn validate(&self) -> Result<(), DspError> {
        for (field, value, allowed) in [
            ("floor.low_db", self.low_db, DEPTHS),
            ("floor.high_db", self.high_db, DEPTHS),
            ("floor.least_db", self.least_db, LEVELS),
            ("floor.release_db", self.release_db, RELEASES),
        ] {
            if !allowed.contains(&value) {
                let range = format!("{} to {}", allowed.start(), allowed.end());
                return Err(out_of_range(field, f64::from(value), range));
            }
        }
        Ok(())
    }
}

/// A floor for frames of one hop, as powers.
pub(crate) struct Plan {
    /// Share of the loudest band's power that each band gets.
    shares: Box<[f32]>,
    least: f32,
    kept: f32,
}

impl Plan {
    pub(crate) fn new(floor: Floor, bands: usize, hop_seconds: f64) -> Self {
        let power = |db: f64| 10f64.powf(db / 10.0) as f32;
        let last = bands.saturating_sub(1).max(1) as f64;
        let [low, high] = [floor.low_db, floor.high_db].map(f64::from);
        let share = |band| power(-low - (high - low) * band as f64 / last);
        Self {
            shares: (0..bands).map(share).collect(),
            least: power(f64::from(floor.least_db)),
            kept: power(-f64::from(floor.release_db) * hop_seconds),
        }
    }

    /// Raises the powers of a frame; `loudest` is that of the frames before, 0 before the first.
    #[inline(always)]
    pub(crate) fn raise(&self, powers: &mut [f32], loudest: &mut f32) {
        let kept = (*loudest * self.kept).max(self.least);
        *loudest = powers.iter().copied().fold(kept, f32::max);
        for (power, share) in powers.iter_mut().zip(&self.shares) {
            *power += *loudest * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(bands: usize) -> Plan {
        Plan::new(Floor::SPEECH, bands, 0.5)
    }

    fn db(power: f32) -> f32 {
        10.0 * power.log10()
    }

    #[test]
    fn silence_is_raised_to_the_depth_of_its_band_below_the_loudest_one_or_below_the_least() {
        let (plan, mut loudest) = (plan(3), 0.0);
        let mut before = [0.0; 3];
        plan.raise(&mut before, &mut loudest);
        let mut speech = [1000.0, 0.0, 0.0];
        plan.raise(&mut speech, &mut loudest);
        for (band, expected) in [-35.0, -47.5, -60.0].into_iter().enumerate() {
            assert!((db(before[band]) - expected).abs() < 1e-3, "{before:?}");
            if band > 0 {
                assert!((db(speech[band]) - expected - 30.0).abs() < 1e-3);
            }
        }
        assert!((db(speech[0]) - 30.0).abs() < 0.01);
    }

    #[test]
    fn the_loudest_band_is_forgotten_as_fast_as_it_says_and_not_below_the_least() {
        let (plan, mut loudest) = (plan(2), 0.0);
        plan.raise(&mut [100.0, 0.0], &mut loudest);
        let mut levels = Vec::new();
        for _ in 0..8 {
            let mut silence = [0.0; 2];
            plan.raise(&mut silence, &mut loudest);
            levels.push(db(silence[0]) + 35.0);
        }
        let expected = [17.0, 14.0, 11.0, 8.0, 5.0, 2.0, 0.0, 0.0];
        for (found, expected) in levels.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-3, "{levels:?}");
        }
    }

    #[test]
    fn what_is_heard_at_another_level_above_the_least_keeps_its_shape() {
        let plan = plan(4);
        let heard = [[1.0, 0.3, 0.001, 0.0], [0.2, 2.0, 0.0, 1e-9]];
        let rows = |gain: f32| {
            let mut loudest = 0.0;
            heard.map(|frame| {
                let mut frame = frame.map(|power| power * gain);
                plan.raise(&mut frame, &mut loudest);
                frame.map(|power| db(power / gain))
            })
        };
        let (here, louder) = (rows(1.0), rows(1e4));
        for (a, b) in here.iter().flatten().zip(louder.iter().flatten()) {
            assert!((a - b).abs() < 1e-3, "{here:?} {louder:?}");
        }
    }

    #[test]
    fn one_band_has_the_depth_of_the_lowest() {
        let mut band = [0.0];
        plan(1).raise(&mut band, &mut 0.0);
        assert!((db(band[0]) + 35.0).abs() < 1e-3);
    }
}
