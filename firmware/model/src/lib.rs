//! The model file: its metadata, the checks before it is trusted, and inference that keeps up with a live voice.
//!
//! Comes in: the bytes of one ONNX file, then feature frames. Goes out: a calibrated distribution over the file's own
//! labels, at any time during an utterance.
//!
//! - A [`Model`] is loaded once and shared; a [`Stream`] is the state of one channel. The encoder runs incrementally:
//!   each frame is computed once, and pooling keeps running sums, so that cost does not depend on the utterance.
//! - A network that cannot be streamed says so in its metadata ([`NetworkKind::Windowed`]): it is run on the last frames,
//!   as a whole for every answer.
//! - A file may have a floor (`undertone_dsp::Floor`): the stream holds back the first frames of an utterance, no longer than
//!   an answer takes, and puts it under all of them.
//! - Plain causal convolutions and matrix products are run by this crate (`direct`), everything else by the
//!   inference library.
//! - A file is refused, with the reason, if it is not a model of ours, was changed after it was written, uses an
//!   operator outside a short list, cannot be streamed exactly (if it says that it can), or does not give the answers that its trainer
//!   recorded in it ([`SelfTest`]).
//! - Nothing here touches a file, a clock or a device. Hostile bytes cost bounded memory and never panic.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bounds;
mod dequantise;
mod direct;
mod drift;
mod error;
mod graph;
mod hash;
mod held;
mod incremental;
mod metadata;
mod model;
mod network;
mod operators;
mod outline;
mod pool;
mod pooling;
mod stream;
mod tensors;
mod windowed;

pub use drift::Drift;
pub use error::ModelError;
pub use hash::seal;
pub use metadata::{
    Adaptation, FORMAT, Licence, MAX_WIDTH, Metadata, NetworkKind, PREFIX, Provenance, SelfTest,
};
pub use model::{MAX_FILE_BYTES, Model, read_bounded};
pub use stream::{FRAME_LIMIT, Stream, softmax};
pub use tensors::{float_tensor, floats};

/// The ONNX messages that the file consists of, for the exporter.
pub use tract_onnx::pb as onnx;
