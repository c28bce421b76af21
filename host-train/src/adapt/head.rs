//! The two layers of a model file's head: read, run, and the last one written back.

use undertone_model::onnx::ModelProto;
use undertone_model::{Metadata, NetworkKind};

use super::AdaptError;
use super::stored::{dense, graph, put};
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

/// What follows the pooled statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    hidden: Dense,
    /// The layer that gives logits.
    pub output: Dense,
}

impl Head {
    #[cfg(test)]
    pub(crate) fn of_output(output: Dense) -> Self {
        let hidden = Dense {
            weight: vec![],
            bias: vec![],
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
        let (hidden, output) = (dense(graph, "hidden")?, dense(graph, "logits")?);
        let takes = |layer: &Dense| layer.weight.len() / layer.bias.len();
        let (found, expected) = (
            [takes(&hidden), takes(&output)],
            [STATISTICS * about.width, hidden.bias.len()],
        );
        if found != expected {
            return Err(AdaptError::Head(format!(
                "its layers take {found:?} values where {expected:?} come in"
            )));
        }
        Ok(Self { hidden, output })
    }

    /// Activations of the hidden layer.
    #[must_use]
    pub fn hidden(&self, statistics: &[f32]) -> Vec<f32> {
        let mut hidden = self.hidden.run(statistics);
        hidden.iter_mut().for_each(|value| *value = value.max(0.0));
        hidden
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
