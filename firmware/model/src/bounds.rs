//! What a network costs, found from the shapes alone before anything of that size is made.

use tract_onnx::prelude::*;
use tract_onnx::tract_core::ops::cnn::{Conv, MaxPool};
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use crate::error::ModelError;
use crate::metadata::{Metadata, NetworkKind};
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

/// Most multiplications of a windowed network per second of audio, and of one answer: those of a streaming network at
/// 100 frames a second.
const MAX_PER_SECOND: usize = 100 * MAX_PER_FRAME;
const MAX_PER_WINDOW: usize = 512 << 20;

/// Refuses a graph with a tensor larger than [`MAX_ELEMENTS`], or with one whose shape cannot be told.
pub(crate) fn check_shapes(model: InferenceModel, metadata: &Metadata) -> Result<(), ModelError> {
    let frames = match metadata.network {
        NetworkKind::Streaming => STEPS * metadata.stride,
        NetworkKind::Windowed => metadata.window,
    };
    let shape = [1, metadata.rows(), frames];
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
                    found: format!("the shape {:?} for {frames} frames", output.fact.shape),
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
        let of_node = cost(model, node).map_err(ModelError::inference)?;
        total = total
            .saturating_add(of_node.computed)
            .saturating_add(of_node.results);
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

/// Refuses a windowed network that computes too much for the frames between two answers, or stores too much for one.
pub(crate) fn check_window(model: &TypedModel, metadata: &Metadata) -> Result<(), ModelError> {
    let frontend = &metadata.frontend;
    let hop = metadata.update_hop.saturating_mul(frontend.hop_length);
    let seconds = hop as f64 / f64::from(frontend.sample_rate.max(1));
    let most = MAX_PER_WINDOW.min((seconds * MAX_PER_SECOND as f64) as usize);
    let (mut computed, mut stored) = (0usize, 0usize);
    for node in model.nodes() {
        let of_node = cost(model, node).map_err(ModelError::inference)?;
        computed = computed.saturating_add(of_node.computed);
        stored = stored
            .saturating_add(of_node.results)
            .saturating_add(of_node.working);
        for (found, unit, limit) in [
            (computed, "multiplications for an answer", most),
            (stored, "stored values", MAX_PER_RUN),
        ] {
            if found > limit {
                return Err(ModelError::TooCostly {
                    what: format!("the network, up to node {:?},", node.name),
                    found: format!("{found} {unit}"),
                    limit,
                });
            }
        }
    }
    Ok(())
}

/// What a run of one node takes.
#[derive(Default)]
struct Cost {
    computed: usize,
    /// Values of the result.
    results: usize,
    /// Values that the library writes down on the way to it.
    working: usize,
}

fn cost(model: &TypedModel, node: &TypedNode) -> TractResult<Cost> {
    // Constants are paid for by the file's size.
    if node.inputs.is_empty() {
        return Ok(Cost::default());
    }
    let inputs = model.node_input_facts(node.id)?;
    let mut found = Cost::default();
    for (kind, count) in node.op.cost(&inputs)? {
        if kind.is_compute() {
            found.computed = found.computed.saturating_add(count.to_usize()?);
        }
    }
    if let Some(conv) = node.op_as::<Conv>() {
        // Its input is unfolded: a column for each position, the kernel and the input channels high.
        let columns = found.computed / conv.output_channels().max(1);
        found.working = columns.saturating_mul(conv.group);
    }
    let pooled = node.op_as::<MaxPool>().map(|pool| {
        let kernel = &pool.pool_spec.kernel_shape;
        kernel.iter().fold(1usize, |a, &b| a.saturating_mul(b))
    });
    if let Some(kernel) = pooled {
        // A table of places in as many dimensions, and what goes with each.
        found.working = kernel.saturating_mul(2 + MAX_RANK);
    }
    for output in &node.outputs {
        let elements = output.fact.shape.iter().try_fold(1usize, |product, dim| {
            TractResult::Ok(product.saturating_mul(dim.to_usize()?))
        })?;
        found.results = found.results.saturating_add(elements);
        let compared = elements.saturating_mul(pooled.unwrap_or(0));
        found.computed = found.computed.saturating_add(compared);
    }
    Ok(found)
}
