//! The two halves of a streaming graph, made runnable: an encoder that takes strides of frames as they come, and the head.
//!
//! Halves of plain convolutions are run by [`crate::direct`], others by the inference library, one stride at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;
use tract_pulse::model::{PulsedModel, PulsedModelExt};

use crate::bounds;
use crate::direct::{Direct, Ends};
use crate::error::ModelError;
use crate::graph::{FEATURES, LOGITS, POOLED, SCORE, STEPS};
use crate::metadata::Metadata;
use crate::pooling;

/// A network ready to run; shared by all streams.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Strides of `stride` features to a step of `width` and its score; what convolutions look back at is state.
    pub(crate) encoder: Half,
    /// `4 * width` statistics to logits, one for each class.
    pub(crate) head: Half,
}

/// Who runs a half.
#[derive(Clone, Debug)]
pub(crate) enum Half {
    /// This crate: any number of steps at once.
    Direct(Arc<Direct>),
    /// The inference library: one step at a time, `[1, rows, stride]` to `[1, width, 1]` and `[1, 1, 1]`, or
    /// `[1, 4 * width]` to `[1, classes]`.
    Library(Arc<TypedRunnableModel>),
}

impl Network {
    /// Builds both halves and checks their shapes against the metadata.
    ///
    /// # Errors
    /// [`ModelError::Inference`] if the library refuses the graph; [`ModelError::Graph`] if it cannot be streamed.
    pub(crate) fn build(model: &ModelProto, metadata: &Metadata) -> Result<Self, ModelError> {
        let compile = |ends: &Ends<'_>| Direct::compile(model, ends).map(Arc::new);
        let direct_encoder = with_encoder_ends(metadata, compile);
        let direct_head = with_head_ends(metadata, compile);
        if let (Some(encoder), Some(head)) = (&direct_encoder, &direct_head)
            && let Some(pooling) = pooling::understood(model, metadata)
        {
            // With every node accounted for, there is nothing left for the library to check.
            let nodes = model.graph.as_ref().map_or(0, |graph| graph.node.len());
            if encoder.nodes() + pooling + head.nodes() == nodes {
                return Ok(Self {
                    encoder: Half::Direct(encoder.clone()),
                    head: Half::Direct(head.clone()),
                });
            }
        }
        guard(|| {
            let whole = parse(model)?;
            bounds::check_shapes(whole.clone(), metadata)?;
            let encoder = match direct_encoder {
                Some(encoder) => Half::Direct(encoder),
                None => Half::Library(encoder(whole.clone(), metadata)?),
            };
            pooling::check(whole.clone(), metadata)?;
            let head = match direct_head {
                Some(head) => Half::Direct(head),
                None => Half::Library(head_of(whole, metadata)?),
            };
            Ok(Self { encoder, head })
        })
    }

    /// Both halves, run by the inference library.
    #[cfg(test)]
    pub(crate) fn library(model: &ModelProto, metadata: &Metadata) -> Result<Self, ModelError> {
        let whole = parse(model)?;
        Ok(Self {
            encoder: Half::Library(encoder(whole.clone(), metadata)?),
            head: Half::Library(head_of(whole, metadata)?),
        })
    }
}

pub(crate) fn parse(model: &ModelProto) -> Result<InferenceModel, ModelError> {
    let parsed = tract_onnx::onnx().model_for_proto_model(model);
    parsed.map_err(ModelError::inference)
}

/// Calls `compile` with what the encoder takes and gives.
pub(crate) fn with_encoder_ends<T>(metadata: &Metadata, compile: impl FnOnce(&Ends<'_>) -> T) -> T {
    compile(&Ends {
        input: (FEATURES, metadata.rows(), metadata.stride),
        outputs: &[(STEPS, metadata.width), (SCORE, 1)],
        timed: true,
        cost: bounds::most(metadata.stride),
    })
}

/// Calls `compile` with what the head takes and gives.
pub(crate) fn with_head_ends<T>(metadata: &Metadata, compile: impl FnOnce(&Ends<'_>) -> T) -> T {
    compile(&Ends {
        input: (POOLED, 4 * metadata.width, 1),
        outputs: &[(LOGITS, metadata.labels.len())],
        timed: false,
        cost: bounds::most(metadata.update_hop),
    })
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
    let (classes, found) = (
        metadata.labels.len(),
        &head.output_fact(0).map_err(ModelError::inference)?.shape,
    );
    if found.as_concrete() != Some(&[1, classes]) {
        return Err(ModelError::Graph {
            reason: format!("gives logits {found:?} for {classes} labels"),
        });
    }
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
