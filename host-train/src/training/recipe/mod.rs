//! Everything that decides what a run's network becomes, besides the clips.

mod change;
mod check;
mod usual;

use std::ops::Range;

use serde::{Deserialize, Serialize};
use undertone_dsp::{Feature, Floor, FrontendConfig};

use super::augment::Augmentation;
use super::classes::Classes;
use super::kept_out::KeptOut;
use super::normalise::Scaling;
use super::schedule::Schedule;
use super::wave::WaveAugmentation;
use crate::features::Window;
use crate::network::classic::ClassicShape;
use crate::network::streaming::Shape;

/// A training recipe; written into the run folder and, as provenance, into the model file.
///
/// Unknown fields of a serialised form are refused; what a file may lack is said at [`Recipe::from_json`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Seed of weights, order, augmentation and validation speakers.
    pub seed: u64,
    /// Speakers that the run never hears.
    pub kept_out: KeptOut,
    /// Share of a corpus's training speakers that validate, 2 speakers at least; a greater one judges a recipe better.
    pub validation: f64,
    /// What is told apart.
    pub classes: Classes,
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
    pub epsilon: f32,
    /// Largest norm of a parameter's gradient in a step; `None` limits nothing.
    pub gradient_norm: Option<f32>,
    /// Probability shared by the classes that are not the target.
    pub label_smoothing: f32,
    /// Epochs without a better validation score after which the run ends early; `None` runs to the end.
    pub patience: Option<usize>,
    /// Changes made to feature frames while training.
    pub augmentation: Augmentation,
    /// Changes made to samples while training.
    pub wave: WaveAugmentation,
    /// What is put under the log-mel bands of an utterance; `None` puts nothing there.
    pub floor: Option<Floor>,
    /// How feature rows are scaled before the network.
    pub scaling: Scaling,
    /// Width and depth of the streamable network.
    pub shape: Shape,
    /// What is taken over from a large encoder.
    pub guide: Guided,
    /// Decay of the averaged weights, which then are what is validated and kept; 0 keeps those of the last step.
    pub average: f32,
    /// Front end.
    pub frontend: FrontendConfig,
    /// Rows of a frame.
    pub features: Vec<Feature>,
    /// The one window of a clip that the classic network reads; `None` reads the frames of the whole clip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Width of the classic network.
    #[serde(skip_serializing_if = "ClassicShape::is_published")]
    pub classic: ClassicShape,
}

/// What is taken over from a guide ([`super::guided`]).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Guided {
    /// [`Guide::hash`](crate::guide::Guide::hash); `None` without one.
    pub encoder: Option<String>,
    /// Layers of it that are listened to.
    pub layers: usize,
    /// Weight of the error of what the network says of it.
    pub strength: f32,
}

impl Default for Guided {
    fn default() -> Self {
        Self {
            encoder: None,
            layers: 2,
            strength: 20.0,
        }
    }
}

impl Recipe {
    /// Which rows of a frame are log-mel bands; none of them if the network does not read any, or reads one vector of a clip.
    #[must_use]
    pub fn bands(&self) -> Range<usize> {
        if let Some(Window::Excerpt(_)) = self.window {
            return 0..0;
        }
        let before = self.features.iter().position(|one| *one == Feature::LogMel);
        before.map_or(0..0, |count| {
            let start = self.frontend.rows(&self.features[..count]);
            start..start + self.frontend.mel_bands
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_mel_rows_are_found_wherever_they_stand() {
        let bands = |features: &[Feature]| {
            let features = features.to_vec();
            Recipe {
                features,
                ..Recipe::default()
            }
            .bands()
        };
        assert_eq!(
            bands(&[Feature::Zcr, Feature::Mfcc, Feature::LogMel]),
            41..105
        );
        assert_eq!(bands(&[Feature::Mfcc]), 0..0);
    }

    #[test]
    fn either_window_is_stored_as_its_fields_and_a_published_network_not_at_all() {
        for recipe in [Recipe::classic(), Recipe::windowed()] {
            let stored = serde_json::to_value(&recipe).unwrap();
            assert!(
                stored["window"].get("seconds").is_some()
                    != stored["window"].get("frames").is_some()
            );
            assert!(stored.get("classic").is_none());
            assert_eq!(serde_json::from_value::<Recipe>(stored).unwrap(), recipe);
        }
    }

    #[test]
    fn missing_fields_take_their_defaults_and_unknown_ones_are_refused() {
        let read: Recipe = serde_json::from_str("{\"seed\": 1, \"epochs\": 40}").unwrap();
        let epochs = 40;
        assert_eq!(
            read,
            Recipe {
                epochs,
                ..Recipe::default()
            }
        );
        assert!(serde_json::from_str::<Recipe>("{\"sede\": 1}").is_err());
    }
}
