//! Where in a clip somebody speaks, by level alone.
//!
//! Corpora pad their clips with up to a second of silence; on the box, voice activity detection has cut it off before
//! the network sees anything. Training sees the same: the span from the first to the last frame within
//! [`RANGE_DB`] of the clip's loud frames, and [`MARGIN_FRAMES`] around it.

/// Frames more than this far below the loud ones count as silence, in dB.
pub const RANGE_DB: f32 = 35.0;

/// Frames kept before and after the span.
pub const MARGIN_FRAMES: usize = 12;

/// The frames to keep, of a clip with these levels in dB per frame; all of them when nothing stands out.
#[must_use]
pub fn active_span(levels: &[f32]) -> std::ops::Range<usize> {
    let mut sorted = levels.to_vec();
    sorted.sort_by(f32::total_cmp);
    // The 95th percentile rather than the maximum, so that a click does not decide.
    let Some(&loud) = sorted.get(sorted.len() * 95 / 100) else {
        return 0..0;
    };
    let active = |&level: &f32| level > loud - RANGE_DB;
    let first = levels.iter().position(active).unwrap_or(0);
    let last = levels.iter().rposition(active).unwrap_or(levels.len() - 1);
    first.saturating_sub(MARGIN_FRAMES)..(last + 1 + MARGIN_FRAMES).min(levels.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_around_speech_is_cut_to_the_margin() {
        let mut levels = vec![-90.0; 300];
        levels[100..200].fill(-20.0);
        assert_eq!(active_span(&levels), 88..212);
    }

    #[test]
    fn constant_level_and_digital_silence_keep_every_frame() {
        assert_eq!(active_span(&[-120.0; 50]), 0..50);
        assert_eq!(active_span(&[-3.0; 5]), 0..5);
        assert_eq!(active_span(&[]), 0..0);
    }
}
