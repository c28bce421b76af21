//! Voice activity to speech segments.

mod config;

use crate::error::{EventsError, in_range};
use crate::samples;

pub use config::SegmenterConfig;

/// Where a segment begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentEdge {
    /// Speech has begun.
    SpeechStart {
        /// The first sample of the segment: the onset less the pre-roll, never before the end of an earlier segment.
        at_sample: u64,
    },
    /// Speech has ended.
    SpeechEnd {
        /// One past the last sample of the segment: the last speech plus the post-roll.
        at_sample: u64,
        /// True when the segment was cut at its maximum length.
        cut: bool,
    },
}

/// What the segmenter is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmenterState {
    /// No speech.
    Silence,
    /// Voiced since this sample, but not yet for long enough.
    Onset {
        /// Where the first voiced hop began.
        since: u64,
    },
    /// In a segment, and hearing speech.
    Speech {
        /// Where the segment begins.
        start: u64,
    },
    /// In a segment, but hearing silence since a sample.
    Hangover {
        /// Where the segment begins.
        start: u64,
        /// Where the first silent hop began.
        silent_since: u64,
    },
}

/// The state machine. Feed it one probability per hop; it answers with at most one edge.
///
/// | state    | voiced (>= onset) | between             | silent (< release)  |
/// |----------|-------------------|---------------------|---------------------|
/// | Silence  | Onset, or Speech  | Silence             | Silence             |
/// | Onset    | Onset, or Speech  | Onset, or Speech    | Silence             |
/// | Speech   | Speech            | Speech              | Hangover            |
/// | Hangover | Speech            | Hangover, or ended  | Hangover, or ended  |
///
/// "Or" is decided by the durations of the configuration. Silence stays silence until the refractory time is over, whose
/// speech belongs to no segment. In Speech and Hangover the maximum length cuts first.
#[derive(Debug, Clone)]
pub struct Segmenter {
    onset_threshold: f32,
    release_threshold: f32,
    onset: u64,
    pre_roll: u64,
    hangover: u64,
    post_roll: u64,
    min_segment: u64,
    max_segment: u64,
    refractory: u64,
    /// No segment begins before this sample.
    deaf_until: u64,
    state: SegmenterState,
    /// No segment reaches back before this sample.
    floor: u64,
    /// The end of the last hop.
    position: u64,
}

impl Segmenter {
    /// A segmenter for positions counted at `sample_rate` (Hz).
    ///
    /// # Errors
    /// What [`SegmenterConfig::validate`] says; a rate outside 1000 to 768000.
    pub fn new(config: &SegmenterConfig, sample_rate: u32) -> Result<Self, EventsError> {
        config.validate()?;
        in_range("sample_rate", sample_rate as f32, 1000.0, 768_000.0)?;
        Ok(Segmenter {
            onset_threshold: config.onset_threshold,
            release_threshold: config.release_threshold,
            onset: samples(config.onset_ms, sample_rate),
            pre_roll: samples(config.pre_roll_ms, sample_rate),
            hangover: samples(config.hangover_ms, sample_rate),
            post_roll: samples(config.post_roll_ms, sample_rate),
            min_segment: samples(config.min_segment_ms, sample_rate),
            max_segment: samples(config.max_segment_ms, sample_rate),
            refractory: samples(config.refractory_ms, sample_rate),
            deaf_until: 0,
            state: SegmenterState::Silence,
            floor: 0,
            position: 0,
        })
    }

    /// What the segmenter is waiting for.
    pub fn state(&self) -> SegmenterState {
        self.state
    }

    /// True while a segment is open, pauses in it included.
    pub fn is_open(&self) -> bool {
        matches!(
            self.state,
            SegmenterState::Speech { .. } | SegmenterState::Hangover { .. }
        )
    }

    /// Up to where (exclusive) audio is known to belong to the open segment; `None` when none is open.
    ///
    /// In a pause this stops at the post-roll: what follows belongs to the segment only if speech resumes.
    pub fn certain_until(&self) -> Option<u64> {
        match self.state {
            SegmenterState::Silence | SegmenterState::Onset { .. } => None,
            SegmenterState::Speech { .. } => Some(self.position),
            SegmenterState::Hangover { silent_since, .. } => {
                Some(self.position.min(silent_since + self.post_roll))
            }
        }
    }

    /// Takes the voice activity probability of the hop that covers `hop_start..hop_end`.
    ///
    /// Hops follow one another; a jump forward belongs behind a [`Segmenter::reset`]. A NaN counts as silence.
    pub fn push(&mut self, probability: f32, hop_start: u64, hop_end: u64) -> Option<SegmentEdge> {
        let voiced = probability >= self.onset_threshold;
        let silent = !voiced && (probability < self.release_threshold || probability.is_nan());
        self.position = hop_end;
        match self.state {
            SegmenterState::Silence if voiced && hop_start >= self.deaf_until => {
                self.onset(hop_start, hop_end)
            }
            SegmenterState::Silence => None,
            SegmenterState::Onset { .. } if silent => {
                self.state = SegmenterState::Silence;
                None
            }
            SegmenterState::Onset { since } => self.onset(since, hop_end),
            SegmenterState::Speech { start } | SegmenterState::Hangover { start, .. }
                if hop_end.saturating_sub(start) >= self.max_segment =>
            {
                Some(self.end(hop_end, true))
            }
            SegmenterState::Speech { start } if silent => self.pause(start, hop_start, hop_end),
            SegmenterState::Speech { .. } => None,
            SegmenterState::Hangover { start, .. } if voiced => {
                self.state = SegmenterState::Speech { start };
                None
            }
            SegmenterState::Hangover {
                start,
                silent_since,
            } => self.pause(start, silent_since, hop_end),
        }
    }

    /// Forgets everything before `at_sample`, without an edge: no later segment reaches back over it.
    pub fn reset(&mut self, at_sample: u64) {
        self.state = SegmenterState::Silence;
        self.floor = at_sample;
        self.position = at_sample;
    }

    fn onset(&mut self, since: u64, hop_end: u64) -> Option<SegmentEdge> {
        if hop_end.saturating_sub(since) < self.onset {
            self.state = SegmenterState::Onset { since };
            return None;
        }
        let start = since.saturating_sub(self.pre_roll).max(self.floor);
        self.state = SegmenterState::Speech { start };
        Some(SegmentEdge::SpeechStart { at_sample: start })
    }

    fn pause(&mut self, start: u64, silent_since: u64, hop_end: u64) -> Option<SegmentEdge> {
        let over = hop_end.saturating_sub(silent_since) >= self.hangover
            && hop_end.saturating_sub(start) >= self.min_segment;
        if over {
            return Some(self.end(hop_end.min(silent_since + self.post_roll), false));
        }
        self.state = SegmenterState::Hangover {
            start,
            silent_since,
        };
        None
    }

    fn end(&mut self, at_sample: u64, cut: bool) -> SegmentEdge {
        self.state = SegmenterState::Silence;
        self.floor = at_sample;
        if !cut && self.refractory > 0 {
            self.deaf_until = self.position + self.refractory;
            self.floor = self.deaf_until;
        }
        SegmentEdge::SpeechEnd { at_sample, cut }
    }
}
