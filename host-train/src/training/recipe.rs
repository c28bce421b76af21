//! Everything that decides what a run's network becomes, besides the clips.

use serde::{Deserialize, Serialize};
use undertone_dsp::{Feature, FrontendConfig};

use super::augment::Augmentation;
use super::schedule::Schedule;
use crate::features::window::{Window, classic_frontend};

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
    /// Weight decay of AdamW; without it, AdamW is Adam.
    pub weight_decay: f32,
    /// Added to the root of AdamW's second moment.
    #[serde(default = "epsilon")]
    pub epsilon: f32,
    /// Largest norm of a parameter's gradient in a step; `None` limits nothing.
    #[serde(default = "gradient_norm")]
    pub gradient_norm: Option<f32>,
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
    /// The one window of a clip that is read; `None` reads the frames of the whole clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

fn epsilon() -> f32 {
    1e-5
}

fn gradient_norm() -> Option<f32> {
    Some(5.0)
}

/// The recipe of the streamable network.
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
            epsilon: epsilon(),
            gradient_norm: gradient_norm(),
            label_smoothing: 0.1,
            patience: None,
            augmentation: Augmentation::default(),
            frontend: FrontendConfig::default(),
            features: vec![Feature::LogMel],
            window: None,
        }
    }
}

impl Recipe {
    /// What the notebooks of the classic network do: Adam with Keras's defaults, the rate lowered on a plateau, the best
    /// epoch kept, and nothing done to the features.
    #[must_use]
    pub fn classic() -> Self {
        Self {
            epochs: 50,
            learning_rate: 1e-3,
            schedule: Schedule::Plateau,
            weight_decay: 0.0,
            epsilon: 1e-7,
            gradient_norm: None,
            label_smoothing: 0.0,
            augmentation: Augmentation::none(),
            frontend: classic_frontend(),
            features: vec![Feature::Zcr, Feature::Rms, Feature::Mfcc],
            window: Some(Window::CLASSIC),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_recipe_without_the_later_fields_means_what_it_did() {
        let mut stored = serde_json::to_value(Recipe::default()).unwrap();
        let fields = stored.as_object_mut().unwrap();
        assert!(!fields.contains_key("window"));
        for field in ["epsilon", "gradient_norm"] {
            fields.remove(field).unwrap();
        }
        let read: Recipe = serde_json::from_value(stored).unwrap();
        assert_eq!(read, Recipe::default());
    }
}
