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
