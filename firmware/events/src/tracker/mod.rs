//! Distributions over labels to events.

mod config;
mod decision;
mod utterance;

use crate::error::{EventsError, in_range};
use crate::event::{EndReason, Event, EventKind, MAX_LABELS, Scores};
use crate::samples;
use decision::decide;
use utterance::{Told, Utterance};

pub use config::{Mode, TrackerConfig};

/// Which ids a tracker gives: `first`, `first + step`, ... Channels with the same step and different first ids never
/// give the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdRange {
    /// The id of the first utterance.
    pub first: u64,
    /// The distance from one id to the next; 0 counts as 1.
    pub step: u64,
}

impl Default for IdRange {
    fn default() -> Self {
        IdRange { first: 1, step: 1 }
    }
}

/// The state machine of one channel: [`begin`](Tracker::begin), any number of [`update`](Tracker::update)s,
/// [`finish`](Tracker::finish).
///
/// The `start` event carries the first distribution, because before it there is nothing to tell. An utterance that
/// ends before its first distribution gives no event at all. While an utterance goes on, its label changes only when
/// a challenger leads for `challenge_updates` updates in a row: another label leads by `margin`, or the current label
/// has fallen below the threshold of the model.
#[derive(Debug, Clone)]
pub struct Tracker {
    config: TrackerConfig,
    labels: usize,
    /// One for each label.
    thresholds: Scores,
    interval: u64,
    next_id: u64,
    id_step: u64,
    utterance: Option<Utterance>,
}

impl Tracker {
    /// A tracker for distributions over `labels` (1 to [`MAX_LABELS`]) labels.
    ///
    /// A label below `unknown_threshold` (0 to 1) is told as unknown. Positions count at `sample_rate` (Hz).
    ///
    /// # Errors
    /// [`EventsError::Range`] for a value out of its range.
    pub fn new(
        config: &TrackerConfig,
        labels: usize,
        unknown_threshold: f32,
        sample_rate: u32,
        ids: IdRange,
    ) -> Result<Self, EventsError> {
        config.validate()?;
        in_range("labels", labels as f32, 1.0, MAX_LABELS as f32)?;
        in_range("unknown_threshold", unknown_threshold, 0.0, 1.0)?;
        in_range("sample_rate", sample_rate as f32, 1000.0, 768_000.0)?;
        Ok(Tracker {
            config: *config,
            labels,
            thresholds: std::iter::repeat_n(unknown_threshold, labels).collect(),
            interval: samples(config.update_interval_ms, sample_rate),
            next_id: ids.first,
            id_step: ids.step.max(1),
            utterance: None,
        })
    }

    /// Below `value` (0 to 1; kept within) a label is told as unknown from now on; every label when `None`. A label that the
    /// model does not have changes nothing.
    pub fn set_threshold(&mut self, label: Option<usize>, value: f32) {
        let value = value.clamp(0.0, 1.0);
        for (index, threshold) in self.thresholds.iter_mut().enumerate() {
            if label.is_none_or(|label| label == index) {
                *threshold = value;
            }
        }
    }

    /// True between `begin` and `finish`.
    pub fn is_open(&self) -> bool {
        self.utterance.is_some()
    }

    /// Opens an utterance that begins at `start_sample`.
    ///
    /// If one is still open it is finished first, as cut short by a gap; its `end` is returned.
    pub fn begin(&mut self, start_sample: u64) -> Option<Event> {
        let end = self.finish(EndReason::Gap, start_sample);
        self.utterance = Some(Utterance {
            start_sample,
            at_sample: start_sample,
            told: None,
            smoothed: Scores::new(),
            latest: Scores::new(),
            challenger: None,
            lead_updates: 0,
        });
        end
    }

    /// Takes the distribution over the labels for the utterance up to `at_sample` (exclusive).
    ///
    /// Gives `start` for the first one, then `update` when the label changes or the interval has passed. Does nothing
    /// outside an utterance. A position that lies before an earlier one counts as the earlier one.
    ///
    /// # Errors
    /// A wrong number of scores, or one that is no probability; the tracker is unchanged then.
    pub fn update(
        &mut self,
        distribution: &[f32],
        at_sample: u64,
    ) -> Result<Option<Event>, EventsError> {
        let given = Scores::from_slice(distribution).unwrap_or_default();
        if given.len() != self.labels {
            return Err(EventsError::ScoreCount {
                given: distribution.len(),
                labels: self.labels,
            });
        }
        // Rounding may carry a probability a hair over one.
        if let Some((index, value)) = given
            .iter()
            .enumerate()
            .find(|(_, p)| !(-1e-4..=1.0001).contains(*p))
        {
            return Err(EventsError::NotAProbability {
                index,
                value: *value,
            });
        }
        let Some(utterance) = &mut self.utterance else {
            return Ok(None);
        };
        utterance.take(given, at_sample, self.config.smoothing);

        let (kind, told) = match utterance.told {
            None => {
                let told = Told {
                    id: self.next_id,
                    label: decide(&utterance.smoothed, &self.thresholds),
                    at_sample: utterance.at_sample,
                };
                self.next_id = self.next_id.saturating_add(self.id_step);
                (EventKind::Start, told)
            }
            Some(told) => {
                let label = utterance.contest(told.label, &self.config, &self.thresholds);
                let due =
                    self.interval > 0 && utterance.at_sample - told.at_sample >= self.interval;
                if label == told.label && !due {
                    return Ok(None);
                }
                (
                    EventKind::Update,
                    Told {
                        label,
                        at_sample: utterance.at_sample,
                        ..told
                    },
                )
            }
        };
        utterance.told = Some(told);
        let scores = utterance.smoothed.clone();
        Ok(Some(
            utterance.event(told.id, kind, told.label, scores, None),
        ))
    }

    /// Closes the utterance, which ends at `at_sample` (exclusive), with the utterance's own distribution.
    ///
    /// `None` when no utterance is open, or when nothing was told about it.
    pub fn finish(&mut self, reason: EndReason, at_sample: u64) -> Option<Event> {
        let mut utterance = self.utterance.take()?;
        let told = utterance.told?;
        utterance.at_sample = utterance.at_sample.max(at_sample);
        let scores = utterance.latest.clone();
        let label = decide(&scores, &self.thresholds);
        Some(utterance.event(told.id, EventKind::End, label, scores, Some(reason)))
    }
}
