//! How loud a channel is, and whether its signal is usable.

use serde::Serialize;
use undertone_dsp::dbfs;

/// From this magnitude on a sample counts as clipped.
const CLIP: f32 = 0.999;
/// More clipped samples than one in so many make a clipping signal.
const CLIPPED_SHARE: u64 = 1000;
/// A peak below this is no signal: a digital zero, or a microphone that is not connected.
const NONE_DBFS: f32 = -80.0;
/// A peak below this is too low to tell much.
const LOW_DBFS: f32 = -40.0;

/// What a signal is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Nothing is there.
    None,
    /// The gain is too low, or nobody is near.
    Low,
    /// Usable.
    Ok,
    /// The gain is too high.
    Clipping,
}

/// The level over one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Where the interval ends, in source frames since the start.
    pub at_frame: u64,
    /// Root mean square, dBFS; at least -120.
    pub rms_dbfs: f32,
    /// Highest magnitude, dBFS; at least -120.
    pub peak_dbfs: f32,
    /// The verdict.
    pub signal: Signal,
}

/// Measures intervals of a fixed length.
#[derive(Debug)]
pub struct LevelMeter {
    interval: u64,
    count: u64,
    sum_of_squares: f64,
    peak: f32,
    clipped: u64,
}

impl LevelMeter {
    /// A meter with intervals of so many samples; at least 1.
    pub fn new(interval: u64) -> Self {
        LevelMeter {
            interval: interval.max(1),
            count: 0,
            sum_of_squares: 0.0,
            peak: 0.0,
            clipped: 0,
        }
    }

    /// Takes samples of which the first is number `position`; tells a level for every interval that is full.
    pub fn push(&mut self, samples: &[f32], position: u64, mut tell: impl FnMut(Level)) {
        for (sample, at) in samples.iter().zip(position..) {
            // As everywhere in the analysis, what is not finite counts as 0.
            let magnitude = if sample.is_finite() {
                sample.abs()
            } else {
                0.0
            };
            self.sum_of_squares += f64::from(magnitude) * f64::from(magnitude);
            self.peak = self.peak.max(magnitude);
            self.clipped += u64::from(magnitude >= CLIP);
            self.count += 1;
            if self.count >= self.interval {
                tell(self.level(at + 1));
                self.reset();
            }
        }
    }

    /// Begins a new interval.
    pub fn reset(&mut self) {
        *self = LevelMeter::new(self.interval);
    }

    fn level(&self, at_frame: u64) -> Level {
        let rms = (self.sum_of_squares / self.count.max(1) as f64).sqrt() as f32;
        let peak_dbfs = dbfs(self.peak);
        let signal = if self.clipped * CLIPPED_SHARE > self.count {
            Signal::Clipping
        } else if peak_dbfs < NONE_DBFS {
            Signal::None
        } else if peak_dbfs < LOW_DBFS {
            Signal::Low
        } else {
            Signal::Ok
        };
        Level {
            at_frame,
            rms_dbfs: dbfs(rms),
            peak_dbfs,
            signal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level_of(samples: &[f32]) -> Level {
        let mut levels = Vec::new();
        LevelMeter::new(samples.len() as u64).push(samples, 10, |level| levels.push(level));
        assert_eq!(levels.len(), 1);
        levels[0]
    }

    #[test]
    fn silence_is_at_the_floor_and_no_signal() {
        let level = level_of(&[0.0; 100]);
        assert_eq!(
            (level.rms_dbfs, level.peak_dbfs, level.signal),
            (-120.0, -120.0, Signal::None)
        );
        assert_eq!(level.at_frame, 110);
    }

    #[test]
    fn a_signal_is_low_ok_or_clipping_by_its_peak() {
        assert_eq!(level_of(&[0.005, -0.005]).signal, Signal::Low);
        let level = level_of(&[0.5, -0.5]);
        assert_eq!(level.signal, Signal::Ok);
        assert!((level.rms_dbfs + 6.02).abs() < 0.01);
        assert_eq!(level_of(&[1.0, -1.0, 0.2]).signal, Signal::Clipping);
    }

    #[test]
    fn samples_that_are_not_finite_leave_the_level_finite() {
        let level = level_of(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.1]);
        assert_eq!((level.signal, level.peak_dbfs), (Signal::Ok, dbfs(0.1)));
        let loudest = level_of(&[f32::MAX, f32::MIN]);
        assert!(loudest.rms_dbfs.is_finite() && loudest.peak_dbfs.is_finite());
    }

    #[test]
    fn intervals_do_not_depend_on_how_the_samples_are_cut() {
        let samples: Vec<f32> = (0..1000).map(|n| (n as f32 * 0.37).sin() * 0.8).collect();
        let run = |block: usize| {
            let (mut meter, mut levels, mut at) = (LevelMeter::new(64), Vec::new(), 0);
            for part in samples.chunks(block) {
                meter.push(part, at, |level| levels.push(level));
                at += part.len() as u64;
            }
            levels
        };
        assert_eq!(run(1000), run(7));
        assert_eq!(run(1000).len(), 15);
    }
}
