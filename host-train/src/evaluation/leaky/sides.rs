//! Altered copies of TESS, and who hears which of them.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;

use super::super::measure::MeasureError;
use super::Way;
use crate::corpora::{Clip, Corpus, Protocol};
use crate::features::{ClipFeatures, Excerpt, FeatureError, Window, WindowExtractor};
use crate::sound::noise::white;
use crate::sound::stretch::{pitch, stretch};
use crate::training::batch::Example;
use crate::training::label::label;
use crate::training::prepare::PrepareError;
use crate::training::recipe::Recipe;

/// Share of the copies that is tested on.
const TEST_SHARE: f64 = 0.2;
/// Share of the training clips that chooses the epoch, where the test clips must not.
const VALIDATION_SHARE: f64 = 0.1;

/// The four altered copies: with noise, slower, moved, higher, with the notebooks' usual amounts.
fn copies(samples: &[f32], rng: &mut StdRng) -> Result<[Vec<f32>; 4], FeatureError> {
    let most = samples
        .iter()
        .fold(0.0f32, |most, sample| most.max(sample.abs()));
    let loud = 0.035 * rng.random::<f32>() * most;
    let noise = white(samples.len(), rng);
    let noisy = samples
        .iter()
        .zip(noise)
        .map(|(sample, noise)| sample + loud * noise);
    let mut moved = samples.to_vec();
    let places = rng.random_range(0..10_000) % samples.len().max(1);
    moved.rotate_right(places);
    Ok([
        noisy.collect(),
        stretch(samples, 0.8),
        moved,
        pitch(samples, 0.7)?,
    ])
}

/// Vectors of every copy of `clips`, the four of a clip behind each other; what is drawn depends on `seed` and the clip.
///
/// # Errors
/// [`FeatureError`] of the first clip that fails.
pub fn altered(
    clips: &[Clip],
    extractor: &WindowExtractor,
    seed: u64,
) -> Result<Vec<[ClipFeatures; 4]>, FeatureError> {
    clips
        .par_iter()
        .enumerate()
        .map(|(index, clip)| {
            let mut rng = StdRng::seed_from_u64(seed ^ ((index as u64 + 1) << 20));
            let [a, b, c, d] = copies(&extractor.samples(&clip.path)?, &mut rng)?;
            let vector = |samples| extractor.vector(samples);
            Ok([vector(a)?, vector(b)?, vector(c)?, vector(d)?])
        })
        .collect()
}

/// Examples to train on, to choose the epoch by and to test on, with the clips that the last are of.
#[derive(Debug)]
pub struct Sides {
    /// To train on.
    pub train: Vec<Example>,
    /// To choose the epoch by.
    pub validation: Vec<Example>,
    /// To test on.
    pub test: Vec<Example>,
    /// The clips of `test`.
    pub tested: Vec<Clip>,
    /// The clips that copies in `train` are of.
    pub heard: Vec<Clip>,
}

/// Splits TESS one way.
///
/// # Errors
/// [`MeasureError`] if clips cannot be read, or the table of actresses is broken.
pub fn sides(clips: &[Clip], way: Way, recipe: &Recipe) -> Result<Sides, MeasureError> {
    let extractor = WindowExtractor {
        frontend: recipe.frontend.clone(),
        features: recipe.features.clone(),
        window: match recipe.window {
            Some(Window::Excerpt(excerpt)) => excerpt,
            Some(Window::Live(_)) | None => Excerpt::CLASSIC,
        },
        cache: None,
    };
    let mut rng = StdRng::seed_from_u64(recipe.seed);
    let copied = |clips: &[Clip]| -> Result<Vec<(Clip, Example)>, MeasureError> {
        let copies = altered(clips, &extractor, recipe.seed)?;
        let fourfold: Vec<Clip> = clips
            .iter()
            .flat_map(|clip| std::iter::repeat_n(clip.clone(), 4))
            .collect();
        let copies = copies.into_iter().flatten().collect();
        let examples = label(&fourfold, copies, recipe.classes).map_err(PrepareError::from)?;
        Ok(fourfold.into_iter().zip(examples).collect())
    };
    let tess: Vec<Clip> = clips
        .iter()
        .filter(|clip| clip.corpus == Corpus::Tess)
        .cloned()
        .collect();
    match way {
        Way::Leaky => {
            let mut all = copied(&tess)?;
            all.shuffle(&mut rng);
            let test = all.split_off(all.len() - (TEST_SHARE * all.len() as f64) as usize);
            let (tested, test): (Vec<Clip>, Vec<Example>) = test.into_iter().unzip();
            let (heard, train) = all.into_iter().unzip();
            Ok(Sides {
                train,
                validation: test.clone(),
                test,
                tested,
                heard,
            })
        }
        Way::Unheard(fold) => {
            let table = Protocol::TessSpeaker.table()?;
            let (tested, mut heard): (Vec<Clip>, Vec<Clip>) = tess
                .into_iter()
                .partition(|clip| table.fold_of(&clip.speaker) == Some(fold));
            heard.shuffle(&mut rng);
            let kept = heard
                .split_off(heard.len() - (VALIDATION_SHARE * heard.len() as f64).ceil() as usize);
            let test = label(&tested, extractor.run(&tested)?, recipe.classes)
                .map_err(PrepareError::from)?;
            let examples = |clips: &[Clip]| -> Result<Vec<Example>, MeasureError> {
                Ok(copied(clips)?
                    .into_iter()
                    .map(|(_, example)| example)
                    .collect())
            };
            Ok(Sides {
                train: examples(&heard)?,
                validation: examples(&kept)?,
                test,
                tested,
                heard,
            })
        }
    }
}
