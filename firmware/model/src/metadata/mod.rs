//! What a model file says about itself, in its `metadata_props`.
//!
//! Every field of [`Metadata`] is one property, named [`PREFIX`] and the field's name, with a JSON value. A field that
//! is not known is refused: it could change what the network means.

mod check;
mod provenance;
mod self_test;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tract_onnx::pb::{ModelProto, StringStringEntryProto};
use undertone_dsp::{Feature, Floor, FrontendConfig};

use crate::error::ModelError;

pub use check::MAX_WIDTH;
pub use provenance::{Adaptation, Licence, Provenance};
pub use self_test::SelfTest;

/// Version of the file format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// What the names of our properties begin with.
pub const PREFIX: &str = "undertone.";

/// How a network takes an utterance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    /// Frame by frame: the encoder looks back only, and an utterance of any length is pooled.
    #[default]
    Streaming,
    /// The last `window` frames at once, anew for every answer; of fewer only as [`Metadata::shortest`] says.
    Windowed,
}

impl NetworkKind {
    /// Files without the key are streaming ones, and these are written without it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_streaming(&self) -> bool {
        *self == Self::Streaming
    }
}

impl std::fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Streaming => "streaming",
            Self::Windowed => "windowed",
        })
    }
}

/// Everything needed to run a model as it was trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// [`FORMAT`].
    pub format: u32,
    /// How the network takes an utterance; streaming if the file does not say.
    #[serde(default, skip_serializing_if = "NetworkKind::is_streaming")]
    pub network: NetworkKind,
    /// Class names, in the order of the output; 2 to 16.
    pub labels: Vec<String>,
    /// How samples become frames.
    pub frontend: FrontendConfig,
    /// Rows of a frame, in order.
    pub features: Vec<Feature>,
    /// What lies under the log-mel bands of an utterance; nothing if the file does not say. Put there before the network, by
    /// [`crate::Stream`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Floor>,
    /// Feature frames per encoder step; 1 if the network is windowed.
    pub stride: usize,
    /// Values per encoder step; 0 if the network is windowed, which has none.
    pub width: usize,
    /// Feature frames that pooling looks back at least, and an eighth more at most; a multiple of `stride`. Of a
    /// windowed network exactly what it reads.
    pub window: usize,
    /// Feature frames from which on a windowed network answers, 1 to `window`: while there are fewer than `window`, it reads
    /// those that came over and over, from the first on, until the window is full. `window` if the file does not say; a
    /// streaming network has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortest: Option<usize>,
    /// Feature frames between answers while somebody speaks.
    pub update_hop: usize,
    /// Logits are divided by this before the softmax.
    pub temperature: f32,
    /// Below this probability of the best label the answer is `unknown`.
    pub unknown_threshold: f32,
    /// Where the model comes from.
    pub provenance: Provenance,
    /// Input and answer to check.
    pub self_test: SelfTest,
    /// SHA-256 over the rest of the file (see [`crate::seal`]), in hexadecimal.
    pub content_hash: String,
}

impl Metadata {
    /// Values per feature frame.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.frontend.rows(&self.features)
    }

    /// Reads and checks the metadata of a file.
    ///
    /// # Errors
    /// [`ModelError::MissingMetadata`], [`ModelError::Format`], [`ModelError::BadMetadata`].
    pub(crate) fn of(model: &ModelProto) -> Result<Self, ModelError> {
        let mut fields = Map::new();
        for entry in &model.metadata_props {
            let Some(key) = entry.key.strip_prefix(PREFIX) else {
                continue;
            };
            let bad = |reason: String| ModelError::BadMetadata {
                reason: format!("`{key}` {reason}"),
            };
            let value: Value = serde_json::from_str(&entry.value)
                .map_err(|e| bad(format!("is not JSON ({e})")))?;
            if fields.insert(key.to_owned(), value).is_some() {
                return Err(bad("stands there twice".into()));
            }
        }
        let format = fields
            .get("format")
            .ok_or_else(|| ModelError::MissingMetadata {
                key: format!("{PREFIX}format"),
            })?;
        if format.as_u64() != Some(u64::from(FORMAT)) {
            let found = format
                .as_u64()
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(0);
            return Err(ModelError::Format {
                found,
                supported: FORMAT,
            });
        }
        let metadata: Self = serde_json::from_value(Value::Object(fields)).map_err(|error| {
            ModelError::BadMetadata {
                reason: format!("does not fit: {error}"),
            }
        })?;
        metadata.check()?;
        Ok(metadata)
    }

    /// The properties to write into a file.
    ///
    /// # Errors
    /// [`ModelError::BadMetadata`] if a value is out of range or cannot be written.
    pub fn properties(&self) -> Result<Vec<StringStringEntryProto>, ModelError> {
        self.check()?;
        let bad = |reason: String| ModelError::BadMetadata { reason };
        match serde_json::to_value(self).map_err(|error| bad(error.to_string()))? {
            Value::Object(fields) => Ok(fields
                .into_iter()
                .map(|(key, value)| StringStringEntryProto {
                    key: format!("{PREFIX}{key}"),
                    value: value.to_string(),
                })
                .collect()),
            other => Err(bad(format!("is {other}, not an object"))),
        }
    }
}
