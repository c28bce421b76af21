//! Whether a file answers like what it was made from, on real clips.

use burn::tensor::Device;
use rayon::prelude::*;
use undertone_model::{Drift, Model, ModelError};

use super::{ExportError, TOLERANCE};
use crate::evaluation::model::{listen, logits};
use crate::features::ClipFeatures;
use crate::network::Network;
use crate::training::batch::Example;
use crate::training::checkpoint::Plan;
use crate::training::validate;

/// Refuses a model whose logits differ from the trainer's by more than [`TOLERANCE`] on any of `clips`.
pub(super) fn against_trainer(
    model: &Model,
    network: &impl Network,
    plan: &Plan,
    clips: &[Example],
) -> Result<(), ExportError> {
    // Every class is compared, also those that a clip's corpus does not know.
    let open: Vec<Example> = clips
        .iter()
        .map(|example| Example {
            known: vec![true; plan.labels.len()],
            ..example.clone()
        })
        .collect();
    let expected = validate::logits(network, &open, &plan.normalisation, &Device::flex());
    for (clip, (example, expected)) in clips.iter().zip(expected).enumerate() {
        for (found, expected) in logits(model, &example.features)?.into_iter().zip(expected) {
            let difference = (found - expected).abs();
            if difference.is_nan() || difference > TOLERANCE {
                return Err(ExportError::Differs {
                    clip,
                    found,
                    expected,
                });
            }
        }
    }
    Ok(())
}

/// How far `written` moves from `exact` on `clips`; both have the same temperature.
pub(super) fn drift(
    exact: &Model,
    written: &Model,
    clips: &[Example],
) -> Result<Drift, ModelError> {
    let answers = clips
        .par_iter()
        .map(|example| {
            Ok((
                answer(exact, &example.features)?,
                answer(written, &example.features)?,
            ))
        })
        .collect::<Result<Vec<_>, ModelError>>()?;
    let mut drift = Drift::default();
    for (before, after) in &answers {
        drift.add(before, after);
    }
    Ok(drift)
}

fn answer(model: &Model, clip: &ClipFeatures) -> Result<Vec<f32>, ModelError> {
    let mut stream = listen(model, clip)?;
    let mut probabilities = vec![0.0; model.metadata().labels.len()];
    stream.probabilities(&mut probabilities)?;
    Ok(probabilities)
}
