//! The seam behind which the model sits.

/// What turns the feature frames of one utterance into a distribution over labels.
pub trait Scorer {
    /// Takes the next frame.
    ///
    /// # Errors
    /// Why the model cannot go on; the daemon stops then.
    fn push(&mut self, frame: &[f32]) -> Result<(), ScorerError>;

    /// Writes the distribution for the utterance so far; false while it is too short to say.
    ///
    /// # Errors
    /// Why the model cannot go on; the daemon stops then.
    fn probabilities(&mut self, out: &mut [f32]) -> Result<bool, ScorerError>;

    /// Forgets the utterance.
    ///
    /// # Errors
    /// Why the model cannot go on; the daemon stops then.
    fn reset(&mut self) -> Result<(), ScorerError>;
}

/// The model failed while running.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScorerError(pub String);
