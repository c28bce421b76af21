//! Why a model cannot be adapted.

use undertone_model::ModelError;

use super::verdict::{FEWEST, Verdict};

/// Why a model cannot be adapted.
#[derive(Debug, thiserror::Error)]
pub enum AdaptError {
    /// The model file is refused, or fails.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The file's head is not one that statistics of a clip go into.
    #[error("the model's head cannot be fitted: {0}")]
    Head(String),
    /// Too few clips.
    #[error(
        "{found} clips of {label}, and {FEWEST} or more are needed to fit some and hold one back: add clips, or leave the class out"
    )]
    Few {
        /// The class.
        label: String,
        /// Its clips.
        found: usize,
    },
    /// A clip that gives no answer.
    #[error("clip {number}, in the order given, is too short for an answer: leave it out")]
    Short {
        /// Its number, from 1 on.
        number: usize,
    },
    /// A trial that leaves no clips to score.
    #[error(
        "{speaker} has no clips left to score beside {clips_per_class} of each class: give fewer --clips-per-class"
    )]
    NoneLeft {
        /// Who.
        speaker: String,
        /// Clips of each class that were fitted to.
        clips_per_class: usize,
    },
    /// Clips of fewer than two classes.
    #[error("clips of {0} class, and two or more classes are needed")]
    OneClass(usize),
    /// The adapted head is worse on clips that it was not fitted to.
    #[error(
        "not written: on held-back clips the adapted model has UA {:.1} % and a log-loss of {:.3}, the one given {:.1} % and {:.3}; \
         give more clips, or check their labels",
        100.0 * verdict.after.unweighted_accuracy, verdict.after.log_loss,
        100.0 * verdict.before.unweighted_accuracy, verdict.before.log_loss
    )]
    Worse {
        /// What was found.
        verdict: Verdict,
    },
}
