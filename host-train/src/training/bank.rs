//! The sound of the training clips in memory, and features of changed copies of it.
//!
//! A changed copy is kept for some epochs ([`WaveAugmentation::every`]); clips take turns, so that every epoch makes about as
//! many anew. Which copy a clip has in which epoch depends on the seed alone, so that a resumed run hears the same.

use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;
use undertone_dsp::{Feature, FrontendConfig};

use super::recipe::Recipe;
use super::wave::WaveAugmentation;
use crate::corpora::Clip;
use crate::features::{ClipFeatures, FeatureError, extract_samples, spoken_samples};
use crate::sound::RATE;

/// A copy, and which turn of its clip it belongs to.
type Kept = Mutex<Option<(usize, Option<Arc<ClipFeatures>>)>>;

/// Sound of every training clip, cut to its spoken part.
#[derive(Debug)]
pub struct WaveBank {
    sounds: Vec<Vec<i16>>,
    kept: Vec<Kept>,
    augmentation: WaveAugmentation,
    frontend: FrontendConfig,
    features: Vec<Feature>,
    seed: u64,
}

impl WaveBank {
    /// Decodes `clips`, in the order of the examples, 32 kB for each second; `None` if the recipe leaves samples alone.
    ///
    /// # Errors
    /// [`FeatureError`] if a clip cannot be read, or the front end works at another rate than 16 kHz.
    pub fn load(clips: &[Clip], recipe: &Recipe) -> Result<Option<Self>, FeatureError> {
        if !recipe.wave.is_on() {
            return Ok(None);
        }
        if recipe.frontend.sample_rate != RATE {
            return Err(FeatureError::Rate {
                found: recipe.frontend.sample_rate,
                needed: RATE,
            });
        }
        let sounds = clips
            .par_iter()
            .map(|clip| {
                let samples = spoken_samples(&clip.path, &recipe.frontend)?;
                let whole = |sample: &f32| (sample.clamp(-1.0, 1.0) * 32767.0).round() as i16;
                Ok(samples.iter().map(whole).collect())
            })
            .collect::<Result<Vec<_>, FeatureError>>()?;
        Ok(Some(Self {
            kept: sounds.iter().map(|_| Mutex::new(None)).collect(),
            sounds,
            augmentation: recipe.wave.clone(),
            frontend: recipe.frontend.clone(),
            features: recipe.features.clone(),
            seed: recipe.seed,
        }))
    }

    /// Features of clip `index` as it is heard in `epoch`; `None` where its samples are left alone.
    #[must_use]
    pub fn variant(&self, index: usize, epoch: usize) -> Option<Arc<ClipFeatures>> {
        let turn = (epoch + index) / self.augmentation.every;
        let mut kept = self.kept[index]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, copy)) if *of == turn => copy.clone(),
            _ => {
                let copy = self.changed(index, turn).map(Arc::new);
                *kept = Some((turn, copy.clone()));
                copy
            }
        }
    }

    fn changed(&self, index: usize, turn: usize) -> Option<ClipFeatures> {
        let seed = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5741_5645;
        let place = ((index as u64 + 1) << 24) ^ turn as u64;
        let mut rng = StdRng::seed_from_u64(seed ^ place);
        if rng.random::<f32>() >= self.augmentation.share {
            return None;
        }
        let other = |rng: &mut StdRng| self.sound(rng.random_range(0..self.sounds.len()));
        // A clip that cannot be changed is heard as it is.
        let samples = self
            .augmentation
            .apply(&self.sound(index), other, &mut rng)
            .ok()?;
        let (_, features) = extract_samples(&self.frontend, &self.features, &samples).ok()?;
        (features.frames() > 0).then_some(features)
    }

    fn sound(&self, index: usize) -> Vec<f32> {
        self.sounds[index]
            .iter()
            .map(|&sample| f32::from(sample) / 32767.0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpora::{Corpus, Emotion};

    fn bank(dir: &std::path::Path, share: f32) -> Option<WaveBank> {
        let clips: Vec<Clip> = (0..6)
            .map(|index| {
                let mut clip = Clip::example(Corpus::Savee, "DC", Emotion::Sad, index);
                clip.path = dir.join(format!("{index}.wav"));
                let spec = hound::WavSpec {
                    channels: 1,
                    sample_rate: RATE,
                    bits_per_sample: 16,
                    sample_format: hound::SampleFormat::Int,
                };
                let mut writer = hound::WavWriter::create(&clip.path, spec).unwrap();
                for i in 0..8_000u32 {
                    let value = (f64::from(i) * (0.05 + f64::from(index) * 0.01)).sin();
                    writer.write_sample((9_000.0 * value) as i16).unwrap();
                }
                writer.finalize().unwrap();
                clip
            })
            .collect();
        let mut recipe = Recipe::default();
        recipe.wave.share = share;
        WaveBank::load(&clips, &recipe).unwrap()
    }

    #[test]
    fn a_copy_is_kept_for_its_epochs_then_made_anew_and_the_same_in_a_resumed_run() {
        let dir = tempfile::tempdir().unwrap();
        let first = bank(dir.path(), 1.0).unwrap();
        let heard: Vec<_> = (0..5)
            .map(|epoch| first.variant(1, epoch).unwrap())
            .collect();
        assert!(Arc::ptr_eq(&heard[1], &heard[2]) && Arc::ptr_eq(&heard[3], &heard[4]));
        assert_ne!(heard[0], heard[1]);
        assert_ne!(heard[2], heard[3]);
        let resumed = bank(dir.path(), 1.0).unwrap();
        assert_eq!(resumed.variant(1, 3).unwrap(), heard[3]);
    }

    #[test]
    fn clips_outside_the_share_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert!(bank(dir.path(), 0.0).is_none());
        let some = bank(dir.path(), 0.5).unwrap();
        let changed = (0..6).flat_map(|index| (0..20).map(move |epoch| (index, epoch * 2)));
        let changed = changed.filter(|&(index, epoch)| some.variant(index, epoch).is_some());
        assert!((30..90).contains(&changed.count()));
    }
}
