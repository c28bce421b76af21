//! Figures of one fold.

use serde::{Deserialize, Serialize};

use crate::corpora::Emotion;
use crate::evaluation::condition::Condition;
use crate::evaluation::metrics::Figures;
use crate::evaluation::speakers::BySpeaker;

/// Whose head answered.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum HeadOf {
    /// The one that the run trained, for all corpora.
    #[default]
    Run,
    /// A new one, fitted to what the run has heard of the corpus that is scored.
    Corpus,
}

impl HeadOf {
    fn is_run(&self) -> bool {
        *self == Self::Run
    }
}

/// Figures of one fold of a protocol, of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldResult {
    /// The fold's name.
    pub fold: String,
    /// Seed of the run.
    pub seed: u64,
    /// Which set of classes.
    pub task: String,
    /// The condition that clips were heard in.
    pub condition: Condition,
    /// Whose head answered.
    #[serde(default, skip_serializing_if = "HeadOf::is_run")]
    pub head: HeadOf,
    /// Day of the measurement, UTC.
    pub date: String,
    /// Content hash of the model file; `None` where no file was made, as of the classic network.
    pub model: Option<String>,
    /// Unweighted accuracy on the run's validation speakers.
    pub validation: f64,
    /// The classes.
    pub classes: Vec<Emotion>,
    /// The figures.
    pub figures: Figures,
    /// Answers to each speaker's clips, by class.
    pub speakers: BySpeaker,
}

impl FoldResult {
    /// What it is of; results are kept in this order.
    pub(super) fn place(&self) -> (&str, u64, &str, HeadOf, String) {
        let condition = self.condition.to_string();
        (&self.fold, self.seed, &self.task, self.head, condition)
    }
}
