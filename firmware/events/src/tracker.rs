//! Distributions over labels to events.

use serde::{Deserialize, Serialize};

use crate::error::{EventsError, in_range};
use crate::event::{EndReason, Event, EventKind, Label, MAX_LABELS, Scores};
use crate::samples;

/// What is told about utterances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every utterance.
    #[default]
    Events,
    /// Histograms over intervals, and no single utterance.
    Aggregate,
    /// Nothing: no model runs, and only levels, how much is spoken and whether a voice is raised are told.
    Acoustic,
}

/// How steady a decision is, and how often it is told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackerConfig {
    /// Weight of the past in the exponential smoothing of the scores: 0 (none) to 0.99.
    pub smoothing: f32,
    /// By how much another label must lead to challenge the current one; 0 to 1.
    pub margin: f32,
    /// For how many updates in a row a challenger must lead; 1 to 1000.
    pub challenge_updates: u32,
    /// An update is told at least this often while speech goes on, in milliseconds of audio; 0: only on a change.
    pub update_interval_ms: u32,
    /// What is told.
    pub mode: Mode,
    /// Seconds of audio in an interval of [`Mode::Aggregate`]; 60 to 86400.
    pub aggregate_interval_s: u32,
    /// An interval with fewer utterances goes on until it has as many; 1 to 1000.
    pub aggregate_min_utterances: u32,
    /// By how many decibels a voice must be louder than usual to count as raised; 1 to 40.
    pub raised_voice_db: f32,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        TrackerConfig {
            smoothing: 0.3,
            margin: 0.05,
            challenge_updates: 2,
            update_interval_ms: 1000,
            mode: Mode::Events,
            aggregate_interval_s: 900,
            aggregate_min_utterances: 5,
            raised_voice_db: 6.0,
        }
    }
}

impl TrackerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`EventsError::Range`] for the first field that is out of its range.
    pub fn validate(&self) -> Result<(), EventsError> {
        in_range("events.smoothing", self.smoothing, 0.0, 0.99)?;
        in_range("events.margin", self.margin, 0.0, 1.0)?;
        in_range(
            "events.challenge_updates",
            self.challenge_updates as f32,
            1.0,
            1000.0,
        )?;
        in_range(
            "events.update_interval_ms",
            self.update_interval_ms as f32,
            0.0,
            600_000.0,
        )?;
        let interval = self.aggregate_interval_s as f32;
        in_range("events.aggregate_interval_s", interval, 60.0, 86_400.0)?;
        let least = self.aggregate_min_utterances as f32;
        in_range("events.aggregate_min_utterances", least, 1.0, 1000.0)?;
        in_range("events.raised_voice_db", self.raised_voice_db, 1.0, 40.0)
    }
}

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

/// An utterance that is open.
#[derive(Debug, Clone)]
struct Utterance {
    start_sample: u64,
    at_sample: u64,
    told: Option<Told>,
    smoothed: Scores,
    latest: Scores,
    challenger: Option<Label>,
    lead_updates: u32,
}

/// What was last told about an utterance.
#[derive(Debug, Clone, Copy)]
struct Told {
    id: u64,
    label: Label,
    at_sample: u64,
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

impl Utterance {
    fn take(&mut self, given: Scores, at_sample: u64, smoothing: f32) {
        if self.smoothed.is_empty() {
            self.smoothed = given.clone();
        } else {
            for (smooth, new) in self.smoothed.iter_mut().zip(&given) {
                *smooth = smoothing * *smooth + (1.0 - smoothing) * new;
            }
        }
        self.latest = given;
        self.at_sample = self.at_sample.max(at_sample);
    }

    /// The label after this update: `current`, or a challenger that has led for long enough.
    fn contest(&mut self, current: Label, config: &TrackerConfig, thresholds: &[f32]) -> Label {
        let challenger = challenger(&self.smoothed, current, config.margin, thresholds);
        self.lead_updates = match challenger {
            None => 0,
            same if same == self.challenger => self.lead_updates + 1,
            Some(_) => 1,
        };
        self.challenger = challenger;
        match challenger {
            Some(label) if self.lead_updates >= config.challenge_updates => {
                self.challenger = None;
                self.lead_updates = 0;
                label
            }
            _ => current,
        }
    }

    fn event(
        &self,
        id: u64,
        kind: EventKind,
        label: Label,
        scores: Scores,
        reason: Option<EndReason>,
    ) -> Event {
        let confidence = match label {
            Label::Known(index) => scores.get(index).copied().unwrap_or(0.0),
            Label::Unknown => best(&scores).1,
        };
        Event {
            id,
            kind,
            label,
            scores,
            confidence: confidence.clamp(0.0, 1.0),
            start_sample: self.start_sample,
            at_sample: self.at_sample,
            reason,
        }
    }
}

/// The label with the highest score, the first of equals.
fn best(scores: &[f32]) -> (usize, f32) {
    scores
        .iter()
        .copied()
        .enumerate()
        .fold(
            (0, 0.0),
            |best, (index, score)| if score > best.1 { (index, score) } else { best },
        )
}

/// The threshold of a label.
fn of(thresholds: &[f32], label: usize) -> f32 {
    thresholds.get(label).copied().unwrap_or(0.0)
}

fn decide(scores: &[f32], thresholds: &[f32]) -> Label {
    let (index, score) = best(scores);
    if score >= of(thresholds, index) {
        Label::Known(index)
    } else {
        Label::Unknown
    }
}

/// Who contests `current`, if anyone does.
fn challenger(scores: &[f32], current: Label, margin: f32, thresholds: &[f32]) -> Option<Label> {
    let wanted = decide(scores, thresholds);
    let Label::Known(index) = current else {
        return (wanted != current).then_some(wanted);
    };
    let (top, top_score) = best(scores);
    let own = scores.get(index).copied().unwrap_or(0.0);
    if top != index && top_score - own >= margin {
        Some(wanted)
    } else {
        (own < of(thresholds, index)).then_some(Label::Unknown)
    }
}
