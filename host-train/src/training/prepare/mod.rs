//! Clips to the plan and examples of a run.

mod error;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::bank::WaveBank;
use super::batch::Example;
use super::checkpoint::Plan;
use super::classes::Classes;
use super::guided;
use super::label::{Untold, label};
use super::normalise::Normalisation;
use super::recipe::Recipe;
use super::split::{RunClips, split_with};
use crate::corpora::{Clip, Corpus, SpeakerId, select};
use crate::digest;
use crate::features::{ClipFeatures, Extractor, Window, WindowExtractor};
use crate::guide::{Guide, GuideError};
use crate::network::NetworkConfig;
use crate::network::classic::ClassicConfig;
use crate::network::streaming::StreamingConfig;

pub use error::PrepareError;

/// What a run needs besides a device.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// Training examples.
    pub train: Vec<Example>,
    /// Validation examples.
    pub validation: Vec<Example>,
    /// The clips of all sides; those of the training side in the order of its examples.
    pub clips: RunClips,
    /// Sound of the training examples, if the recipe changes samples.
    pub bank: Option<WaveBank>,
}

/// Clips below `folders` whose label can be trusted, in a fixed order. `left_out` hears of every file that is not used.
///
/// # Errors
/// If a folder holds no corpus.
pub fn clips(
    folders: &[PathBuf],
    mut left_out: impl FnMut(String),
) -> Result<Vec<Clip>, PrepareError> {
    let clips = select::load(folders, |refused| {
        left_out(format!("{}: {}", refused.path.display(), refused.reason))
    })?;
    let (clips, contradicted) = select::set_contradictions_apart(clips);
    for clip in contradicted {
        left_out(format!(
            "{}: the same recording stands under another label too",
            clip.path.display()
        ));
    }
    Ok(clips)
}

/// Splits clips, extracts features and fixes the plan: of the classic network if the recipe reads one window of a clip, else
/// of the streamable one. Product labels that none of the training clips has are left out. `guide` is the one that
/// the recipe names, if it names one.
///
/// # Errors
/// If the recipe is out of range, clips cannot be split, read, or are too few, or the guide is another one.
pub fn prepare(
    clips: &[Clip],
    mut recipe: Recipe,
    cache: Option<PathBuf>,
    guide: Option<&Guide>,
) -> Result<Prepared, PrepareError> {
    recipe.check()?;
    let split = split_with(clips, recipe.kept_out, recipe.seed, recipe.validation)?;
    recipe.classes = recipe.classes.taught_by(&split.train);
    if split.validation.is_empty() {
        return Err(PrepareError::NoValidation);
    }
    let said = guide_says(guide, clips, &recipe, cache.as_deref())?;
    let features = recipe_features(clips, &recipe, cache)?;
    prepare_split(split, clips, (features, said), recipe)
}

/// As [`prepare`], of clips that are split and whose features are there already, and what the guide says of them if there is one.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_split(
    split: RunClips,
    clips: &[Clip],
    (features, said): (Vec<ClipFeatures>, Vec<ClipFeatures>),
    recipe: Recipe,
) -> Result<Prepared, PrepareError> {
    let said = said
        .into_iter()
        .chain(std::iter::repeat_with(ClipFeatures::default));
    let mut by_path: HashMap<&Path, (ClipFeatures, ClipFeatures)> = clips
        .iter()
        .map(|clip| clip.path.as_path())
        .zip(features.into_iter().zip(said))
        .collect();
    // Nobody asks what a clip that is kept out is labelled.
    let mut take = |side: &[Clip]| -> Result<Vec<Example>, Untold> {
        let found = side
            .iter()
            .filter_map(|clip| by_path.remove(clip.path.as_path()));
        let (features, said): (_, Vec<ClipFeatures>) = found.unzip();
        let mut examples = label(side, features, recipe.classes)?;
        for (example, said) in examples.iter_mut().zip(said) {
            example.guide = said;
        }
        Ok(examples)
    };
    let (mut train, mut validation) = (take(&split.train)?, take(&split.validation)?);
    number_speakers(&split.train, &mut train);
    for example in &mut validation {
        example.guide = ClipFeatures::default();
    }
    if let Some(named) = &recipe.guide.encoder {
        if train.iter().any(|example| example.guide.rows == 0) {
            return Err(GuideError::Missing(named.clone()).into());
        }
        guided::standardise(&mut train, recipe.shape.time_stride());
    }
    let classes = recipe.classes.names();
    let (rows, network) = network(&recipe);
    let mut corpora: Vec<Corpus> = split.train.iter().map(|clip| clip.corpus).collect();
    corpora.sort_unstable();
    corpora.dedup();
    let plan = Plan {
        network,
        labels: classes,
        corpora: corpora
            .iter()
            .map(|corpus| corpus.key().to_owned())
            .collect(),
        clips: [&split.train, &split.validation, &split.test].map(|clips| hash(clips)),
        normalisation: Normalisation {
            scaling: recipe.scaling,
            ..Normalisation::fit(
                train.iter().map(|example| &example.features),
                rows,
                recipe.floor,
            )
        },
        recipe,
    };
    Ok(Prepared {
        bank: WaveBank::load(&split.train, &plan.recipe)?,
        plan,
        train,
        validation,
        clips: split,
    })
}

/// What the guide that `recipe` names says of each of `clips`; nothing if it names none.
///
/// # Errors
/// If the guide is missing or another one, or a clip cannot be read.
pub fn guide_says(
    guide: Option<&Guide>,
    clips: &[Clip],
    recipe: &Recipe,
    cache: Option<&Path>,
) -> Result<Vec<ClipFeatures>, PrepareError> {
    let Some(named) = &recipe.guide.encoder else {
        return Ok(Vec::new());
    };
    let guide = guide.ok_or_else(|| GuideError::Missing(named.clone()))?;
    if guide.hash() != named {
        let (found, named) = (guide.hash().to_owned(), named.clone());
        return Err(GuideError::Other { found, named }.into());
    }
    let stride = recipe.shape.time_stride();
    let mut said = Vec::with_capacity(clips.len());
    for corpus in clips.chunk_by(|a, b| a.corpus == b.corpus) {
        said.extend(guide.run(corpus, &recipe.frontend, stride, cache)?);
    }
    Ok(said)
}

/// Rows of what `recipe` reads, and the network for it.
fn network(recipe: &Recipe) -> (usize, NetworkConfig) {
    let classes = recipe.classes.names().len();
    let rows = recipe.frontend.rows(&recipe.features);
    match &recipe.window {
        None => {
            let config = StreamingConfig {
                rows,
                shape: recipe.shape.clone(),
                classes,
            };
            (rows, NetworkConfig::Streaming(config))
        }
        Some(Window::Live(window)) => {
            let config = ClassicConfig::live(&recipe.classic, rows, *window, classes);
            (rows, NetworkConfig::Classic(config))
        }
        Some(Window::Excerpt(excerpt)) => {
            let values = excerpt.values(&recipe.frontend, &recipe.features);
            let config = ClassicConfig::of(&recipe.classic, values, classes);
            (values, NetworkConfig::Classic(config))
        }
    }
}

fn number_speakers(clips: &[Clip], examples: &mut [Example]) {
    let mut numbers: BTreeMap<&SpeakerId, usize> =
        clips.iter().map(|clip| (&clip.speaker, 0)).collect();
    numbers
        .values_mut()
        .enumerate()
        .for_each(|(number, place)| *place = number);
    for (clip, example) in clips.iter().zip(examples) {
        example.speaker = numbers[&clip.speaker];
    }
}

/// Features of clips, those that `recipe` reads. Each corpus has a cache file of its own, so that runs that keep other speakers
/// out share it.
///
/// # Errors
/// If a clip cannot be read.
pub fn recipe_features(
    clips: &[Clip],
    recipe: &Recipe,
    cache: Option<PathBuf>,
) -> Result<Vec<ClipFeatures>, PrepareError> {
    let (frontend, features) = (recipe.frontend.clone(), recipe.features.clone());
    let extractor = Extractor {
        frontend: frontend.clone(),
        features: features.clone(),
        cache: cache.clone(),
    };
    let mut all = Vec::with_capacity(clips.len());
    for corpus in clips.chunk_by(|a, b| a.corpus == b.corpus) {
        all.extend(match recipe.window {
            None | Some(Window::Live(_)) => extractor.run(corpus)?,
            Some(Window::Excerpt(excerpt)) => WindowExtractor {
                frontend: frontend.clone(),
                features: features.clone(),
                window: excerpt,
                cache: cache.clone(),
            }
            .run(corpus)?,
        });
    }
    Ok(all)
}

/// Examples of whole clips.
///
/// # Errors
/// If a clip cannot be read, or its emotion is none of `classes`.
pub fn examples(
    clips: &[Clip],
    extractor: &Extractor,
    classes: Classes,
) -> Result<Vec<Example>, PrepareError> {
    Ok(label(clips, extractor.run(clips)?, classes)?)
}

/// A hash over the content of clips, in order.
#[must_use]
pub fn hash(clips: &[Clip]) -> String {
    let mut hash = Sha256::new();
    for clip in clips {
        hash.update(clip.content.0);
    }
    digest::short(hash, 16)
}
