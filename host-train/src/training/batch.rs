//! Clips to tensors.

use burn::tensor::{Device, Tensor, TensorData};

use super::goal;
use crate::features::ClipFeatures;

/// A clip with what training needs of its label.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Feature frames, not normalised.
    pub features: ClipFeatures,
    /// Class index.
    pub target: usize,
    /// Whether the clip's corpus knows each class; the others are left out of its loss and score.
    pub known: Vec<bool>,
    /// Group that scores are averaged by: the corpus.
    pub group: usize,
    /// Number of the speaker among those of the run.
    pub speaker: usize,
    /// What the guide says of the clip, an encoder step a frame, standardised ([`super::guided`]); empty without a guide.
    pub guide: ClipFeatures,
}

impl Example {
    /// What the network is asked for, with label smoothing.
    #[must_use]
    pub fn goal(&self, smoothing: f32) -> Vec<f32> {
        goal::goal(self.target, &self.known, smoothing)
    }
}

/// Clips of one step, padded with zeros on the right to a common number of frames, in the computer's own memory.
#[derive(Clone, Debug)]
pub struct HostBatch {
    clips: usize,
    rows: usize,
    frames: usize,
    steps: usize,
    classes: usize,
    values: Vec<f32>,
    mask: Vec<f32>,
    goals: Vec<f32>,
    barred: Vec<f32>,
    guide: Option<HostGuide>,
}

/// What the guide says of the clips of one step.
#[derive(Clone, Debug)]
struct HostGuide {
    dimensions: usize,
    values: Vec<f32>,
    mask: Vec<f32>,
}

/// Clips of one step on a device.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Normalised features, `[batch, rows, frames]`.
    pub features: Tensor<3>,
    /// 1 for encoder steps that belong to the clip, `[batch, 1, steps]`.
    pub mask: Tensor<3>,
    /// What is asked for, `[batch, classes]`.
    pub goals: Tensor<2>,
    /// 0 for classes that the clip's corpus knows and a large negative number for others, `[batch, classes]`.
    pub barred: Tensor<2>,
    /// What the guide says, `[batch, steps, dimensions]`, and 1 where it says anything, `[batch, steps, 1]`.
    pub guide: Option<(Tensor<3>, Tensor<3>)>,
}

/// What is added to the logit of a class that a clip's corpus does not know.
const BARRED: f32 = -1e4;

impl HostBatch {
    /// Stacks normalised clips for a network with `stride` frames to an encoder step.
    #[must_use]
    pub fn stack(
        clips: &[ClipFeatures],
        examples: &[&Example],
        stride: usize,
        smoothing: f32,
    ) -> Self {
        let rows = clips.first().map_or(0, |clip| clip.rows);
        let longest = clips.iter().map(ClipFeatures::frames).max().unwrap_or(0);
        let steps = longest.div_ceil(stride).max(1);
        let frames = steps * stride;
        let mut values = vec![0.0f32; clips.len() * rows * frames];
        let mut mask = vec![0.0f32; clips.len() * steps];
        for (index, clip) in clips.iter().enumerate() {
            let plane = &mut values[index * rows * frames..(index + 1) * rows * frames];
            for (t, frame) in clip.values.chunks_exact(rows).enumerate() {
                for (row, value) in frame.iter().enumerate() {
                    plane[row * frames + t] = *value;
                }
            }
            // The box gives a step for whole strides only; a clip shorter than one keeps a step.
            let own = (clip.frames() / stride).max(1);
            mask[index * steps..index * steps + own].fill(1.0);
        }
        let known = examples.iter().flat_map(|example| &example.known);
        Self {
            clips: clips.len(),
            rows,
            frames,
            steps,
            classes: examples.first().map_or(0, |example| example.known.len()),
            values,
            mask,
            goals: examples.iter().flat_map(|e| e.goal(smoothing)).collect(),
            barred: known
                .map(|&known| if known { 0.0 } else { BARRED })
                .collect(),
            guide: None,
        }
    }

    /// What the guide says of each clip, step after step.
    pub(super) fn add_guide(&mut self, said: &[ClipFeatures]) {
        let dimensions = said.first().map_or(0, |said| said.rows);
        let mut guide = HostGuide {
            dimensions,
            values: vec![0.0; self.clips * self.steps * dimensions],
            mask: vec![0.0; self.clips * self.steps],
        };
        for (place, said) in said.iter().enumerate() {
            let steps = said.frames().min(self.steps);
            let values = &mut guide.values[place * self.steps * dimensions..];
            values[..steps * dimensions].copy_from_slice(&said.values[..steps * dimensions]);
            guide.mask[place * self.steps..][..steps].fill(1.0);
        }
        self.guide = Some(guide);
    }

    /// The batch on `device`.
    #[must_use]
    pub fn on(self, device: &Device) -> Batch {
        let (clips, steps, classes) = (self.clips, self.steps, self.classes);
        let shape = [clips, self.rows, self.frames];
        Batch {
            features: Tensor::from_data(TensorData::new(self.values, shape), device),
            mask: Tensor::from_data(TensorData::new(self.mask, [clips, 1, steps]), device),
            goals: Tensor::from_data(TensorData::new(self.goals, [clips, classes]), device),
            barred: Tensor::from_data(TensorData::new(self.barred, [clips, classes]), device),
            guide: self.guide.map(|guide| {
                let shape = [clips, steps, guide.dimensions];
                let values = Tensor::from_data(TensorData::new(guide.values, shape), device);
                let mask = TensorData::new(guide.mask, [clips, steps, 1]);
                (values, Tensor::from_data(mask, device))
            }),
        }
    }
}
