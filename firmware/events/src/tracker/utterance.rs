//! An utterance that is open.

use super::TrackerConfig;
use super::decision::{best, challenger};
use crate::event::{EndReason, Event, EventKind, Label, Scores};

/// An utterance that is open.
#[derive(Debug, Clone)]
pub(super) struct Utterance {
    pub(super) start_sample: u64,
    pub(super) at_sample: u64,
    pub(super) told: Option<Told>,
    pub(super) smoothed: Scores,
    pub(super) latest: Scores,
    pub(super) challenger: Option<Label>,
    pub(super) lead_updates: u32,
}

/// What was last told about an utterance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    pub(super) id: u64,
    pub(super) label: Label,
    pub(super) at_sample: u64,
}

impl Utterance {
    pub(super) fn take(&mut self, given: Scores, at_sample: u64, smoothing: f32) {
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
    pub(super) fn contest(
        &mut self,
        current: Label,
        config: &TrackerConfig,
        thresholds: &[f32],
    ) -> Label {
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

    pub(super) fn event(
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
