//! The layers of a head as a model file holds them.

use undertone_model::onnx::{GraphProto, ModelProto};
use undertone_model::{float_tensor, floats};

use super::AdaptError;
use super::head::Dense;

pub(super) fn graph(model: &ModelProto) -> Result<&GraphProto, AdaptError> {
    let graph = model.graph.as_ref();
    graph.ok_or_else(|| AdaptError::Head("there is no graph".into()))
}

/// A layer as the file holds it, its weights as what they stand for: a matrix of inputs by outputs.
pub(super) fn dense(graph: &GraphProto, layer: &str) -> Result<Dense, AdaptError> {
    let find = |part: &str| {
        let name = format!("{layer}_{part}");
        graph.initializer.iter().find(|tensor| tensor.name == name)
    };
    let (tensor, scale) = match (find("weight"), find("weight_int8"), find("weight_scale")) {
        (Some(weight), ..) => (weight, None),
        (None, Some(integers), Some(scale)) => (integers, Some(floats(scale))),
        _ => return Err(AdaptError::Head(format!("it has no layer `{layer}`"))),
    };
    let weight: Vec<f32> = match scale {
        Some(scale) => {
            let at = |index: usize| scale.get(index % scale.len().max(1));
            let bytes = tensor.raw_data.iter().enumerate();
            bytes
                .map(|(index, &byte)| {
                    f32::from(i8::from_le_bytes([byte])) * at(index).copied().unwrap_or(0.0)
                })
                .collect()
        }
        None => floats(tensor),
    };
    let bias = find("bias").map(floats).unwrap_or_default();
    let whole = |inputs: i64| {
        let inputs = usize::try_from(inputs).unwrap_or(0);
        inputs > 0 && inputs.checked_mul(bias.len()) == Some(weight.len())
    };
    match *tensor.dims.as_slice() {
        [inputs, outputs] if outputs == bias.len() as i64 && outputs > 0 && whole(inputs) => {
            Ok(Dense { weight, bias })
        }
        ref dims => Err(AdaptError::Head(format!(
            "its layer `{layer}` has the shape {dims:?}, not inputs by {} outputs",
            bias.len()
        ))),
    }
}

/// Puts other weights, inputs by outputs, into a layer, as `f32`.
pub(super) fn put(
    model: &mut ModelProto,
    layer: &str,
    weight: &[f32],
    bias: &[f32],
) -> Result<(), AdaptError> {
    let graph = model.graph.as_mut();
    let graph = graph.ok_or_else(|| AdaptError::Head("there is no graph".into()))?;
    let parts = ["weight", "weight_int8", "weight_scale", "bias"];
    let names = parts.map(|part| format!("{layer}_{part}"));
    graph.node.retain(|node| node.name != names[0]);
    graph
        .initializer
        .retain(|tensor| !names.contains(&tensor.name));
    let outputs = bias.len();
    let shape = [weight.len() / outputs, outputs];
    graph
        .initializer
        .push(float_tensor(&names[0], &shape, weight));
    graph
        .initializer
        .push(float_tensor(&names[3], &[outputs], bias));
    Ok(())
}
