//! Whether the file pools an utterance as this crate does.
//!
//! The graph's own pooling is for other readers of ONNX: here [`Pool`] takes its place, so both must mean the same.

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

use crate::bounds;
use crate::direct;
use crate::error::ModelError;
use crate::graph::{POOLED, SCORE, STEPS};
use crate::metadata::{Metadata, SelfTest};
use crate::pool::Pool;
use crate::stream::values;

/// Encoder steps to compare with.
const COUNT: usize = 16;
/// Largest difference of a statistic, for steps of -1 to 1: sums are `f32` in the graph.
const TOLERANCE: f32 = 1e-3;

/// How many nodes the graph pools with, if they are understood without the inference library and make the same statistics.
pub(crate) fn understood(model: &ModelProto, metadata: &Metadata) -> Option<usize> {
    let sample = Sample::new(metadata.width);
    let (found, nodes) = direct::statistics(model, metadata.width, &sample.steps, &sample.scores)?;
    sample.agrees(&found).then_some(nodes)
}

/// Steps `[width, COUNT]`, their scores, and what this crate makes of them.
struct Sample {
    steps: Vec<f32>,
    scores: Vec<f32>,
    expected: Vec<f32>,
}

impl Sample {
    fn new(width: usize) -> Self {
        let values_of = |count| {
            let numbers = SelfTest::input(count, COUNT).into_iter();
            numbers.map(|value| value / 40.0 + 1.0).collect::<Vec<_>>()
        };
        let (steps, scores) = (values_of(width), values_of(1));
        let mut pool = Pool::new(width, COUNT);
        for (at, &score) in scores.iter().enumerate() {
            let step: Vec<f32> = (0..width)
                .map(|channel| steps[channel * COUNT + at])
                .collect();
            pool.push(&step, score);
        }
        let mut expected = vec![0.0; 4 * width];
        pool.statistics(&mut expected);
        Self {
            steps,
            scores,
            expected,
        }
    }

    fn agrees(&self, found: &[f32]) -> bool {
        // Not `>`: a difference that is NaN is one too.
        let same = |(found, expected): (&f32, &f32)| (found - expected).abs() <= TOLERANCE;
        found.len() == self.expected.len() && found.iter().zip(&self.expected).all(same)
    }
}

/// Refuses a graph that makes other statistics of the same steps.
pub(crate) fn check(model: InferenceModel, metadata: &Metadata) -> Result<(), ModelError> {
    let width = metadata.width;
    // What is cut off is analysed too, and must agree.
    let features = [1, metadata.rows(), COUNT * metadata.stride];
    let pooling = model
        .with_input_fact(0, f32::fact(features).into())
        .and_then(|model| model.with_input_names([STEPS, SCORE]))
        .and_then(|model| model.with_outputs_by_name([POOLED]))
        .and_then(|model| model.with_input_fact(0, f32::fact([1, width, COUNT]).into()))
        .and_then(|model| model.with_input_fact(1, f32::fact([1, 1, COUNT]).into()))
        .and_then(InferenceModelExt::into_typed)
        .map_err(ModelError::inference)?;
    bounds::check_cost("pooling", &pooling, COUNT * metadata.stride)?;
    let runnable = pooling.into_runnable().map_err(ModelError::inference)?;

    let sample = Sample::new(width);
    let tensor = |channels, values: &[f32]| Tensor::from_shape(&[1, channels, COUNT], values);
    let inputs = tensor(width, &sample.steps)
        .and_then(|steps| Ok(tvec!(steps.into(), tensor(1, &sample.scores)?.into())))
        .map_err(ModelError::inference)?;
    let outputs = runnable.run(inputs).map_err(ModelError::inference)?;
    let found = values(&outputs[0])?;
    if !sample.agrees(found) {
        return Err(ModelError::Graph {
            reason: format!(
                "makes other statistics of {COUNT} steps than mean, deviation, maximum and weighted mean"
            ),
        });
    }
    Ok(())
}
