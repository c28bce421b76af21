//! Everything that decides what a run's network becomes, besides the clips.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use undertone_dsp::{Feature, FrontendConfig};

use super::TrainingError;
use super::augment::Augmentation;
use super::classes::Classes;
use super::kept_out::KeptOut;
use super::normalise::Scaling;
use super::schedule::Schedule;
use super::split::VALIDATION_SHARE;
use super::wave::WaveAugmentation;
use crate::features::live::live_frontend;
use crate::features::window::classic_frontend;
use crate::features::{Excerpt, LiveWindow, Window};
use crate::network::classic::ClassicShape;
use crate::network::streaming::Shape;

/// A training recipe; written into the run folder and, as provenance, into the model file.
///
/// Fields missing in a serialised form take their defaults, unknown ones are refused.
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
    /// How feature rows are scaled before the network.
    pub scaling: Scaling,
    /// Width and depth of the streamable network.
    pub shape: Shape,
    /// Share of what listeners heard in what is asked for, where a clip has votes.
    pub votes: f32,
    /// How far corpora are evened out in an epoch: 0 as they are, 1 the same number of clips from each.
    pub balance: f32,
    /// Strength of the speaker-adversarial head; 0 has none.
    pub adversary: f32,
    /// Decay of the averaged weights, which then are what is validated and kept; 0 keeps those of the last step.
    pub average: f32,
    /// Models whose answers are learnt from.
    pub teacher: Teacher,
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

/// What is taken over from teachers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Teacher {
    /// Content hashes of the model files; empty without teachers.
    pub models: Vec<String>,
    /// Share of their answers in what is asked for.
    pub share: f32,
    /// What their logits are divided by, beyond their own temperature.
    pub temperature: f32,
}

impl Default for Teacher {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            share: 0.7,
            temperature: 1.5,
        }
    }
}

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
            weight_decay: 1e-2,
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
            scaling: Scaling::RunningMean,
            shape: Shape::default(),
            votes: 0.0,
            balance: 0.0,
            adversary: 0.0,
            average: 0.995,
            teacher: Teacher::default(),
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

/// Most clips per step.
const MAX_BATCH: usize = 4096;
/// Most frames of a window, those of a model file's self test.
const MAX_FRAMES: usize = 2000;

impl Recipe {
    /// Refuses what nothing can be trained with.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], the first field that is out of its range.
    pub fn check(&self) -> Result<(), TrainingError> {
        let refuse = TrainingError::refuse;
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
        let shares = [
            ("label_smoothing", self.label_smoothing),
            ("votes", self.votes),
            ("balance", self.balance),
            ("teacher.share", self.teacher.share),
            ("wave.share", self.wave.share),
        ];
        for (field, value) in shares {
            if !(0.0..=1.0).contains(&value) {
                return refuse(field, value.to_string(), "0 to 1");
            }
        }
        if !(0.0..=0.5).contains(&self.validation) {
            return refuse("validation", self.validation.to_string(), "0 to 0.5");
        }
        if !(0.0..1.0).contains(&self.average) {
            return refuse("average", self.average.to_string(), "0 to below 1");
        }
        if !(0.0..=10.0).contains(&self.adversary) {
            return refuse("adversary", self.adversary.to_string(), "0 to 10");
        }
        if !(0.1..=20.0).contains(&self.teacher.temperature) {
            let value = self.teacher.temperature.to_string();
            return refuse("teacher.temperature", value, "0.1 to 20");
        }
        if let Some(window) = &self.window {
            self.check_window(window)?;
        }
        if self.features.is_empty() {
            return refuse("features", "empty".into(), "zcr, rms, mfcc, log_mel");
        }
        self.wave.check()?;
        self.classic.check()?;
        self.shape.check()
    }

    /// What the classic network cannot be trained with.
    fn check_window(&self, window: &Window) -> Result<(), TrainingError> {
        let refuse = TrainingError::refuse;
        if self.adversary > 0.0 {
            let value = self.adversary.to_string();
            return refuse("adversary", value, "0 for the classic network");
        }
        if self.scaling != Scaling::Fixed {
            let value = "not fixed".to_owned();
            return refuse("scaling", value, "fixed for the classic network");
        }
        match *window {
            Window::Excerpt(_) if self.wave.is_on() => {
                let value = self.wave.share.to_string();
                refuse("wave.share", value, "0 where one excerpt is read")
            }
            Window::Live(LiveWindow { frames, .. }) if !(1..=MAX_FRAMES).contains(&frames) => {
                refuse("window.frames", frames.to_string(), "1 to 2000")
            }
            Window::Live(LiveWindow { frames, shortest }) if !(1..=frames).contains(&shortest) => {
                let value = shortest.to_string();
                refuse("window.shortest", value, "1 to window.frames")
            }
            Window::Excerpt(_) | Window::Live(_) => Ok(()),
        }
    }

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

    /// `self` with the fields that `changes` names put in their place. A change is `path=value`, for instance
    /// `augmentation.noise=0.5`; the value is JSON, or text.
    ///
    /// # Errors
    /// [`TrainingError::Change`] for a field that is not there or a value that does not fit.
    pub fn changed(&self, changes: &[String]) -> Result<Self, TrainingError> {
        let refuse = |change: &str, reason: String| TrainingError::Change {
            change: change.to_owned(),
            reason,
        };
        let mut recipe = self.clone();
        for change in changes {
            let (path, value) = change
                .split_once('=')
                .ok_or_else(|| refuse(change, "is not FIELD=VALUE".into()))?;
            let mut all =
                serde_json::to_value(&recipe).map_err(|error| refuse(change, error.to_string()))?;
            let mut place = &mut all;
            for part in path.split('.') {
                // A group that has its defaults may not be written out.
                if place.is_null() {
                    *place = Value::Object(serde_json::Map::new());
                }
                place = place
                    .as_object_mut()
                    .map(|fields| fields.entry(part).or_insert(Value::Null))
                    .ok_or_else(|| refuse(change, format!("`{part}` lies in no group")))?;
            }
            *place = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            recipe =
                serde_json::from_value(all).map_err(|error| refuse(change, error.to_string()))?;
        }
        Ok(recipe)
    }

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
    fn a_recipe_that_trains_nothing_is_refused_with_the_field() {
        type Change = fn(&mut Recipe);
        let changes: [(Change, &str); 9] = [
            (|recipe| recipe.epochs = 0, "epochs is 0"),
            (|recipe| recipe.batch = 0, "batch is 0"),
            (|recipe| recipe.batch = usize::MAX, "1 to 4096"),
            (
                |recipe| recipe.learning_rate = f64::NAN,
                "learning rate is NaN",
            ),
            (|recipe| recipe.learning_rate = -1.0, "learning rate is -1"),
            (|recipe| recipe.patience = Some(0), "patience is 0"),
            (|recipe| recipe.votes = 1.5, "votes is 1.5"),
            (|recipe| recipe.average = 1.0, "average is 1"),
            (|recipe| recipe.shape.width = 0, "shape.width is 0"),
        ];
        for recipe in [Recipe::default(), Recipe::classic(), Recipe::windowed()] {
            recipe.check().unwrap();
        }
        for (change, part) in changes {
            let mut recipe = Recipe::default();
            change(&mut recipe);
            let error = recipe.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn strides_that_would_leave_rows_or_frames_unread_are_refused() {
        for (change, part) in [
            ("shape.members=0", "1 to 16"),
            ("shape.members=17", "1 to 16"),
            ("shape.width=1500", "1 to 1024"),
            ("shape.stem=[4,8]", "odd rows"),
            ("shape.stem=[7,0]", "up to 32 frames"),
            ("shape.row_strides=[8,2,2,2]", "within the stem's kernel"),
            ("shape.row_strides=[4,2,2,3]", "three of 1 or 2"),
            ("shape.time_strides=[0,2,1,1]", "1 to 8"),
            ("shape.time_strides=[4,4,1,1]", "three of 1 or 2"),
        ] {
            let recipe = Recipe::default().changed(&[change.to_owned()]).unwrap();
            let error = recipe.check().unwrap_err().to_string();
            let field = change.split('=').next().unwrap();
            assert!(error.contains(field) && error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_classic_network_is_refused_what_it_cannot_be_trained_with() {
        let windowed = [
            ("adversary=0.1", "adversary is 0.1"),
            ("scaling=pcen", "must be fixed"),
            ("window.frames=0", "window.frames is 0"),
            ("window.frames=30", "window.shortest is 31"),
            ("classic.kernel=4", "classic.kernel is 4"),
            ("classic.filters=[64,0,8]", "classic.filters is 0"),
            ("classic.pool=65", "classic.pool is 65"),
        ];
        for (change, part) in windowed {
            let recipe = Recipe::windowed().changed(&[change.to_owned()]).unwrap();
            let error = recipe.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
        let louder = ["wave.share=0.5".to_owned()];
        Recipe::windowed()
            .changed(&louder)
            .unwrap()
            .check()
            .unwrap();
        let error = Recipe::classic().changed(&louder).unwrap().check();
        assert!(error.unwrap_err().to_string().contains("wave.share is 0.5"));
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
    fn the_recipe_beside_the_shipped_model_can_be_trained_and_is_for_its_features() {
        let text = include_str!("../../../models/undertone-research.recipe.json");
        let recipe: Recipe = serde_json::from_str(text).unwrap();
        recipe.check().unwrap();
        let file = include_bytes!("../../../models/undertone-research.onnx");
        let model = undertone_model::Model::from_bytes(file).unwrap();
        let metadata = model.metadata();
        assert_eq!(recipe.frontend, metadata.frontend);
        assert_eq!(recipe.features, metadata.features);
        let strides = recipe.shape.time_strides;
        assert_eq!(strides.iter().product::<usize>(), metadata.stride);
        assert_eq!(recipe.shape.members * recipe.shape.width, metadata.width);
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

    #[test]
    fn any_field_can_be_changed_by_its_path_and_no_other() {
        let change = |text: &str| Recipe::default().changed(&[text.to_owned()]);
        assert_eq!(
            change("augmentation.noise=0.5").unwrap().augmentation.noise,
            0.5
        );
        assert_eq!(
            change("kept_out=luna-2").unwrap().kept_out,
            KeptOut::Luna(2)
        );
        assert_eq!(
            change("shape.dilations=[1,2,4]").unwrap().shape.dilations,
            [1, 2, 4]
        );
        assert_eq!(
            change("scaling=running-mean").unwrap().scaling,
            Scaling::RunningMean
        );
        for wrong in [
            "noise=1",
            "epochs=-1",
            "epochs",
            "seed.deep=1",
            "scaling=loud",
        ] {
            let error = change(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

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
}
