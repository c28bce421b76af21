//! What a model file says about itself, in its `metadata_props`.
//!
//! Every field of [`Metadata`] is one property, named [`PREFIX`] and the field's name, with a JSON value. A field that
//! is not known is refused: it could change what the network means.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tract_onnx::pb::{ModelProto, StringStringEntryProto};
use undertone_dsp::{Feature, FrontendConfig};

use crate::error::ModelError;

/// Version of the file format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// What the names of our properties begin with.
pub const PREFIX: &str = "undertone.";

/// Most labels a model may have.
const MAX_LABELS: usize = 16;
/// Longest label, in bytes.
const MAX_LABEL_BYTES: usize = 32;
/// Most channels of an encoder's output.
pub const MAX_WIDTH: usize = 4096;
/// Longest pooled window, in frames.
const MAX_WINDOW: usize = 100_000;
/// Most values of a window that is run as a whole: every channel holds one.
const MAX_WINDOW_VALUES: usize = 1 << 20;

/// Whether the training data allows commercial use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Licence {
    /// Trained on data under an open licence alone.
    Open,
    /// Trained on data for research or non-commercial use.
    Research,
}

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

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Corpora trained on.
    pub corpora: Vec<String>,
    /// Licence class of that data.
    pub licence: Licence,
    /// Seed of the run.
    pub seed: u64,
    /// Fold whose speakers were kept out; `None` if nobody was.
    pub fold: Option<u8>,
    /// Epoch whose weights these are.
    pub epoch: usize,
    /// Unweighted accuracy on the validation speakers, 0 to 1, mean over the corpora.
    pub validation: f64,
    /// Version of the trainer.
    pub trainer: String,
    /// Hashes of the training, validation and kept-out clips.
    pub clips: Vec<String>,
    /// What was done to the file after training; `None` if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapted: Option<Adaptation>,
}

/// A head fitted to the voices of one site or speaker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adaptation {
    /// Content hash of the file that was adapted.
    pub from: String,
    /// Number of clips that it was fitted to.
    pub clips: usize,
    /// Hash over the content of these clips.
    pub content: String,
}

/// An input that a reader can make for itself, and the logits that the trainer computed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    /// Feature frames to feed.
    pub frames: usize,
    /// Logits after the last frame.
    pub logits: Vec<f32>,
}

impl SelfTest {
    /// Largest difference of a logit that counts as equal, absolute.
    pub const TOLERANCE: f32 = 2e-3;
    /// Most frames that a file may ask for.
    pub const MAX_FRAMES: usize = 2_000;

    /// The input: `frames` frames of `rows` values, -80 to 0, frame after frame, from a 64-bit linear congruential
    /// generator (Knuth's MMIX constants) started at 1.
    #[must_use]
    pub fn input(frames: usize, rows: usize) -> Vec<f32> {
        let mut state = 1u64;
        (0..frames * rows)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let unit = (state >> 40) as f32 / (1u64 << 24) as f32;
                -80.0 * unit
            })
            .collect()
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

    fn check(&self) -> Result<(), ModelError> {
        let bad = |reason: String| Err(ModelError::BadMetadata { reason });
        let count = |name: &str, value: usize, low: usize, high: usize| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                bad(format!("`{name}` is {value}, not {low} to {high}"))
            }
        };
        count("labels", self.labels.len(), 2, MAX_LABELS)?;
        for (index, label) in self.labels.iter().enumerate() {
            let plain = label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            if label.is_empty() || label.len() > MAX_LABEL_BYTES || !plain {
                return bad(format!(
                    "label {label:?} is not 1 to {MAX_LABEL_BYTES} of a-z, 0-9 and _"
                ));
            }
            if label == "unknown" || self.labels[..index].contains(label) {
                return bad(format!("label {label:?} is taken"));
            }
        }
        if let Err(error) = self.frontend.validate() {
            return bad(format!("`frontend`: {error}"));
        }
        count("rows", self.rows(), 1, 4096)?;
        count("features", self.features.len(), 1, 16)?;
        match self.network {
            NetworkKind::Streaming => {
                count("stride", self.stride, 1, 64)?;
                count("width", self.width, 1, MAX_WIDTH)?;
                count("window", self.window, self.stride, MAX_WINDOW)?;
                if let Some(shortest) = self.shortest {
                    return bad(format!(
                        "`shortest` is {shortest}, which a streaming network does not have"
                    ));
                }
            }
            NetworkKind::Windowed => {
                count("stride", self.stride, 1, 1)?;
                count("width", self.width, 0, 0)?;
                let most = SelfTest::MAX_FRAMES.min(MAX_WINDOW_VALUES / self.rows());
                count("window", self.window, 1, most)?;
                count("shortest", self.shortest.unwrap_or(1), 1, self.window)?;
            }
        }
        if !self.window.is_multiple_of(self.stride) {
            return bad(format!(
                "`window` is {}, no multiple of the stride {}",
                self.window, self.stride
            ));
        }
        count("update_hop", self.update_hop, 1, MAX_WINDOW)?;
        if !(self.temperature.is_finite() && (0.01..=100.0).contains(&self.temperature)) {
            return bad(format!(
                "`temperature` is {}, not 0.01 to 100",
                self.temperature
            ));
        }
        if !(0.0..=1.0).contains(&self.unknown_threshold) {
            return bad(format!(
                "`unknown_threshold` is {}, not 0 to 1",
                self.unknown_threshold
            ));
        }
        count(
            "self_test.frames",
            self.self_test.frames,
            match self.network {
                NetworkKind::Streaming => self.stride,
                NetworkKind::Windowed => self.window,
            },
            SelfTest::MAX_FRAMES,
        )?;
        count(
            "self_test.logits",
            self.self_test.logits.len(),
            self.labels.len(),
            self.labels.len(),
        )
    }
}
