//! Scores of a network on validation clips, without augmentation.

use burn::tensor::Device;
use undertone_model::softmax;

use super::batch::{Example, HostBatch};
use super::normalise::Normalisation;
use crate::evaluation::metrics::{Outcome, unweighted_accuracy};
use crate::features::ClipFeatures;
use crate::network::Network;

/// Clips per step; validation clips differ much in length.
const BATCH: usize = 32;

/// Logits of every example over the classes that its corpus knows (others are far below), in the given order; equal ones for
/// one that is too short for an answer.
#[must_use]
pub fn logits(
    network: &impl Network,
    examples: &[Example],
    normalisation: &Normalisation,
    device: &Device,
) -> Vec<Vec<f32>> {
    let network = network.valid();
    let (window, stride) = (network.window(), network.time_stride());
    let device = device.clone().inner();
    let mut order: Vec<usize> = (0..examples.len()).collect();
    order.sort_by_key(|&index| examples[index].features.frames());
    let mut logits = vec![Vec::new(); examples.len()];
    for chunk in order.chunks(BATCH) {
        let chosen: Vec<&Example> = chunk.iter().map(|&index| &examples[index]).collect();
        let clips: Vec<ClipFeatures> = chosen
            .iter()
            .map(|example| {
                let mut clip = match window {
                    Some(window) => window.last(&example.features),
                    None => example.features.clone(),
                };
                normalisation.apply(&mut clip);
                clip
            })
            .collect();
        let batch = HostBatch::stack(&clips, &chosen, stride, 0.0).on(&device);
        let out = network.logits(batch.features, batch.mask) + batch.barred;
        let classes = out.dims()[1];
        let values = out.into_data().iter::<f32>().collect::<Vec<_>>();
        for (&index, row) in chunk.iter().zip(values.chunks_exact(classes)) {
            let features = &examples[index].features;
            let answers = match window {
                Some(window) => window.answers(features),
                None => features.frames() >= stride,
            };
            logits[index] = if answers {
                row.to_vec()
            } else {
                vec![0.0; classes]
            };
        }
    }
    logits
}

/// Probabilities of logits at `temperature`, by the box's own softmax.
#[must_use]
pub fn probabilities(logits: &[f32], temperature: f32) -> Vec<f32> {
    let mut probabilities = logits.to_vec();
    softmax(&mut probabilities, temperature);
    probabilities
}

/// Unweighted accuracy of each group of examples (corpus), and their mean.
#[must_use]
pub fn score(logits: &[Vec<f32>], examples: &[Example]) -> (f64, Vec<(usize, f64)>) {
    let classes = examples.first().map_or(0, |example| example.known.len());
    let mut groups: Vec<usize> = examples.iter().map(|example| example.group).collect();
    groups.sort_unstable();
    groups.dedup();
    let scores: Vec<(usize, f64)> = groups
        .into_iter()
        .map(|group| {
            let outcomes: Vec<Outcome> = examples
                .iter()
                .zip(logits)
                .filter(|(example, _)| example.group == group)
                .map(|(example, logits)| Outcome {
                    probabilities: logits.clone(),
                    target: example.target,
                })
                .collect();
            (group, unweighted_accuracy(outcomes.iter(), classes))
        })
        .collect();
    let mean = scores.iter().map(|(_, score)| score).sum::<f64>() / scores.len().max(1) as f64;
    (mean, scores)
}
