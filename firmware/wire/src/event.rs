//! The message about one utterance.

use serde::{Deserialize, Serialize};

use crate::WireError;

/// The most labels that a model on the serial line may have.
pub const MAX_LABELS: usize = 16;

/// The number that stands for probability 1: scores are whole ten-thousandths.
pub const SCORE_ONE: u16 = 10_000;

/// Where in its utterance an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// First event of an utterance.
    Start,
    /// The answer changed while the utterance goes on.
    Update,
    /// Last event of an utterance; every start gets one.
    End,
}

/// What the voice on one channel expresses, as far as the utterance has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Start, update or end.
    pub phase: Phase,
    /// Number of the utterance, the same from its start to its end; unique within one boot id.
    pub id: u64,
    /// Channel of the recording, from 0.
    pub channel: u8,
    /// Index of the label (see [`Label`](crate::Label)); `None` is *unknown*: not sure enough to say.
    pub label: Option<u8>,
    /// Probability of the most likely label in ten-thousandths, 0 to [`SCORE_ONE`].
    pub confidence: u16,
    /// The full calibrated distribution, one score per label in label order; may be empty.
    pub scores: Scores,
    /// Number of the event since the boot; a gap tells which events are missing.
    pub seq: u64,
    /// Milliseconds of a clock that never jumps, since an arbitrary moment of the boot.
    pub monotonic_ms: u64,
}

impl Event {
    /// Checks the ranges that the types do not.
    ///
    /// # Errors
    /// [`WireError::OutOfRange`] with the field when confidence or a score is above [`SCORE_ONE`], or the label is not
    /// one of the scores (when there are scores) or not below [`MAX_LABELS`].
    pub fn validate(&self) -> Result<(), WireError> {
        let at_most = |field, value: u16, max: u16| {
            if value <= max {
                Ok(())
            } else {
                Err(WireError::OutOfRange {
                    field,
                    value: value.into(),
                    max: max.into(),
                })
            }
        };
        at_most("confidence", self.confidence, SCORE_ONE)?;
        for value in self.scores.as_slice() {
            at_most("scores", *value, SCORE_ONE)?;
        }
        let labels = match self.scores.as_slice().len() {
            0 => MAX_LABELS,
            count => count,
        };
        match self.label {
            Some(label) => at_most("label", label.into(), (labels - 1) as u16),
            None => Ok(()),
        }
    }
}

/// Scores in label order, each in ten-thousandths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scores(heapless::Vec<u16, MAX_LABELS>);

impl Scores {
    /// Rounds probabilities (0 to 1, at most [`MAX_LABELS`]) to ten-thousandths, each for itself.
    ///
    /// # Errors
    /// [`WireError::OutOfRange`] for too many, [`WireError::NotAProbability`] for a value outside 0 to 1 or NaN.
    pub fn from_probabilities(probabilities: &[f32]) -> Result<Self, WireError> {
        let too_many = WireError::OutOfRange {
            field: "number of scores",
            value: u32::try_from(probabilities.len()).unwrap_or(u32::MAX),
            max: MAX_LABELS as u32,
        };
        let mut scores = heapless::Vec::new();
        for probability in probabilities {
            scores.push(score(*probability)?).map_err(|_| too_many)?;
        }
        Ok(Self(scores))
    }

    /// The scores in ten-thousandths.
    pub fn as_slice(&self) -> &[u16] {
        &self.0
    }
}

/// A probability in ten-thousandths, rounded to the nearest. What float arithmetic leaves just above 1 counts as 1.
///
/// # Errors
/// [`WireError::NotAProbability`] for a value outside 0 to 1.001 or NaN.
pub fn score(probability: f32) -> Result<u16, WireError> {
    if !(0.0..=1.001).contains(&probability) {
        return Err(WireError::NotAProbability { field: "score" });
    }
    Ok(((probability * f32::from(SCORE_ONE) + 0.5) as u16).min(SCORE_ONE))
}
