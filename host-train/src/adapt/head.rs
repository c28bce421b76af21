//! The two dense layers of a model file's head: read, run, and the last one written back.

use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::{GraphProto, ModelProto, TensorProto};
use undertone_model::{Metadata, NetworkKind};

use super::AdaptError;

/// A dense layer: `weight` is inputs by outputs, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Weights.
    pub weight: Vec<f32>,
    /// One for each output.
    pub bias: Vec<f32>,
}

impl Dense {
    fn run(&self, input: &[f32]) -> Vec<f32> {
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
    pub(crate) fn new(hidden: Dense, output: Dense) -> Self {
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
            hidden: dense(graph, "hidden")?,
            output: dense(graph, "logits")?,
        })
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
        let graph = model
            .graph
            .as_mut()
            .ok_or_else(|| AdaptError::Head("there is no graph".into()))?;
        graph.node.retain(|node| node.name != "logits_weight");
        let parts = ["weight", "weight_int8", "weight_scale", "bias"];
        let names = parts.map(|part| format!("logits_{part}"));
        graph
            .initializer
            .retain(|tensor| !names.contains(&tensor.name));
        let outputs = self.output.bias.len();
        for (name, shape, values) in [
            (
                "logits_weight",
                vec![self.output.weight.len() / outputs, outputs],
                &self.output.weight,
            ),
            ("logits_bias", vec![outputs], &self.output.bias),
        ] {
            graph.initializer.push(TensorProto {
                name: name.to_owned(),
                data_type: DataType::Float as i32,
                dims: shape.into_iter().map(|size| size as i64).collect(),
                raw_data: values
                    .iter()
                    .flat_map(|value| value.to_le_bytes())
                    .collect(),
                ..TensorProto::default()
            });
        }
        Ok(())
    }
}

fn graph(model: &ModelProto) -> Result<&GraphProto, AdaptError> {
    let graph = model.graph.as_ref();
    graph.ok_or_else(|| AdaptError::Head("there is no graph".into()))
}

fn dense(graph: &GraphProto, layer: &str) -> Result<Dense, AdaptError> {
    let find = |part: &str| {
        let name = format!("{layer}_{part}");
        graph.initializer.iter().find(|tensor| tensor.name == name)
    };
    let floats = |tensor: &TensorProto| -> Vec<f32> {
        let words = tensor.raw_data.as_chunks::<4>().0.iter();
        words.map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let bias = find("bias").map(floats).unwrap_or_default();
    let weight = match (find("weight"), find("weight_int8"), find("weight_scale")) {
        (Some(weight), ..) => floats(weight),
        (None, Some(integers), Some(scale)) => {
            let scale = floats(scale);
            let integers = integers.raw_data.iter().enumerate();
            integers
                .map(|(index, &byte)| {
                    let scale = scale.get(index % scale.len().max(1)).copied();
                    f32::from(i8::from_le_bytes([byte])) * scale.unwrap_or(0.0)
                })
                .collect()
        }
        _ => Vec::new(),
    };
    if bias.is_empty() || weight.is_empty() || weight.len() % bias.len() != 0 {
        return Err(AdaptError::Head(format!("it has no dense layer `{layer}`")));
    }
    Ok(Dense { weight, bias })
}
