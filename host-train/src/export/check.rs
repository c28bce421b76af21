//! Whether a file answers like what it was made from, on real clips.

use burn::tensor::Device;
use rayon::prelude::*;
use undertone_model::{Model, ModelError};

use super::{Drift, ExportError, TOLERANCE};
use crate::evaluation::model::listen;
use crate::features::ClipFeatures;
use crate::network::streaming::StreamingNet;
use crate::training::batch::{Batch, Example};
use crate::training::checkpoint::Plan;

/// Logits of `model` after the last frame of a clip.
pub(super) fn logits(model: &Model, clip: &ClipFeatures) -> Result<Vec<f32>, ModelError> {
    let mut stream = listen(model, clip)?;
    let mut logits = vec![f32::NAN; model.metadata().labels.len()];
    stream.logits(&mut logits)?;
    Ok(logits)
}

/// Refuses a model whose logits differ from the trainer's by more than [`TOLERANCE`] on any of `clips`.
pub(super) fn against_trainer(
    model: &Model,
    network: &StreamingNet,
    plan: &Plan,
    clips: &[Example],
) -> Result<(), ExportError> {
    for (clip, example) in clips.iter().enumerate() {
        let expected = trainer_logits(network, plan, &example.features);
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
    let moved = clips
        .par_iter()
        .map(|example| {
            let before = answer(exact, &example.features)?;
            let after = answer(written, &example.features)?;
            let moved = before
                .iter()
                .zip(&after)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f32::max);
            Ok((best(&before) != best(&after), moved))
        })
        .collect::<Result<Vec<_>, ModelError>>()?;
    let changed = moved.iter().filter(|(changed, _)| *changed).count();
    Ok(Drift {
        labels: changed as f64 / clips.len().max(1) as f64,
        probability: moved.iter().map(|&(_, moved)| moved).fold(0.0, f32::max),
    })
}

fn answer(model: &Model, clip: &ClipFeatures) -> Result<Vec<f32>, ModelError> {
    let mut stream = listen(model, clip)?;
    let mut probabilities = vec![0.0; model.metadata().labels.len()];
    stream.probabilities(&mut probabilities)?;
    Ok(probabilities)
}

fn best(probabilities: &[f32]) -> Option<usize> {
    (0..probabilities.len()).max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]))
}

/// The trainer's logits for one clip of frames that are not normalised.
fn trainer_logits(network: &StreamingNet, plan: &Plan, clip: &ClipFeatures) -> Vec<f32> {
    let device = Device::flex();
    let mut clip = clip.clone();
    plan.normalisation.apply(&mut clip);
    let known = vec![true; plan.labels.len()];
    let example = Example {
        features: clip.clone(),
        target: 0,
        known,
        group: 0,
    };
    let batch = Batch::stack(&[clip], &[&example], &device);
    let network = network.clone();
    network
        .forward(batch.features, batch.mask)
        .into_data()
        .iter::<f32>()
        .collect()
}
