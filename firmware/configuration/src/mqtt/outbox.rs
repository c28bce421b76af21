//! `[mqtt.outbox]`.

use std::path::PathBuf;

use serde::Deserialize;

use crate::error::{ConfigError, within};

/// The `[mqtt.outbox]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttOutboxSection {
    /// A folder; in memory when left out.
    pub path: Option<PathBuf>,
    /// Events at most.
    pub max_events: usize,
    /// Bytes at most.
    pub max_bytes: usize,
    /// Age at most, in seconds.
    pub max_age_s: u64,
    /// From one `fdatasync` to the next at least, in milliseconds.
    pub sync_ms: u64,
}

impl Default for MqttOutboxSection {
    fn default() -> Self {
        MqttOutboxSection {
            path: None,
            max_events: 10_000,
            max_bytes: 8 << 20,
            max_age_s: 7 * 24 * 3600,
            sync_ms: 1000,
        }
    }
}

impl MqttOutboxSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within("mqtt.outbox.max_events", self.max_events, 1..=1_000_000)?;
        within("mqtt.outbox.max_bytes", self.max_bytes, 1 << 16..=1 << 30)?;
        within("mqtt.outbox.max_age_s", self.max_age_s, 1..=31_536_000)?;
        within("mqtt.outbox.sync_ms", self.sync_ms, 0..=60_000)
    }
}
