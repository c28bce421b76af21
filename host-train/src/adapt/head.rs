//! The two layers of a model file's head: read, run, and the last one written back.

use undertone_model::onnx::ModelProto;
use undertone_model::{Metadata, NetworkKind};

use super::AdaptError;
use super::stored::{dense, graph, hidden, put};
use crate::network::streaming::STATISTICS;

/// A dense layer: `weight` is inputs by outputs, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Weights.
    pub weight: Vec<f32>,
    /// One for each output.
    pub bias: Vec<f32>,
}

impl Dense {
    pub(super) fn run(&self, input: &[f32]) -> Vec<f32> {
        let mut out = self.bias.clone();
        for (value, row) in input.iter().zip(self.weight.chunks_exact(self.bias.len())) {
            out.iter_mut()
                .zip(row)
                .for_each(|(out, weight)| *out += value * weight);
        }
        out
    }
}

/// The hidden layers of the members of a network, side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Hidden {
    /// Weights `[units, channels of a member, statistics]`.
    pub(super) weight: Vec<f32>,
    /// One for each unit.
    pub(super) bias: Vec<f32>,
    /// Members, each with as many of the units.
    pub(super) members: usize,
}

impl Hidden {
    /// Activations of the units; `statistics` holds one of all channels after the other.
    fn run(&self, statistics: &[f32]) -> Vec<f32> {
        let units = self.bias.len();
        let each = self.weight.len() / units;
        let (channels, width) = (each / STATISTICS, statistics.len() / STATISTICS);
        let answer = |(unit, (weights, bias)): (usize, (&[f32], &f32))| {
            let first = unit * self.members / units * channels;
            let mut sum = *bias;
            for (channel, weights) in weights.chunks_exact(STATISTICS).enumerate() {
                let values = statistics.iter().skip(first + channel).step_by(width);
                sum += values.zip(weights).map(|(a, b)| a * b).sum::<f32>();
            }
            sum.max(0.0)
        };
        let weights = self.weight.chunks_exact(each).zip(&self.bias);
        weights.enumerate().map(answer).collect()
    }
}

/// What follows the pooled statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    hidden: Hidden,
    /// The layer that gives logits.
    pub output: Dense,
}

impl Head {
    #[cfg(test)]
    pub(crate) fn of_output(output: Dense) -> Self {
        let hidden = Hidden {
            weight: vec![],
            bias: vec![],
            members: 1,
        };
        Self { hidden, output }
    }

    /// The head of a graph that `undertone-model` has accepted, and what the file says about it.
    ///
    /// # Errors
    /// [`AdaptError::Head`] if its layers are not the ones that the exporter writes for a streaming network.
    pub fn of(about: &Metadata, model: &ModelProto) -> Result<Self, AdaptError> {
        if about.network == NetworkKind::Windowed {
            return Err(AdaptError::Head(
                "it is run on windows and pools nothing; adapt a streaming model".into(),
            ));
        }
        let graph = graph(model)?;
        Ok(Self {
            hidden: hidden(graph, about.width)?,
            output: dense(graph, "logits")?,
        })
    }

    /// Whether there is one hidden layer, and not one for each member of a committee.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.hidden.members == 1
    }

    /// Activations of the hidden layer.
    #[must_use]
    pub fn hidden(&self, statistics: &[f32]) -> Vec<f32> {
        self.hidden.run(statistics)
    }

    /// Logits of hidden activations.
    #[must_use]
    pub fn logits(&self, hidden: &[f32]) -> Vec<f32> {
        self.output.run(hidden)
    }

    /// Puts the output layer into a graph, as `f32`.
    ///
    /// # Errors
    /// [`AdaptError::Head`] if there is no graph.
    pub fn write(&self, model: &mut ModelProto) -> Result<(), AdaptError> {
        put(model, "logits", &self.output.weight, &self.output.bias)
    }
}
