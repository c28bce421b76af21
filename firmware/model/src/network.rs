//! The two halves of the graph, made runnable: an encoder that takes one stride of frames at a time, and the head.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_pulse::model::{PulsedModel, PulsedModelExt};

use crate::bounds;
use crate::error::ModelError;
use crate::graph::{LOGITS, POOLED, SCORE, STEPS};
use crate::metadata::Metadata;
use crate::pooling;

/// A network ready to run; shared by all streams.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Features `[1, rows, stride]` to a step `[1, width, 1]` and its score `[1, 1, 1]`; keeps what convolutions
    /// look back at as state.
    pub(crate) encoder: Arc<TypedRunnableModel>,
    /// Statistics `[1, 4 * width]` to logits `[1, classes]`.
    pub(crate) head: Arc<TypedRunnableModel>,
}

impl Network {
    /// Builds both halves and checks their shapes against the metadata.
    ///
    /// # Errors
    /// [`ModelError::Inference`] if the library refuses the graph; [`ModelError::Graph`] if it cannot be streamed.
    pub(crate) fn build(model: &ModelProto, metadata: &Metadata) -> Result<Self, ModelError> {
        guard(|| {
            let whole = tract_onnx::onnx()
                .model_for_proto_model(model)
                .map_err(ModelError::inference)?;
            bounds::check_shapes(whole.clone(), metadata)?;
            let encoder = encoder(whole.clone(), metadata)?;
            pooling::check(whole.clone(), metadata)?;
            let head = head_of(whole, metadata)?;
            let classes = metadata.labels.len();
            let found = head
                .model()
                .output_fact(0)
                .map_err(ModelError::inference)?
                .shape
                .clone();
            if found.as_concrete() != Some(&[1, classes]) {
                return Err(ModelError::Graph {
                    reason: format!("gives logits {found:?} for {classes} labels"),
                });
            }
            Ok(Self { encoder, head })
        })
    }
}

fn encoder(
    model: InferenceModel,
    metadata: &Metadata,
) -> Result<Arc<TypedRunnableModel>, ModelError> {
    let frames = model.symbols.sym("FRAMES");
    let shape = [1.to_dim(), metadata.rows().to_dim(), frames.to_dim()];
    let pulsed = model
        .with_input_fact(0, f32::fact(shape).into())
        .and_then(|model| model.with_outputs_by_name([STEPS, SCORE]))
        .and_then(InferenceModelExt::into_typed)
        .and_then(|model| model.into_decluttered())
        .and_then(|model| PulsedModel::new(&model, frames, &metadata.stride.to_dim()))
        .map_err(ModelError::inference)?;
    for (index, channels) in [metadata.width, 1].into_iter().enumerate() {
        let fact = pulsed.output_fact(index).map_err(ModelError::inference)?;
        let exact = fact.stream.as_ref().is_some_and(|stream| stream.delay == 0);
        if !exact || fact.shape.as_concrete() != Some(&[1, channels, 1]) {
            return Err(ModelError::Graph {
                reason: format!(
                    "cannot be streamed: one stride of frames gives {fact:?}, not one step of {channels} without delay"
                ),
            });
        }
    }
    let step = pulsed.into_typed().map_err(ModelError::inference)?;
    bounds::check_cost("a step of the encoder", &step, metadata.stride)?;
    step.into_optimized()
        .and_then(|model| model.into_runnable())
        .map_err(ModelError::inference)
}

fn head_of(
    model: InferenceModel,
    metadata: &Metadata,
) -> Result<Arc<TypedRunnableModel>, ModelError> {
    let head = model
        .with_input_names([POOLED])
        .and_then(|model| model.with_outputs_by_name([LOGITS]))
        .and_then(|model| model.with_input_fact(0, f32::fact([1, 4 * metadata.width]).into()))
        .and_then(InferenceModelExt::into_typed)
        .map_err(ModelError::inference)?;
    bounds::check_cost("the head", &head, metadata.update_hop)?;
    head.into_optimized()
        .and_then(|model| model.into_runnable())
        .map_err(ModelError::inference)
}

/// Turns a panic of the inference library into an error: it is run on files from outside.
pub(crate) fn guard<T>(run: impl FnOnce() -> Result<T, ModelError>) -> Result<T, ModelError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let reason = said
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(ModelError::inference(format!(
            "the inference library gave up: {reason}"
        )))
    })
}
