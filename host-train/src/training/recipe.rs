//! Everything that decides what a run's network becomes, besides the clips.

use serde::{Deserialize, Serialize};
use undertone_dsp::{Feature, FrontendConfig};

use super::TrainingError;
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

/// Most clips per step.
const MAX_BATCH: usize = 4096;

impl Recipe {
    /// Refuses what nothing can be trained with.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], the first field that is out of its range.
    pub fn check(&self) -> Result<(), TrainingError> {
        let refuse = |field, value: String, allowed| {
            Err(TrainingError::Recipe {
                field,
                value,
                allowed,
            })
        };
        if self.epochs == 0 {
            return refuse("epochs", "0".into(), "1 or more");
        }
        if !(1..=MAX_BATCH).contains(&self.batch) {
            return refuse("batch", self.batch.to_string(), "1 to 4096");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            let value = self.learning_rate.to_string();
            return refuse("learning rate", value, "above 0 and at most 1");
        }
        if self.patience == Some(0) {
            return refuse("patience", "0".into(), "1 epoch or more");
        }
        Ok(())
    }

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
    fn a_recipe_that_trains_nothing_is_refused_with_the_field() {
        type Change = fn(&mut Recipe);
        let changes: [(Change, &str); 6] = [
            (|recipe| recipe.epochs = 0, "epochs is 0"),
            (|recipe| recipe.batch = 0, "batch is 0"),
            (|recipe| recipe.batch = usize::MAX, "1 to 4096"),
            (
                |recipe| recipe.learning_rate = f64::NAN,
                "learning rate is NaN",
            ),
            (|recipe| recipe.learning_rate = -1.0, "learning rate is -1"),
            (|recipe| recipe.patience = Some(0), "patience is 0"),
        ];
        assert!(Recipe::default().check().is_ok() && Recipe::classic().check().is_ok());
        for (change, part) in changes {
            let mut recipe = Recipe::default();
            change(&mut recipe);
            let error = recipe.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

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
