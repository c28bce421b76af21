//! Why a model file is refused or a model fails.

/// What is wrong with a model file or its use.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is larger than any model of ours.
    #[error(
        "model file: {bytes} bytes, more than the {limit} that a model may have: give the .onnx file itself"
    )]
    TooLarge {
        /// Size of the file.
        bytes: usize,
        /// Largest size allowed.
        limit: usize,
    },
    /// The bytes are no ONNX file.
    #[error("model file: not an ONNX file ({reason}): it may be truncated, copy it again")]
    NotOnnx {
        /// What the decoder says.
        reason: String,
    },
    /// More than a small part of the file is not weights.
    #[error(
        "model file: {bytes} bytes of it are not weights, more than the {limit} of any model of ours: export it again \
         with `undertone-train export`"
    )]
    Outline {
        /// Bytes outside the weights.
        bytes: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// An ONNX file without our metadata.
    #[error(
        "model file: no `{key}` in its metadata: only files exported by `undertone-train export` can be run"
    )]
    MissingMetadata {
        /// The key looked for.
        key: String,
    },
    /// A metadata value that does not fit.
    #[error("model file: metadata {reason}: export it again with `undertone-train export`")]
    BadMetadata {
        /// Key and value.
        reason: String,
    },
    /// A newer or older format.
    #[error(
        "model file: format {found}, this program runs format {supported}: export the model again or update"
    )]
    Format {
        /// The file's format.
        found: u32,
        /// The format that this program runs.
        supported: u32,
    },
    /// The content does not match its hash.
    #[error(
        "model file: content hash is {found}, the file says {stated}: it was changed or damaged, copy it again"
    )]
    Hash {
        /// Hash of the content.
        found: String,
        /// Hash that the file states.
        stated: String,
    },
    /// Something in the graph that is not run.
    #[error("model file: graph {reason}: export it again with `undertone-train export`")]
    Graph {
        /// What it is.
        reason: String,
    },
    /// A network that asks for more memory or time than a box has.
    #[error(
        "model file: {what} needs {found}, more than the {limit} that a box can give: train a smaller network"
    )]
    TooCostly {
        /// The tensor, node or half of the network.
        what: String,
        /// What it needs, with its unit.
        found: String,
        /// Most that is allowed.
        limit: usize,
    },
    /// The inference library refuses or fails.
    #[error("model file: cannot be run: {reason}")]
    Inference {
        /// What the library says.
        reason: String,
    },
    /// The file does not give the answers that its trainer recorded.
    #[error(
        "model file: its self test gives logit {found} where training recorded {expected}: it would not run as trained \
         here; report it with the file's hash"
    )]
    SelfTest {
        /// What this machine computes.
        found: f32,
        /// What the trainer computed.
        expected: f32,
    },
    /// A feature that no voice has.
    #[error(
        "model: a feature frame has {value} at row {row}, not a number within ±{limit:e}: check what feeds the stream"
    )]
    Frame {
        /// Row of the frame.
        row: usize,
        /// The value.
        value: f32,
        /// Largest magnitude taken.
        limit: f32,
    },
    /// The network computes something that is not a finite number.
    #[error(
        "model: {what} has {value} at {index}, not a finite number: the network overflows; reset the stream, and export \
         the model again if it does not help"
    )]
    NotFinite {
        /// The values.
        what: &'static str,
        /// Position among them.
        index: usize,
        /// The value.
        value: f32,
    },
    /// A caller's buffer of the wrong length.
    #[error("model: {what} has {found} values, {expected} are needed")]
    Length {
        /// The buffer.
        what: &'static str,
        /// Values given.
        found: usize,
        /// Values needed.
        expected: usize,
    },
}

impl ModelError {
    /// Wraps what the inference library says.
    pub(crate) fn inference(error: impl std::fmt::Display) -> Self {
        Self::Inference {
            reason: format!("{error:#}"),
        }
    }
}
