//! What a recipe is refused for before anything is read or trained.

#[cfg(test)]
mod tests;

use undertone_dsp::Feature;

use super::Recipe;
use crate::export::UPDATE_HOP;
use crate::features::{LiveWindow, Window};
use crate::guide::{LONGEST_STEP, RATE, TOKEN};
use crate::training::TrainingError;
use crate::training::normalise::Scaling;

/// Most clips per step.
const MAX_BATCH: usize = 4096;
/// Least and most frames of a clip that are heard at once.
const MIN_LONGEST: usize = 10;
const MAX_LONGEST: usize = 10_000;
/// Longest start and length of an excerpt, in seconds.
const MAX_SECONDS: f64 = 60.0;
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
        TrainingError::up_to([
            ("label_smoothing", self.label_smoothing, 1.0, "0 to 1"),
            ("wave.share", self.wave.share, 1.0, "0 to 1"),
        ])?;
        if !(0.0..=0.5).contains(&self.validation) {
            return refuse("validation", self.validation.to_string(), "0 to 0.5");
        }
        if !(MIN_LONGEST..=MAX_LONGEST).contains(&self.longest) {
            return refuse("longest", self.longest.to_string(), "10 to 10000 frames");
        }
        if !(0.0..=10.0).contains(&self.weight_decay) {
            return refuse("weight_decay", self.weight_decay.to_string(), "0 to 10");
        }
        if !(self.epsilon > 0.0 && self.epsilon <= 1.0) {
            let value = self.epsilon.to_string();
            return refuse("epsilon", value, "above 0 and at most 1");
        }
        if self
            .gradient_norm
            .is_some_and(|norm| !(f32::MIN_POSITIVE..=f32::MAX).contains(&norm))
        {
            let value = self.gradient_norm.unwrap_or_default().to_string();
            return refuse("gradient_norm", value, "null or above 0");
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
        self.augmentation.check()?;
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
            Window::Excerpt(excerpt) if !(0.1..=MAX_SECONDS).contains(&excerpt.seconds) => {
                refuse("window.seconds", excerpt.seconds.to_string(), "0.1 to 60")
            }
            Window::Excerpt(excerpt) if !(0.0..=MAX_SECONDS).contains(&excerpt.offset_seconds) => {
                let value = excerpt.offset_seconds.to_string();
                refuse("window.offset_seconds", value, "0 to 60")
            }
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
