//! Samples of one channel to feature frames and speech edges, hop by hop.

use undertone_dsp::{Feature, Frontend};
use undertone_events::{SegmentEdge, Segmenter, SegmenterConfig};

use crate::error::AnalysisError;
use crate::feature_ring::FeatureRing;
use crate::vad::Vad;

/// What a front is made of.
pub struct FrontSettings<'a> {
    /// Makes the frames of the model, with these features at least; what is constant in it is shared.
    pub frontend: &'a Frontend,
    /// The features of a frame that the model reads, in this order.
    pub features: &'a [Feature],
    /// When speech begins and ends.
    pub segments: &'a SegmenterConfig,
}

/// The part of a channel that always runs. Nothing in it allocates after construction.
///
/// It works in hops of the voice activity detector, whatever the length of the blocks that come in, so that the
/// outcome does not depend on how the samples were cut.
pub struct Front {
    frontend: Frontend,
    features: Box<[Feature]>,
    frame_length: u64,
    frame_hop: u64,
    frames: FeatureRing,
    vad: Box<dyn Vad>,
    segmenter: Segmenter,
    hop: Box<[f32]>,
    filled: usize,
    /// The sample at which the uninterrupted audio began.
    origin: u64,
    /// The sample behind the last hop.
    position: u64,
}

impl Front {
    /// A front that begins at sample 0.
    ///
    /// # Errors
    /// A setting out of range; a detector that works at another rate than the model.
    pub fn new(settings: &FrontSettings<'_>, vad: Box<dyn Vad>) -> Result<Self, AnalysisError> {
        let config = settings.frontend.config();
        if vad.sample_rate() != config.sample_rate {
            return Err(AnalysisError::Model(format!(
                "it was trained at {} Hz, but live analysis runs at {} Hz; use a model trained at that rate",
                config.sample_rate,
                vad.sample_rate()
            )));
        }
        let segmenter = Segmenter::new(settings.segments, config.sample_rate)?;
        let held = held_samples(settings.segments, config.sample_rate)
            + 2 * vad.hop_length()
            + config.frame_length;
        Ok(Front {
            frontend: settings.frontend.another(),
            features: settings.features.into(),
            frame_length: config.frame_length as u64,
            frame_hop: config.hop_length.max(1) as u64,
            frames: FeatureRing::new(
                held / config.hop_length.max(1) + 2,
                config.rows(settings.features),
            ),
            hop: vec![0.0; vad.hop_length()].into(),
            vad,
            segmenter,
            filled: 0,
            origin: 0,
            position: 0,
        })
    }

    /// Takes samples from the beginning of `samples` until a hop is full.
    ///
    /// `None` when all were taken and no hop is full; otherwise the edge of the hop, if it has one.
    pub fn take(&mut self, samples: &mut &[f32]) -> Option<Option<SegmentEdge>> {
        let (now, later) = samples.split_at(samples.len().min(self.hop.len() - self.filled));
        self.hop[self.filled..self.filled + now.len()].copy_from_slice(now);
        self.filled += now.len();
        *samples = later;
        if self.filled < self.hop.len() {
            return None;
        }
        self.make_frames();
        let probability = self.vad.probability(&self.hop);
        let start = self.position;
        self.position += self.hop.len() as u64;
        self.filled = 0;
        Some(self.segmenter.push(probability, start, self.position))
    }

    /// The samples of the last full hop.
    pub fn hop(&self) -> &[f32] {
        &self.hop
    }

    /// Turns a rest that is shorter than a hop into frames too; for the end of the audio.
    pub fn finish(&mut self) {
        self.make_frames();
        self.position += self.filled as u64;
        self.filled = 0;
    }

    /// Forgets all audio: the next sample is number `origin`, and does not follow the last one.
    pub fn restart(&mut self, origin: u64) {
        self.frontend.reset();
        self.frames.clear();
        self.vad.reset();
        self.segmenter.reset(origin);
        self.filled = 0;
        self.origin = origin;
        self.position = origin;
    }

    /// The sample behind the last hop.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Up to where audio is known to belong to the open segment.
    pub fn certain_until(&self) -> Option<u64> {
        self.segmenter.certain_until()
    }

    /// True while a segment is open, pauses in it included.
    pub fn is_in_segment(&self) -> bool {
        self.segmenter.is_open()
    }

    /// True while speech is heard in the open segment, and not a pause.
    pub fn hears_speech(&self) -> bool {
        matches!(
            self.segmenter.state(),
            undertone_events::SegmenterState::Speech { .. }
        )
    }

    /// The number of the first held frame that begins at or after a sample.
    pub fn first_frame_from(&self, sample: u64) -> u64 {
        sample
            .saturating_sub(self.origin)
            .div_ceil(self.frame_hop)
            .max(self.frames.oldest_index())
    }

    /// A frame, with the sample behind its end; `None` when it is not there (yet).
    pub fn frame(&self, index: u64) -> Option<(&[f32], u64)> {
        let end = self.origin + index * self.frame_hop + self.frame_length;
        self.frames.get(index).map(|values| (values, end))
    }

    fn make_frames(&mut self) {
        let (frames, features) = (&mut self.frames, &self.features);
        self.frontend.push(&self.hop[..self.filled], |frame| {
            frames.push(|values| {
                frame.write_rows(features, values);
            });
        });
    }
}

/// How far back frames may be needed: before an onset, or after a pause.
fn held_samples(segments: &SegmenterConfig, sample_rate: u32) -> usize {
    let before_onset = u64::from(segments.onset_ms) + u64::from(segments.pre_roll_ms);
    let milliseconds =
        before_onset.max(u64::from(segments.hangover_ms.max(segments.min_segment_ms)));
    usize::try_from(milliseconds * u64::from(sample_rate) / 1000).unwrap_or(usize::MAX)
}
