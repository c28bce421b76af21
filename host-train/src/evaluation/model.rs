//! Evaluation of a model file on clips, by the code that runs on the box.

use rayon::prelude::*;
use undertone_model::{Model, ModelError, Stream};

use super::metrics::Outcome;
use crate::features::ClipFeatures;
use crate::training::batch::Example;

/// A stream of `model` that has heard all of a clip, whose frames are not normalised.
///
/// # Errors
/// [`ModelError`] if the clip's frames do not fit the model, or inference fails.
pub fn listen(model: &Model, clip: &ClipFeatures) -> Result<Stream, ModelError> {
    let mut stream = model.stream()?;
    for frame in clip.values.chunks_exact(clip.rows) {
        stream.push(frame)?;
    }
    Ok(stream)
}

/// Logits of `model` after the last frame of a clip; equal ones for a clip too short for an answer.
///
/// # Errors
/// As [`listen`].
pub fn logits(model: &Model, clip: &ClipFeatures) -> Result<Vec<f32>, ModelError> {
    let mut logits = vec![0.0; model.metadata().labels.len()];
    listen(model, clip)?.logits(&mut logits)?;
    Ok(logits)
}

/// What `model` says of every example after its last frame, over the classes that the example's corpus knows.
///
/// # Errors
/// [`ModelError`] of the first example that fails.
pub fn outcomes(model: &Model, examples: &[Example]) -> Result<Vec<Outcome>, ModelError> {
    examples
        .par_iter()
        .map(|example| outcome(model, example))
        .collect()
}

fn outcome(model: &Model, example: &Example) -> Result<Outcome, ModelError> {
    let mut stream = listen(model, &example.features)?;
    let classes = model.metadata().labels.len();
    let mut probabilities = vec![0.0; classes];
    if !stream.probabilities(&mut probabilities)? {
        // Too short for an answer: no class is more probable than another.
        probabilities.fill(1.0 / classes as f32);
    }
    for (probability, known) in probabilities.iter_mut().zip(&example.known) {
        if !known {
            *probability = 0.0;
        }
    }
    let sum: f32 = probabilities.iter().sum();
    probabilities
        .iter_mut()
        .for_each(|probability| *probability /= sum.max(f32::MIN_POSITIVE));
    Ok(Outcome {
        probabilities,
        target: example.target,
    })
}
