//! The recipes that are known by a name: the default one, and those of the classic network.

use undertone_dsp::{Feature, Floor, FrontendConfig};

use super::{Guided, Recipe};
use crate::features::live::live_frontend;
use crate::features::window::classic_frontend;
use crate::features::{Excerpt, LiveWindow, Window};
use crate::network::classic::ClassicShape;
use crate::network::streaming::Shape;
use crate::training::augment::Augmentation;
use crate::training::classes::Classes;
use crate::training::kept_out::KeptOut;
use crate::training::normalise::Scaling;
use crate::training::schedule::Schedule;
use crate::training::split::VALIDATION_SHARE;
use crate::training::wave::WaveAugmentation;

/// The recipe of the streamable network.
impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 1,
            kept_out: KeptOut::Nobody,
            validation: VALIDATION_SHARE,
            classes: Classes::Product,
            epochs: 40,
            batch: 32,
            longest: 300,
            learning_rate: 3e-3,
            schedule: Schedule::OneCycle,
            weight_decay: 0.1,
            epsilon: 1e-5,
            gradient_norm: Some(5.0),
            label_smoothing: 0.1,
            patience: None,
            augmentation: Augmentation::default(),
            wave: WaveAugmentation {
                share: 0.4,
                noise: 0.4,
                telephone: 0.25,
                stretch: 0.0,
                pitch: 0.0,
                ..WaveAugmentation::default()
            },
            floor: Some(Floor {
                low_db: 30.0,
                high_db: 50.0,
                hold: 50,
                release_db: 0.03,
            }),
            scaling: Scaling::RunningMean,
            shape: Shape::default(),
            guide: Guided::default(),
            average: 0.995,
            // 64 ms, so that the low bands hold single harmonics of a voice.
            frontend: FrontendConfig {
                frame_length: 1024,
                fft_size: 1024,
                ..FrontendConfig::default()
            },
            features: vec![Feature::LogMel],
            window: None,
            classic: ClassicShape::default(),
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
            batch: 64,
            learning_rate: 1e-3,
            schedule: Schedule::Plateau,
            weight_decay: 0.0,
            epsilon: 1e-7,
            gradient_norm: None,
            label_smoothing: 0.0,
            augmentation: Augmentation::none(),
            wave: WaveAugmentation::none(),
            floor: None,
            scaling: Scaling::Fixed,
            average: 0.0,
            frontend: classic_frontend(),
            features: vec![Feature::Zcr, Feature::Rms, Feature::Mfcc],
            window: Some(Window::Excerpt(Excerpt::CLASSIC)),
            ..Self::default()
        }
    }

    /// The same for the classic network on the windows that a box holds.
    #[must_use]
    pub fn windowed() -> Self {
        Self {
            frontend: live_frontend(),
            window: Some(Window::Live(LiveWindow::CLASSIC)),
            ..Self::classic()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recipe_beside_the_shipped_model_can_be_trained_and_is_for_its_features() {
        let text = include_str!("../../../../models/undertone-research.recipe.json");
        let recipe = Recipe::from_json(text.as_bytes()).unwrap();
        recipe.check().unwrap();
        let file = include_bytes!("../../../../models/undertone-research.onnx");
        let model = undertone_model::Model::from_bytes(file).unwrap();
        let metadata = model.metadata();
        assert_eq!(recipe.frontend, metadata.frontend);
        assert_eq!(recipe.features, metadata.features);
        assert_eq!(recipe.floor, metadata.floor);
        let strides = recipe.shape.time_strides;
        assert_eq!(strides.iter().product::<usize>(), metadata.stride);
        assert_eq!(recipe.shape.width, metadata.width);
    }
}
