//! When speech begins and when it is over, as configured.

use serde::{Deserialize, Serialize};

use crate::error::{EventsError, in_range};

/// When speech begins and when it is over. Durations are milliseconds of audio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SegmenterConfig {
    /// A hop is voiced from this probability on; 0 to 1.
    pub onset_threshold: f32,
    /// A hop is silent below this probability; 0 to `onset_threshold`.
    pub release_threshold: f32,
    /// Speech has begun when hops have not been silent for this long; 0 to 2000.
    pub onset_ms: u32,
    /// How much audio before the onset belongs to the segment; 0 to 2000.
    pub pre_roll_ms: u32,
    /// Speech has ended when no hop was voiced for this long; 20 to 10000.
    pub hangover_ms: u32,
    /// How much audio after the last speech belongs to the segment; 0 to `hangover_ms`.
    pub post_roll_ms: u32,
    /// A segment does not end before it is this long; 0 to `max_segment_ms`.
    pub min_segment_ms: u32,
    /// A segment is cut when it is this long; 1000 to 600000.
    pub max_segment_ms: u32,
    /// After a segment that ended in silence, none begins for this long; 0 to 600000.
    pub refractory_ms: u32,
}

impl Default for SegmenterConfig {
    fn default() -> Self {
        SegmenterConfig {
            onset_threshold: 0.5,
            release_threshold: 0.35,
            onset_ms: 64,
            pre_roll_ms: 300,
            hangover_ms: 700,
            post_roll_ms: 300,
            min_segment_ms: 300,
            max_segment_ms: 30_000,
            refractory_ms: 0,
        }
    }
}

impl SegmenterConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`EventsError::Range`] for the first field that is out of its range.
    pub fn validate(&self) -> Result<(), EventsError> {
        let onset = self.onset_threshold;
        in_range("segments.onset_threshold", onset, 0.0, 1.0)?;
        in_range(
            "segments.release_threshold",
            self.release_threshold,
            0.0,
            onset,
        )?;
        in_range("segments.onset_ms", self.onset_ms as f32, 0.0, 2000.0)?;
        in_range("segments.pre_roll_ms", self.pre_roll_ms as f32, 0.0, 2000.0)?;
        in_range(
            "segments.hangover_ms",
            self.hangover_ms as f32,
            20.0,
            10_000.0,
        )?;
        in_range(
            "segments.post_roll_ms",
            self.post_roll_ms as f32,
            0.0,
            self.hangover_ms as f32,
        )?;
        in_range(
            "segments.max_segment_ms",
            self.max_segment_ms as f32,
            1000.0,
            600_000.0,
        )?;
        in_range(
            "segments.min_segment_ms",
            self.min_segment_ms as f32,
            0.0,
            self.max_segment_ms as f32,
        )?;
        in_range(
            "segments.refractory_ms",
            self.refractory_ms as f32,
            0.0,
            600_000.0,
        )
    }
}
