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

/// Blocks of an interval of which the quietest counts for the noise floor.
const BLOCKS: u64 = 5;
/// Blocks that the noise floor looks back over: ten seconds in intervals of half a second.
const HISTORY: usize = 100;

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
    /// The quietest tenth of a second or so of late, as root mean square, dBFS; at least -120.
    pub noise_floor_dbfs: f32,
    /// The verdict.
    pub signal: Signal,
    /// Every sample has the same value, as no microphone that works delivers.
    pub dead: bool,
    /// The share of speech in the interval, 0 to 1.
    pub speech_ratio: f32,
    /// A voice was raised in it.
    pub raised: bool,
}

/// Measures intervals of a fixed length.
#[derive(Debug)]
pub struct LevelMeter {
    interval: u64,
    count: u64,
    sum_of_squares: f64,
    peak: f32,
    clipped: u64,
    /// The first sample of the interval, and whether all others are the same.
    first: f32,
    same: bool,
    block: Block,
    floors: [f32; HISTORY],
    next_floor: usize,
}

/// A part of an interval.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    count: u64,
    sum_of_squares: f64,
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
            first: 0.0,
            same: true,
            block: Block::default(),
            floors: [f32::INFINITY; HISTORY],
            next_floor: 0,
        }
    }

    /// Samples until the interval is full; at least 1.
    pub fn wanted(&self) -> usize {
        usize::try_from(self.interval - self.count).unwrap_or(usize::MAX)
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
            let square = f64::from(magnitude) * f64::from(magnitude);
            self.sum_of_squares += square;
            if self.count == 0 {
                self.first = *sample;
            }
            self.same &= *sample == self.first;
            self.take_block(square);
            self.peak = self.peak.max(magnitude);
            self.clipped += u64::from(magnitude >= CLIP);
            self.count += 1;
            if self.count >= self.interval {
                tell(self.level(at + 1));
                self.reset();
            }
        }
    }

    /// Begins a new interval; what is known of the noise stays.
    pub fn reset(&mut self) {
        let (floors, next_floor) = (self.floors, self.next_floor);
        *self = LevelMeter::new(self.interval);
        (self.floors, self.next_floor) = (floors, next_floor);
    }

    fn take_block(&mut self, square: f64) {
        let block = &mut self.block;
        block.count += 1;
        block.sum_of_squares += square;
        if block.count >= (self.interval / BLOCKS).max(1) {
            let rms = (block.sum_of_squares / block.count as f64).sqrt() as f32;
            self.floors[self.next_floor] = dbfs(rms);
            self.next_floor = (self.next_floor + 1) % HISTORY;
            self.block = Block::default();
        }
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
        let rms_dbfs = dbfs(rms);
        Level {
            at_frame,
            rms_dbfs,
            peak_dbfs,
            noise_floor_dbfs: self.floors.iter().copied().fold(rms_dbfs, f32::min),
            signal,
            dead: self.same && self.count > 1,
            speech_ratio: 0.0,
            raised: false,
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
    fn the_noise_floor_is_the_quietest_part_of_the_last_seconds() {
        let mut meter = LevelMeter::new(500);
        let mut floors = Vec::new();
        let mut push = |loudness: f32, intervals: usize| {
            for _ in 0..intervals {
                let samples: Vec<f32> = (0..500)
                    .map(|n| if n % 2 == 0 { loudness } else { -loudness })
                    .collect();
                meter.push(&samples, 0, |level| floors.push(level.noise_floor_dbfs));
            }
        };
        push(0.01, 1);
        push(0.5, 19);
        push(0.5, 5);
        assert!(
            (floors[0] + 40.0).abs() < 0.1 && floors[0] == floors[19],
            "{floors:?}"
        );
        assert!(floors[24] > -7.0, "forgotten after ten seconds: {floors:?}");
    }

    #[test]
    fn a_microphone_that_delivers_one_value_for_ever_is_dead() {
        assert!(level_of(&[0.0; 100]).dead);
        assert!(level_of(&[0.25; 100]).dead);
        assert!(!level_of(&[0.0, 0.0, 1.0e-5]).dead);
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
