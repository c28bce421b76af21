//! What the layers of a graph hear of some clips.

mod layer;

use std::collections::HashMap;

use rayon::prelude::*;
use tract_onnx::prelude::*;
use undertone_model::onnx::ModelProto;

use self::layer::Layer;
use super::ExportError;
use super::rounding::Curvature;
use crate::features::ClipFeatures;

/// Clips that are heard at most.
const CLIPS: usize = 128;
/// Frames that are heard of a clip for a network that takes any number, at most.
pub(super) const FRAMES: usize = 160;

/// How the inputs go together of every layer whose weights `names` names, by that name. `clips` are as the graph takes them, before its
/// normalisation: windows of one length, or clips of any.
///
/// # Errors
/// [`ExportError::Weights`] if the inference library refuses the graph.
pub(super) fn curvatures(
    model: &ModelProto,
    names: &[String],
    clips: impl Iterator<Item = ClipFeatures>,
) -> Result<HashMap<String, Vec<Curvature>>, ExportError> {
    let graph = model.graph.as_ref();
    let layers: Vec<Layer> = graph
        .iter()
        .flat_map(|graph| graph.node.iter().filter_map(|node| Layer::of(graph, node)))
        .filter(|layer| names.contains(&layer.weight))
        .collect();
    if layers.is_empty() {
        return Ok(HashMap::new());
    }
    let clips: Vec<ClipFeatures> = clips.collect();
    // All as long as three quarters of them are; of a window all are the same.
    let mut lengths: Vec<usize> = clips.iter().map(ClipFeatures::frames).collect();
    lengths.sort_unstable();
    let frames = lengths.get(lengths.len() / 4).copied().unwrap_or(0);
    let long: Vec<&ClipFeatures> = clips
        .iter()
        .filter(|clip| clip.frames() >= frames)
        .collect();
    let step = long.len().div_ceil(CLIPS).max(1);
    let heard: Vec<&ClipFeatures> = long.into_iter().step_by(step).collect();
    if frames == 0 {
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
    let mut moments: Vec<_> = layers.iter().map(Layer::moments).collect();
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
                layer.hear(&values, view.shape(), |_, patch| {
                    moments.iter_mut().for_each(|moments| moments.add(patch));
                })
            })?;
    }
    let curvatures = layers
        .into_par_iter()
        .zip(moments)
        .map(|(layer, moments)| (layer.weight, moments.iter().map(Curvature::of).collect()));
    Ok(curvatures.collect())
}
