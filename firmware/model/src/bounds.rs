//! What a network costs, found from the shapes alone before anything of that size is made.

use tract_onnx::prelude::*;
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use crate::error::ModelError;
use crate::metadata::Metadata;
use crate::operators::MAX_RANK;

/// Most values of any tensor over [`STEPS`] encoder steps. Nothing of this size is made; it only keeps shapes from
/// growing until their product overflows.
const MAX_ELEMENTS: usize = 64 << 20;
/// Encoder steps that shapes are tried with.
const STEPS: usize = 16;
/// Most multiplications and stored values per feature frame: 0.4 thousand million per second at 100 frames, nearly
/// twenty times the shipped network, more than a small box computes in that time.
const MAX_PER_FRAME: usize = 4_000_000;
/// The same for one run, however many frames it is for: what it stores fits into 128 MiB.
const MAX_PER_RUN: usize = 32 << 20;

/// Refuses a graph with a tensor larger than [`MAX_ELEMENTS`], or with one whose shape cannot be told.
pub(crate) fn check_shapes(model: InferenceModel, metadata: &Metadata) -> Result<(), ModelError> {
    let shape = [1, metadata.rows(), STEPS * metadata.stride];
    let mut model = model
        .with_input_fact(0, f32::fact(shape).into())
        .map_err(ModelError::inference)?;
    model.analyse(false).map_err(ModelError::inference)?;
    for node in model.nodes() {
        for output in &node.outputs {
            let shape = output.fact.shape.concretize();
            let Some(dims) = shape.filter(|dims| dims.len() <= MAX_RANK) else {
                return Err(ModelError::Graph {
                    reason: format!(
                        "node {:?} gives {:?}, not a shape of at most {MAX_RANK} known dimensions",
                        node.name, output.fact.shape
                    ),
                });
            };
            let elements = dims.iter().try_fold(1usize, |product, dim| {
                product.checked_mul(dim.to_usize().ok()?)
            });
            if elements.is_none_or(|elements| elements > MAX_ELEMENTS) {
                return Err(ModelError::TooCostly {
                    what: format!("node {:?}", node.name),
                    found: format!("the shape {:?} for {STEPS} steps", output.fact.shape),
                    limit: MAX_ELEMENTS,
                });
            }
        }
    }
    Ok(())
}

/// Most multiplications and stored values of a run once in `frames` frames.
pub(crate) fn most(frames: usize) -> usize {
    MAX_PER_RUN.min(frames.saturating_mul(MAX_PER_FRAME))
}

/// Refuses a half of the network that computes or stores too much for a run once in `frames` frames.
pub(crate) fn check_cost(what: &str, model: &TypedModel, frames: usize) -> Result<(), ModelError> {
    let limit = most(frames);
    let mut total = 0usize;
    for node in model.nodes() {
        total = total.saturating_add(cost(model, node).map_err(ModelError::inference)?);
        if total > limit {
            return Err(ModelError::TooCostly {
                what: format!("{what}, up to node {:?},", node.name),
                found: format!("{total} multiplications and stored values"),
                limit,
            });
        }
    }
    Ok(())
}

fn cost(model: &TypedModel, node: &TypedNode) -> TractResult<usize> {
    // Constants are paid for by the file's size.
    if node.inputs.is_empty() {
        return Ok(0);
    }
    let inputs = model.node_input_facts(node.id)?;
    let mut sum = 0usize;
    for (kind, count) in node.op.cost(&inputs)? {
        if kind.is_compute() {
            sum = sum.saturating_add(count.to_usize()?);
        }
    }
    for output in &node.outputs {
        let elements = output.fact.shape.iter().try_fold(1usize, |product, dim| {
            TractResult::Ok(product.saturating_mul(dim.to_usize()?))
        })?;
        sum = sum.saturating_add(elements);
    }
    Ok(sum)
}
