//! What a recipe is refused for before anything is read or trained.

use undertone_dsp::Feature;

use super::Recipe;
use crate::export::UPDATE_HOP;
use crate::features::{LiveWindow, Window};
use crate::guide::{LONGEST_STEP, RATE, TOKEN};
use crate::training::TrainingError;
use crate::training::normalise::Scaling;

/// Most clips per step.
const MAX_BATCH: usize = 4096;
/// Most layers of a guide, more than the largest has.
const MAX_LAYERS: usize = 64;
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
            ("wave.share", self.wave.share),
            ("augmentation.splice", self.augmentation.splice),
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
        if !(0.0..=100.0).contains(&self.guide.strength) {
            return refuse(
                "guide.strength",
                self.guide.strength.to_string(),
                "0 to 100",
            );
        }
        if !(1..=MAX_LAYERS).contains(&self.guide.layers) {
            return refuse("guide.layers", self.guide.layers.to_string(), "1 to 64");
        }
        if let Some(window) = &self.window {
            self.check_window(window)?;
        }
        if self.features.is_empty() {
            return refuse("features", "empty".into(), "zcr, rms, mfcc, log_mel");
        }
        self.check_floor()?;
        self.wave.check()?;
        self.classic.check()?;
        self.shape.check()?;
        self.check_guide()
    }

    /// What a floor cannot be put under.
    fn check_floor(&self) -> Result<(), TrainingError> {
        let refuse = TrainingError::refuse;
        let Some(floor) = self.floor else {
            return Ok(());
        };
        if let Err(error) = floor.validate() {
            return refuse("floor", error.to_string(), "null, or within these ranges");
        }
        if floor.hold > UPDATE_HOP {
            let range = "at most the 50 frames between answers";
            return refuse("floor.hold", floor.hold.to_string(), range);
        }
        if self.window.is_some() || self.features != [Feature::LogMel] {
            let range = "null (`--set floor=null`) unless `features` is log_mel alone and the network the streamable one";
            return refuse("floor", "given".into(), range);
        }
        Ok(())
    }

    /// What no guide can be listened to with.
    fn check_guide(&self) -> Result<(), TrainingError> {
        let refuse = TrainingError::refuse;
        if self.guide.encoder.is_none() {
            return Ok(());
        }
        if self.frontend.sample_rate != RATE {
            let value = self.frontend.sample_rate.to_string();
            return refuse("frontend.sample_rate", value, "16000, with a guide");
        }
        let stride = self.shape.time_stride();
        let step = stride.saturating_mul(self.frontend.hop_length);
        if !step.is_multiple_of(TOKEN) || !(TOKEN..=LONGEST_STEP).contains(&step) {
            let value = format!("{stride} frames of {}", self.frontend.hop_length);
            let range = "a multiple of 320 samples up to 16000 together, with a guide";
            return refuse("shape.time_strides", value, range);
        }
        Ok(())
    }

    /// What the classic network cannot be trained with.
    fn check_window(&self, window: &Window) -> Result<(), TrainingError> {
        let refuse = TrainingError::refuse;
        if let Some(encoder) = &self.guide.encoder {
            return refuse(
                "guide.encoder",
                encoder.clone(),
                "none for the classic network",
            );
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
            Window::Excerpt(_) if self.augmentation.splice > 0.0 => {
                let value = self.augmentation.splice.to_string();
                refuse("augmentation.splice", value, "0 where one excerpt is read")
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_that_trains_nothing_is_refused_with_the_field() {
        type Change = fn(&mut Recipe);
        let changes: [(Change, &str); 10] = [
            (|recipe| recipe.epochs = 0, "epochs is 0"),
            (|recipe| recipe.batch = 0, "batch is 0"),
            (|recipe| recipe.batch = usize::MAX, "1 to 4096"),
            (
                |recipe| recipe.learning_rate = f64::NAN,
                "learning rate is NaN",
            ),
            (|recipe| recipe.learning_rate = -1.0, "learning rate is -1"),
            (|recipe| recipe.patience = Some(0), "patience is 0"),
            (|recipe| recipe.guide.layers = 0, "guide.layers is 0"),
            (
                |recipe| recipe.augmentation.splice = -0.5,
                "augmentation.splice is -0.5",
            ),
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
    fn a_floor_is_for_log_mel_bands_alone_and_held_no_longer_than_an_answer_takes() {
        let given = |text: &str| {
            Recipe::default()
                .changed(&[format!("floor={text}")])
                .unwrap()
        };
        let good = r#"{"low_db": 35, "high_db": 60, "hold": 50, "release_db": 0.03}"#;
        given(good).check().unwrap();
        let mut mixed = given(good);
        mixed.features.push(Feature::Zcr);
        let windowed = Recipe {
            floor: mixed.floor,
            ..Recipe::windowed()
        };
        for (recipe, part) in [
            (mixed, "log_mel alone"),
            (windowed, "log_mel alone"),
            (given(&good.replace("50,", "51,")), "floor.hold is 51"),
            (given(&good.replace("35", "-1")), "floor.low_db is -1"),
        ] {
            let error = recipe.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn strides_that_would_leave_rows_or_frames_unread_are_refused() {
        for (change, part) in [
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
            ("guide.encoder=\"ab\"", "guide.encoder is ab"),
            ("scaling=running-mean", "must be fixed"),
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
    fn a_guide_is_listened_to_in_whole_tokens_at_its_own_rate_only() {
        let guided = Recipe::default().changed(&["guide.encoder=\"ab\"".to_owned()]);
        let guided = guided.unwrap();
        guided.check().unwrap();
        for (change, message) in [
            ("guide.strength=101", "guide.strength is 101"),
            ("guide.layers=0", "guide.layers is 0"),
            ("frontend.sample_rate=8000", "must be 16000, with a guide"),
            ("frontend.hop_length=100", "8 frames of 100"),
            ("frontend.hop_length=4000", "8 frames of 4000"),
            ("shape.time_strides=[1,1,1,1]", "1 frames of 160"),
            (
                "shape.time_strides=[4294967296,4294967296,1,1]",
                "time_strides",
            ),
        ] {
            let recipe = guided.changed(&[change.to_owned()]).unwrap();
            let error = recipe.check().unwrap_err().to_string();
            assert!(error.contains(message), "{change}: {error}");
        }
    }
}
