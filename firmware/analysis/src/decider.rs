//! Frames of open segments to the model, its answers to the tracker.

use undertone_events::{EndReason, SegmentEdge, Tracker};

use crate::channel::Told;
use crate::front::Front;
use crate::scorer::{Scorer, ScorerError};

/// What follows the front: frames of open segments go to the model, its answers to the tracker.
pub struct Decider<S> {
    scorer: S,
    tracker: Tracker,
    update_hop: u64,
    /// Frames from one answer to the next: `update_hop`, or a multiple of it under load.
    answer_hop: u64,
    scores: Box<[f32]>,
    next_frame: u64,
    unscored: u64,
}

impl<S: Scorer> Decider<S> {
    /// Asks the model after every `update_hop` frames (at least 1) of a segment, over `labels` labels.
    pub fn new(scorer: S, tracker: Tracker, update_hop: usize, labels: usize) -> Self {
        Decider {
            scorer,
            tracker,
            update_hop: update_hop.max(1) as u64,
            answer_hop: update_hop.max(1) as u64,
            scores: vec![0.0; labels].into(),
            next_frame: 0,
            unscored: 0,
        }
    }

    /// Answers come `factor` (at least 1) times as far apart, from the next one on.
    pub(crate) fn widen(&mut self, factor: u32) {
        self.answer_hop = self.update_hop.saturating_mul(u64::from(factor.max(1)));
    }

    /// Below `value` (0 to 1) a label is told as unknown from now on; every label when `None`.
    pub(crate) fn set_threshold(&mut self, label: Option<usize>, value: f32) {
        self.tracker.set_threshold(label, value);
    }

    /// A hop has passed the front, and `edge` with it.
    pub(crate) fn after_hop(
        &mut self,
        front: &Front,
        edge: Option<SegmentEdge>,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), ScorerError> {
        match edge {
            Some(SegmentEdge::SpeechStart { at_sample }) => {
                self.scorer.reset()?;
                self.next_frame = front.first_frame_from(at_sample);
                self.unscored = 0;
                if let Some(end) = self.tracker.begin(at_sample) {
                    tell(Told::Event(end));
                }
            }
            Some(SegmentEdge::SpeechEnd { at_sample, cut }) => {
                let reason = if cut {
                    EndReason::MaxLength
                } else {
                    EndReason::Silence
                };
                return self.close(front, at_sample, reason, tell);
            }
            None => {}
        }
        match front.certain_until() {
            Some(until) => self.feed(front, until, tell),
            None => Ok(()),
        }
    }

    /// Gives the model the frames of the segment that end at `until` or before.
    fn feed(
        &mut self,
        front: &Front,
        until: u64,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), ScorerError> {
        while let Some((frame, end)) = front.frame(self.next_frame) {
            if end > until {
                break;
            }
            self.scorer.push(frame)?;
            self.next_frame += 1;
            self.unscored += 1;
            if self.unscored >= self.answer_hop {
                self.score(end, tell)?;
            }
        }
        Ok(())
    }

    fn score(&mut self, at_sample: u64, tell: &mut dyn FnMut(Told)) -> Result<(), ScorerError> {
        self.unscored = 0;
        if self.scorer.probabilities(&mut self.scores)? {
            let told = self.tracker.update(&self.scores, at_sample);
            if let Some(event) = told.map_err(|error| ScorerError(error.to_string()))? {
                tell(Told::Event(event));
            }
        }
        Ok(())
    }

    /// Ends the open segment at `at_sample`; its last frames count.
    pub(crate) fn close(
        &mut self,
        front: &Front,
        at_sample: u64,
        reason: EndReason,
        tell: &mut dyn FnMut(Told),
    ) -> Result<(), ScorerError> {
        if self.tracker.is_open() {
            self.feed(front, at_sample, tell)?;
            if self.unscored > 0 {
                self.score(at_sample, tell)?;
            }
        }
        if let Some(end) = self.tracker.finish(reason, at_sample) {
            tell(Told::Event(end));
        }
        Ok(())
    }
}
