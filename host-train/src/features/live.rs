//! The window that a box holds of an utterance, for a network that is run on windows.
//!
//! A box has the frames of the streaming front end, one after the other: they are not centred, and none waits for the
//! loudest one of a window. At any moment its window is the last frames of the utterance so far. While there are
//! fewer, the window holds those that came over and over, from the first on (`undertone-model` does the same); before
//! there are a few there is no answer. So every clip that is long enough for an answer at all fills a window, and training draws
//! the moment at which it looks.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use undertone_dsp::FrontendConfig;

use super::ClipFeatures;

/// How much of an utterance a window holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveWindow {
    /// Frames of the window.
    pub frames: usize,
    /// Frames from which on there is an answer, at most `frames`.
    pub shortest: usize,
}

impl LiveWindow {
    /// Of [`live_frontend`]: 1.78 s, so that ZCR, RMS and 40 MFCC make the 4536 values of the published network, and an answer from
    /// 0.54 s on.
    pub const CLASSIC: Self = Self {
        frames: 108,
        shortest: 31,
    };

    /// The window after the first `heard` frames of a clip, which are 1 or more.
    #[must_use]
    pub fn at(self, clip: &ClipFeatures, heard: usize) -> ClipFeatures {
        let heard = heard.min(clip.frames());
        let held = self.frames.min(heard);
        let values = &clip.values[(heard - held) * clip.rows..heard * clip.rows];
        let wanted = self.frames * clip.rows;
        ClipFeatures {
            rows: clip.rows,
            values: values.iter().copied().cycle().take(wanted).collect(),
        }
    }

    /// The window after the last frame of a clip.
    #[must_use]
    pub fn last(self, clip: &ClipFeatures) -> ClipFeatures {
        self.at(clip, clip.frames())
    }

    /// After how many of a clip's frames there is an answer; after the last one at least.
    #[must_use]
    pub fn moments(self, clip: &ClipFeatures) -> RangeInclusive<usize> {
        let all = clip.frames();
        self.shortest.clamp(1, all.max(1))..=all.max(1)
    }

    /// Whether a clip is long enough for an answer.
    #[must_use]
    pub fn answers(self, clip: &ClipFeatures) -> bool {
        clip.frames() >= self.shortest
    }
}

/// 16 kHz, 1024 samples every 256 (64 ms / 16 ms), 128 mel bands, 40 MFCC: the nearest to the notebooks' front end at the rate that
/// a box works at, with 108 frames in less than two seconds.
#[must_use]
pub fn live_frontend() -> FrontendConfig {
    FrontendConfig {
        sample_rate: 16_000,
        frame_length: 1024,
        hop_length: 256,
        fft_size: 1024,
        mel_bands: 128,
        mel_low_hz: 0.0,
        mel_high_hz: 8_000.0,
        mfcc_count: 40,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: LiveWindow = LiveWindow {
        frames: 4,
        shortest: 2,
    };

    fn clip(frames: u8) -> ClipFeatures {
        let values = (0..2 * frames).map(f32::from).collect();
        ClipFeatures { rows: 2, values }
    }

    /// First values of the frames.
    fn firsts(window: &ClipFeatures) -> Vec<f32> {
        window.values.iter().copied().step_by(2).collect()
    }

    #[test]
    fn a_window_holds_the_last_frames_so_far_or_the_few_that_came_over_and_over() {
        let clip = clip(6);
        for (heard, expected) in [
            (1, [0.0; 4]),
            (3, [0.0, 2.0, 4.0, 0.0]),
            (4, [0.0, 2.0, 4.0, 6.0]),
            (5, [2.0, 4.0, 6.0, 8.0]),
            (99, [4.0, 6.0, 8.0, 10.0]),
        ] {
            let window = WINDOW.at(&clip, heard);
            assert_eq!(firsts(&window), expected, "{heard}");
            assert_eq!(window.values[1], expected[0] + 1.0);
        }
        assert_eq!(WINDOW.last(&clip), WINDOW.at(&clip, 6));
    }

    #[test]
    fn moments_begin_with_the_first_answer_and_end_with_the_clip() {
        assert_eq!(WINDOW.moments(&clip(6)), 2..=6);
        assert_eq!(WINDOW.moments(&clip(1)), 1..=1);
        assert!(WINDOW.answers(&clip(2)) && !WINDOW.answers(&clip(1)));
    }

    #[test]
    fn the_window_has_the_values_of_the_published_network() {
        let frontend = live_frontend();
        frontend.validate().unwrap();
        assert_eq!((2 + frontend.mfcc_count) * LiveWindow::CLASSIC.frames, 4536);
        let samples = |frames: usize| (frames - 1) * frontend.hop_length + frontend.frame_length;
        let seconds = |frames| samples(frames) as f64 / f64::from(frontend.sample_rate);
        assert!((seconds(LiveWindow::CLASSIC.frames) - 1.776).abs() < 1e-9);
        assert!((seconds(LiveWindow::CLASSIC.shortest) - 0.544).abs() < 1e-9);
    }
}
