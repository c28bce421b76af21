//! Everything that decides what a run's network becomes, besides the clips.

use serde::{Deserialize, Serialize};
use undertone_dsp::{Feature, FrontendConfig};

use super::augment::Augmentation;
use super::schedule::Schedule;

/// A training recipe; written into the run folder and, as provenance, into the model file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Seed of weights, order, augmentation and validation speakers.
    pub seed: u64,
    /// Fold whose speakers are kept out, of every corpus; `None` trains on everybody.
    pub fold: Option<u8>,
    /// Epochs of the schedule.
    pub epochs: usize,
    /// Clips per step.
    pub batch: usize,
    /// Longest excerpt of a clip in a step, in frames.
    pub longest: usize,
    /// Peak (one-cycle) or initial (plateau) learning rate.
    pub learning_rate: f64,
    /// How the rate moves.
    pub schedule: Schedule,
    /// Weight decay of AdamW.
    pub weight_decay: f32,
    /// Probability shared by the classes that are not the target.
    pub label_smoothing: f32,
    /// Epochs without a better validation score after which the run ends early; `None` runs to the end.
    pub patience: Option<usize>,
    /// Changes made to clips while training.
    pub augmentation: Augmentation,
    /// Front end.
    pub frontend: FrontendConfig,
    /// Rows of a frame.
    pub features: Vec<Feature>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            fold: None,
            epochs: 40,
            batch: 64,
            longest: 300,
            learning_rate: 3e-3,
            schedule: Schedule::OneCycle,
            weight_decay: 1e-2,
            label_smoothing: 0.1,
            patience: None,
            augmentation: Augmentation::default(),
            frontend: FrontendConfig::default(),
            features: vec![Feature::LogMel],
        }
    }
}
