//! What the layers of a graph hear of some clips.

use std::collections::HashMap;

use rayon::prelude::*;
use tract_onnx::prelude::*;
use undertone_model::onnx::{GraphProto, ModelProto, NodeProto};

use super::ExportError;
use super::moments::Moments;
use super::rounding::Curvature;
use crate::features::ClipFeatures;

/// Clips that are heard at most.
const CLIPS: usize = 128;
/// Frames that are heard of a clip for a network that takes any number.
const FRAMES: usize = 160;
/// Positions of a layer that are looked at in a clip, at most.
const POSITIONS: usize = 96;
/// Inputs of a layer that are looked at together: those of the largest convolution that ships, and few enough for their square.
const TOGETHER: usize = 1152;

/// How the inputs go together of every layer whose weights `names` names, by that name. `clips` are as the graph takes them, before its
/// normalisation, all frames of a window or any number.
///
/// # Errors
/// [`ExportError::Weights`] if the inference library refuses the graph.
pub(super) fn curvatures(
    model: &ModelProto,
    names: &[String],
    clips: &[ClipFeatures],
) -> Result<HashMap<String, Vec<Curvature>>, ExportError> {
    let graph = model.graph.as_ref();
    let layers: Vec<Layer> = graph
        .iter()
        .flat_map(|graph| graph.node.iter().filter_map(|node| Layer::of(graph, node)))
        .filter(|layer| names.contains(&layer.weight))
        .collect();
    // All of them as long as one that many have.
    let frames = clips
        .iter()
        .map(ClipFeatures::frames)
        .max()
        .unwrap_or(0)
        .min(FRAMES);
    let long: Vec<&ClipFeatures> = clips
        .iter()
        .filter(|clip| clip.frames() >= frames)
        .collect();
    let heard: Vec<&ClipFeatures> = long
        .iter()
        .copied()
        .step_by(long.len().div_ceil(CLIPS).max(1))
        .collect();
    if layers.is_empty() || frames == 0 {
        return Ok(HashMap::new());
    }
    let failed = |error: TractError| ExportError::Weights(format!("running the graph: {error}"));
    let rows = heard[0].rows;
    let inputs: Vec<&str> = layers.iter().map(|layer| layer.input.as_str()).collect();
    let plan = tract_onnx::onnx()
        .model_for_proto_model(model)
        .and_then(|model| model.with_input_fact(0, f32::fact([1, rows, frames]).into()))
        .and_then(|model| model.with_outputs_by_name(&inputs))
        .and_then(InferenceModelExt::into_optimized)
        .and_then(IntoRunnable::into_runnable)
        .map_err(failed)?;
    let mut moments: Vec<Vec<Moments>> = layers.iter().map(Layer::moments).collect();
    for clip in heard {
        let mut columns = vec![0.0; rows * frames];
        for (t, frame) in clip.values.chunks_exact(rows).take(frames).enumerate() {
            frame
                .iter()
                .enumerate()
                .for_each(|(row, value)| columns[row * frames + t] = *value);
        }
        let input = Tensor::from_shape(&[1, rows, frames], &columns).map_err(failed)?;
        let outputs = plan.run(tvec!(input.into())).map_err(failed)?;
        layers
            .par_iter()
            .zip(&mut moments)
            .zip(&*outputs)
            .try_for_each(|((layer, moments), output)| {
                let view = output.to_plain_array_view::<f32>().map_err(failed)?;
                let values: Vec<f32> = view.iter().copied().collect();
                layer.hear(&values, view.shape(), moments);
                Ok::<(), ExportError>(())
            })?;
    }
    let curvatures = layers
        .into_par_iter()
        .zip(moments)
        .map(|(layer, moments)| (layer.weight, moments.iter().map(Curvature::of).collect()));
    Ok(curvatures.collect())
}

/// A convolution or a product, and where its inputs come from.
struct Layer {
    weight: String,
    input: String,
    /// Input channels, and rows and columns of the kernel; a product has one of each.
    kernel: [usize; 3],
    /// Rows, columns.
    strides: [usize; 2],
    /// Rows, columns.
    dilations: [usize; 2],
    /// Rows above, columns before, rows below, columns after.
    pads: [usize; 4],
}

impl Layer {
    fn of(graph: &GraphProto, node: &NodeProto) -> Option<Self> {
        let (input, weight) = (node.input.first()?.clone(), node.input.get(1)?.clone());
        let stored = graph
            .initializer
            .iter()
            .find(|tensor| tensor.name == weight)?;
        let dims: Vec<usize> = stored
            .dims
            .iter()
            .map(|&dim| usize::try_from(dim).unwrap_or(0))
            .collect();
        let numbers = |name: &str| -> Option<Vec<usize>> {
            let attribute = node.attribute.iter().find(|one| one.name == name)?;
            Some(
                attribute
                    .ints
                    .iter()
                    .map(|&int| usize::try_from(int).unwrap_or(0))
                    .collect(),
            )
        };
        let pair = |name: &str| match numbers(name).as_deref() {
            Some(&[columns]) => [1, columns],
            Some(&[rows, columns]) => [rows, columns],
            _ => [1, 1],
        };
        let kernel = match (node.op_type.as_str(), dims.as_slice()) {
            ("Gemm", &[inputs, _]) => [inputs, 1, 1],
            ("Conv", &[_, channels, columns]) => [channels, 1, columns],
            ("Conv", &[_, channels, rows, columns]) => [channels, rows, columns],
            _ => return None,
        };
        Some(Self {
            weight,
            input,
            kernel,
            strides: pair("strides"),
            dilations: pair("dilations"),
            pads: match numbers("pads").as_deref() {
                Some(&[before, after]) => [0, before, 0, after],
                Some(&[above, before, below, after]) => [above, before, below, after],
                _ => [0; 4],
            },
        })
    }

    fn moments(&self) -> Vec<Moments> {
        let inputs: usize = self.kernel.iter().product();
        let starts = (0..inputs).step_by(TOGETHER);
        starts
            .map(|start| Moments::new(start..(start + TOGETHER).min(inputs)))
            .collect()
    }

    /// Adds what it hears of one clip, `values` of shape `[1, channels]`, `[1, channels, columns]` or `[1, channels, rows, columns]`.
    fn hear(&self, values: &[f32], shape: &[usize], moments: &mut [Moments]) {
        let [rows, columns] = match shape {
            [_, _] => [1, 1],
            [_, _, columns] => [1, *columns],
            [_, _, rows, columns] => [*rows, *columns],
            _ => return,
        };
        let [channels, high, long] = self.kernel;
        let steps = |length: usize, before: usize, after: usize, kernel: usize, axis: usize| {
            let reach = (kernel - 1) * self.dilations[axis] + 1;
            ((length + before + after).saturating_sub(reach)) / self.strides[axis] + 1
        };
        let [above, before, below, after] = self.pads;
        let (down, along) = (
            steps(rows, above, below, high, 0),
            steps(columns, before, after, long, 1),
        );
        let mut patch = vec![0.0; channels * high * long];
        for position in (0..down * along).step_by((down * along).div_ceil(POSITIONS)) {
            let (row, column) = (
                position / along * self.strides[0],
                position % along * self.strides[1],
            );
            let mut places = patch.iter_mut();
            for channel in 0..channels {
                for r in 0..high {
                    for c in 0..long {
                        let at = (row + r * self.dilations[0])
                            .checked_sub(above)
                            .filter(|at| *at < rows);
                        let when = (column + c * self.dilations[1])
                            .checked_sub(before)
                            .filter(|at| *at < columns);
                        let place = at
                            .zip(when)
                            .map(|(at, when)| (channel * rows + at) * columns + when);
                        if let Some(value) = places.next() {
                            *value = place.map_or(0.0, |place| values[place]);
                        }
                    }
                }
            }
            moments.iter_mut().for_each(|moments| moments.add(&patch));
        }
    }
}
