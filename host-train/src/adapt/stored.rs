//! The layers of a head as a model file holds them.

use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::onnx::{GraphProto, ModelProto, TensorProto};

use super::AdaptError;
use super::head::{Dense, Hidden};
use crate::network::streaming::STATISTICS;

pub(super) fn graph(model: &ModelProto) -> Result<&GraphProto, AdaptError> {
    let graph = model.graph.as_ref();
    graph.ok_or_else(|| AdaptError::Head("there is no graph".into()))
}

/// A layer as the file holds it, its weights as what they stand for.
struct Stored {
    dims: Vec<usize>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Stored {
    fn of(graph: &GraphProto, layer: &str) -> Result<Self, AdaptError> {
        let find = |part: &str| {
            let name = format!("{layer}_{part}");
            graph.initializer.iter().find(|tensor| tensor.name == name)
        };
        let floats = |tensor: &TensorProto| -> Vec<f32> {
            let words = tensor.raw_data.as_chunks::<4>().0.iter();
            words.map(|bytes| f32::from_le_bytes(*bytes)).collect()
        };
        let missing = || AdaptError::Head(format!("it has no layer `{layer}`"));
        let (tensor, scale) = match (find("weight"), find("weight_int8"), find("weight_scale")) {
            (Some(weight), ..) => (weight, None),
            (None, Some(integers), Some(scale)) => (integers, Some(floats(scale))),
            _ => return Err(missing()),
        };
        let dims: Vec<usize> = tensor
            .dims
            .iter()
            .map(|&dim| usize::try_from(dim).unwrap_or(0))
            .collect();
        let weight: Vec<f32> = match scale {
            Some(scale) => {
                // A matrix has its outputs last, a convolution first.
                let inner = match dims.as_slice() {
                    [_, _] | [] => 1,
                    [_, inner @ ..] => inner.iter().product(),
                };
                let at = |index: usize| scale.get(index / inner.max(1) % scale.len().max(1));
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
        let count = dims
            .iter()
            .try_fold(1usize, |product, &dim| product.checked_mul(dim));
        if bias.is_empty() || weight.is_empty() || count != Some(weight.len()) {
            return Err(missing());
        }
        Ok(Self { dims, weight, bias })
    }
}

/// A matrix of inputs by outputs.
pub(super) fn dense(graph: &GraphProto, layer: &str) -> Result<Dense, AdaptError> {
    let Stored { dims, weight, bias } = Stored::of(graph, layer)?;
    match *dims.as_slice() {
        [_, outputs] if outputs == bias.len() => Ok(Dense { weight, bias }),
        _ => Err(AdaptError::Head(format!(
            "its layer `{layer}` has the shape {dims:?}, not inputs by {} outputs",
            bias.len()
        ))),
    }
}

/// The hidden layers of a network of `width` channels: a matrix for one member, a grouped convolution for several.
pub(super) fn hidden(graph: &GraphProto, width: usize) -> Result<Hidden, AdaptError> {
    let Stored { dims, weight, bias } = Stored::of(graph, "hidden")?;
    let units = bias.len();
    match *dims.as_slice() {
        [inputs, outputs] if (inputs, outputs) == (STATISTICS * width, units) => {
            let mut turned = vec![0.0; weight.len()];
            for (index, value) in weight.into_iter().enumerate() {
                let (input, unit) = (index / units, index % units);
                let (statistic, channel) = (input / width, input % width);
                turned[(unit * width + channel) * STATISTICS + statistic] = value;
            }
            Ok(Hidden {
                weight: turned,
                bias,
                members: 1,
            })
        }
        [outputs, channels, STATISTICS, 1]
            if outputs == units
                && channels > 0
                && width > 0
                && width.is_multiple_of(channels)
                && units.is_multiple_of(width / channels) =>
        {
            Ok(Hidden {
                weight,
                bias,
                members: width / channels,
            })
        }
        _ => Err(AdaptError::Head(format!(
            "its layer `hidden` has the shape {dims:?}, which does not go with {width} channels"
        ))),
    }
}

/// Whether a layer is a product with all that comes in.
pub(super) fn multiplies(model: &ModelProto, layer: &str) -> Result<bool, AdaptError> {
    let nodes = &graph(model)?.node;
    let node = nodes.iter().find(|node| node.name == layer);
    Ok(node.is_some_and(|node| matches!(node.op_type.as_str(), "Gemm" | "MatMul")))
}

/// Puts other weights, inputs by outputs, into a layer that [`multiplies`], as `f32`.
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
    for (name, shape, values) in [
        (&names[0], vec![weight.len() / outputs, outputs], weight),
        (&names[3], vec![outputs], bias),
    ] {
        graph.initializer.push(TensorProto {
            name: name.clone(),
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
