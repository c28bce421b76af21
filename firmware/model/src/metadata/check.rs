//! Ranges of a model file's metadata.

use undertone_dsp::Feature;

use super::{Metadata, NetworkKind, SelfTest};
use crate::error::ModelError;

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

impl Metadata {
    /// A floor is of networks that hear frame by frame, and log-mel bands alone.
    fn check_floor(&self) -> Result<(), ModelError> {
        let bad = |reason: String| Err(ModelError::BadMetadata { reason });
        let Some(floor) = self.floor else {
            return Ok(());
        };
        if let Err(error) = floor.validate() {
            return bad(format!("`floor`: {error}"));
        }
        if self.features != [Feature::LogMel] || self.network != NetworkKind::Streaming {
            return bad("`floor` is of streaming networks that read `log_mel` alone".into());
        }
        if floor.hold > self.update_hop {
            return bad(format!(
                "`floor.hold` is {}, more than the {} frames between answers",
                floor.hold, self.update_hop
            ));
        }
        Ok(())
    }

    /// [`ModelError::BadMetadata`] for the first field that is out of its range.
    pub(crate) fn check(&self) -> Result<(), ModelError> {
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
        self.check_floor()?;
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
        )?;
        let mut recorded = self.self_test.logits.iter();
        match recorded.find(|logit| !logit.is_finite()) {
            Some(logit) => bad(format!("`self_test.logits` has {logit}, no finite number")),
            None => Ok(()),
        }
    }
}
