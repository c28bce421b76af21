//! A network that cannot be streamed: run by the inference library on the last frames, anew for every answer.

use std::sync::Arc;

use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::*;

use crate::bounds;
use crate::error::ModelError;
use crate::metadata::Metadata;
use crate::network::{guard, parse};
use crate::stream::{check_finite, check_length, values};

/// A network ready to run, `[1, rows, window]` to `[1, classes]`; shared by all streams.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    run: Arc<TypedRunnableModel>,
}

impl Window {
    /// Builds the network and checks its shapes against the metadata.
    ///
    /// # Errors
    /// [`ModelError::Inference`] if the library refuses the graph; [`ModelError::TooCostly`]; [`ModelError::Graph`] if
    /// it gives something else than one logit for each label.
    pub(crate) fn build(model: &ModelProto, metadata: &Metadata) -> Result<Self, ModelError> {
        guard(|| {
            let whole = parse(model)?;
            bounds::check_shapes(whole.clone(), metadata)?;
            let shape = [1, metadata.rows(), metadata.window];
            let typed = whole
                .with_input_fact(0, f32::fact(shape).into())
                .and_then(InferenceModelExt::into_typed)
                .map_err(ModelError::inference)?;
            bounds::check_window(&typed, metadata)?;
            let classes = metadata.labels.len();
            let found = &typed.output_fact(0).map_err(ModelError::inference)?.shape;
            if found.as_concrete() != Some(&[1, classes]) {
                return Err(ModelError::Graph {
                    reason: format!("gives logits {found:?} for {classes} labels"),
                });
            }
            let run = typed
                .into_optimized()
                .and_then(|model| model.into_runnable())
                .map_err(ModelError::inference)?;
            Ok(Self { run })
        })
    }
}

/// The last frames of one channel.
#[derive(Debug)]
pub(crate) struct Ring {
    network: Window,
    /// `window` frames, one after the other; the oldest is at `next` once all are filled.
    frames: Box<[f32]>,
    rows: usize,
    /// Frames from which on there is an answer.
    shortest: usize,
    next: usize,
    filled: usize,
}

impl Ring {
    pub(crate) fn new(network: Window, metadata: &Metadata) -> Self {
        let rows = metadata.rows();
        Self {
            network,
            frames: vec![0.0; rows * metadata.window].into(),
            rows,
            shortest: metadata.shortest.unwrap_or(metadata.window),
            next: 0,
            filled: 0,
        }
    }

    fn window(&self) -> usize {
        self.frames.len() / self.rows
    }

    /// Takes the next frame, which has been checked, in place of the oldest.
    pub(crate) fn push(&mut self, frame: &[f32]) {
        self.frames[self.next * self.rows..][..self.rows].copy_from_slice(frame);
        self.next = (self.next + 1) % self.window();
        self.filled = self.window().min(self.filled + 1);
    }

    /// Writes the logits of the last `window` frames; of fewer, those that came over and over, as in training. `false` while
    /// there are fewer than the file allows.
    pub(crate) fn logits(&self, out: &mut [f32]) -> Result<bool, ModelError> {
        let window = self.window();
        if self.filled < self.shortest {
            return Ok(false);
        }
        let oldest = if self.filled < window { 0 } else { self.next };
        let shape = (1, self.rows, window);
        let input = tract_ndarray::Array3::from_shape_fn(shape, |(_, row, frame)| {
            self.frames[(oldest + frame % self.filled) % window * self.rows + row]
        });
        let found = guard(|| {
            let input: Tensor = input.into();
            let run = self.network.run.run(tvec!(input.into()));
            run.map_err(ModelError::inference)
        })?;
        let logits = values(&found[0])?;
        check_length("the model's answer", logits.len(), out.len())?;
        check_finite("an answer's logits", logits)?;
        out.copy_from_slice(logits);
        Ok(true)
    }

    /// Forgets all frames.
    pub(crate) fn clear(&mut self) {
        (self.next, self.filled) = (0, 0);
    }
}
