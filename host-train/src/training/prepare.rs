//! Clips to the plan and examples of a run.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::batch::Example;
use super::checkpoint::Plan;
use super::normalise::Normalisation;
use super::recipe::Recipe;
use super::split::{FEWEST_SPEAKERS, RunClips, split};
use crate::corpora::{Clip, Corpus, CorpusError, Label, select};
use crate::features::{ClipFeatures, Extractor, FeatureError, WindowExtractor};
use crate::network::NetworkConfig;
use crate::network::classic::ClassicConfig;
use crate::network::streaming::StreamingConfig;

/// Why clips could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The folders hold no corpus, or the clips cannot be split.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// No corpus has speakers to spare.
    #[error(
        "no speaker can be spared for validation: at least one corpus must have {FEWEST_SPEAKERS} or more speakers to train \
         on, as RAVDESS and CREMA-D have when they are complete; `undertone-train data scan` tells what is there"
    )]
    NoValidation,
    /// A clip's features cannot be computed.
    #[error(transparent)]
    Feature(#[from] FeatureError),
}

/// What a run needs besides a device.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub plan: Plan,
    /// Training examples.
    pub train: Vec<Example>,
    /// Validation examples.
    pub validation: Vec<Example>,
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
/// of the streamable one.
///
/// # Errors
/// If clips cannot be split, read, or are too few.
pub fn prepare(
    clips: &[Clip],
    recipe: Recipe,
    cache: Option<PathBuf>,
) -> Result<Prepared, PrepareError> {
    let RunClips {
        train,
        validation,
        test,
    } = split(clips, recipe.fold, recipe.seed)?;
    if validation.is_empty() {
        return Err(PrepareError::NoValidation);
    }
    let train_examples = recipe_examples(&train, &recipe, cache.clone())?;
    let validation_examples = recipe_examples(&validation, &recipe, cache)?;
    let (rows, network) = match &recipe.window {
        None => {
            let rows = recipe.frontend.rows(&recipe.features);
            let config = StreamingConfig::new(rows, Label::ALL.len());
            (rows, NetworkConfig::Streaming(config))
        }
        Some(window) => {
            let rows = window.values(&recipe.frontend, &recipe.features);
            let config = ClassicConfig::new(rows, Label::ALL.len());
            (rows, NetworkConfig::Classic(config))
        }
    };
    let normalisation =
        Normalisation::fit(train_examples.iter().map(|example| &example.features), rows);
    let mut corpora: Vec<Corpus> = train.iter().map(|clip| clip.corpus).collect();
    corpora.sort_unstable();
    corpora.dedup();
    let plan = Plan {
        network,
        labels: Label::ALL
            .iter()
            .map(|label| label.name().to_owned())
            .collect(),
        corpora: corpora
            .iter()
            .map(|corpus| corpus.key().to_owned())
            .collect(),
        clips: [&train, &validation, &test].map(|clips| hash(clips)),
        normalisation,
        recipe,
    };
    Ok(Prepared {
        plan,
        train: train_examples,
        validation: validation_examples,
    })
}

/// Labels of clips, with the features that `recipe` reads.
///
/// # Errors
/// If a clip cannot be read.
pub fn recipe_examples(
    clips: &[Clip],
    recipe: &Recipe,
    cache: Option<PathBuf>,
) -> Result<Vec<Example>, PrepareError> {
    let (frontend, features) = (recipe.frontend.clone(), recipe.features.clone());
    let Some(window) = recipe.window else {
        let extractor = Extractor {
            frontend,
            features,
            cache,
        };
        return examples(clips, &extractor);
    };
    let extractor = WindowExtractor {
        frontend,
        features,
        window,
        cache,
    };
    Ok(label(clips, extractor.run(clips)?))
}

/// Features of whole clips, and their labels.
///
/// # Errors
/// If a clip cannot be read.
pub fn examples(clips: &[Clip], extractor: &Extractor) -> Result<Vec<Example>, PrepareError> {
    Ok(label(clips, extractor.run(clips)?))
}

fn label(clips: &[Clip], features: Vec<ClipFeatures>) -> Vec<Example> {
    clips
        .iter()
        .zip(features)
        .map(|(clip, features)| Example {
            features,
            target: clip.label.index(),
            known: known(clip.corpus),
            group: clip.corpus as usize,
        })
        .collect()
}

/// Which product classes a corpus labels.
#[must_use]
pub fn known(corpus: Corpus) -> Vec<bool> {
    Label::ALL
        .iter()
        .map(|label| {
            corpus
                .emotions()
                .iter()
                .any(|emotion| emotion.label() == *label)
        })
        .collect()
}

/// A hash over the content of clips, in order.
#[must_use]
pub fn hash(clips: &[Clip]) -> String {
    let mut hash = Sha256::new();
    for clip in clips {
        hash.update(clip.content.0);
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
