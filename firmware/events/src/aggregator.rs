//! Events to histograms over intervals, for those who may not know about single utterances.

use crate::error::EventsError;
use crate::event::{Event, EventKind, Label, MAX_LABELS};
use crate::tracker::TrackerConfig;

/// What an interval held, without saying when within it. Durations are samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Length of the interval.
    pub interval: u64,
    /// How much of it was in utterances that ended in it.
    pub speech: u64,
    /// Utterances that ended in it.
    pub utterances: u32,
    /// Utterances by label, in the model's order; `unknown` ones after the last label.
    pub histogram: heapless::Vec<u32, { MAX_LABELS + 1 }>,
}

/// The state machine of one channel. Feed it every event and the position of the audio; it answers with an interval that
/// is over.
///
/// An interval with few utterances would tell about single ones, and so goes on until it has enough of them; one without
/// any is told, since it is about nobody. What has too few when the audio ends is never told.
#[derive(Debug, Clone)]
pub struct Aggregator {
    interval: u64,
    least: u32,
    began: u64,
    open: Aggregate,
}

impl Aggregator {
    /// An aggregator for a model with so many labels and positions that count at `sample_rate` (Hz).
    ///
    /// # Errors
    /// What [`TrackerConfig::validate`] says.
    pub fn new(
        config: &TrackerConfig,
        labels: usize,
        sample_rate: u32,
    ) -> Result<Self, EventsError> {
        config.validate()?;
        let mut histogram = heapless::Vec::new();
        // More labels than that are refused by the tracker.
        let _ = histogram.resize(labels.min(MAX_LABELS) + 1, 0);
        Ok(Aggregator {
            interval: u64::from(config.aggregate_interval_s) * u64::from(sample_rate),
            least: config.aggregate_min_utterances,
            began: 0,
            open: Aggregate {
                interval: 0,
                speech: 0,
                utterances: 0,
                histogram,
            },
        })
    }

    /// Counts an utterance that has ended; other events say nothing new.
    pub fn take(&mut self, event: &Event) {
        if event.kind != EventKind::End {
            return;
        }
        let open = &mut self.open;
        let unknown = open.histogram.len() - 1;
        let index = match event.label {
            Label::Known(index) => index.min(unknown),
            Label::Unknown => unknown,
        };
        open.utterances = open.utterances.saturating_add(1);
        open.speech += event.at_sample.saturating_sub(event.start_sample);
        open.histogram[index] = open.histogram[index].saturating_add(1);
    }

    /// The audio has been heard up to a sample; gives the interval when it is over.
    pub fn advance(&mut self, at_sample: u64) -> Option<Aggregate> {
        let over = at_sample.saturating_sub(self.began) >= self.interval;
        let enough = self.open.utterances == 0 || self.open.utterances >= self.least;
        (over && enough).then(|| self.finish(at_sample))
    }

    /// The audio ends at a sample; gives what the interval held so far, when that may be told.
    pub fn close(&mut self, at_sample: u64) -> Option<Aggregate> {
        (self.open.utterances > 0 && self.open.utterances >= self.least)
            .then(|| self.finish(at_sample))
    }

    fn finish(&mut self, at_sample: u64) -> Aggregate {
        let mut empty = self.open.clone();
        (empty.speech, empty.utterances) = (0, 0);
        empty.histogram.iter_mut().for_each(|count| *count = 0);
        let mut told = std::mem::replace(&mut self.open, empty);
        told.interval = at_sample.saturating_sub(self.began);
        self.began = at_sample;
        told
    }
}
