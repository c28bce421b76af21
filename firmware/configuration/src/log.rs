//! `[log]`: what is told on standard error.

use serde::{Deserialize, Serialize};

use super::field::{Field, field};

pub(super) const FIELDS: &[Field] = &[
    field(
        "log.level",
        "\"info\"",
        "\"error\", \"warning\", \"info\", \"debug\"",
        "What is told on standard error: this and what is more severe.",
    ),
    field(
        "log.format",
        "\"text\"",
        "\"text\", \"json\"",
        "Text, to which priorities are added under journald, or JSON lines. Neither ever holds audio, features or scores.",
    ),
];

/// How much something matters; the more severe comes first.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Severity {
    /// The daemon cannot do what it is for.
    Error,
    /// Something is not as it should be.
    Warning,
    /// What happens.
    #[default]
    Info,
    /// What only helps to find a fault.
    Debug,
}

/// How talk is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Form {
    /// Text, with priorities before it where journald reads.
    #[default]
    Text,
    /// JSON lines with `level` and `message`.
    Json,
}

/// The `[log]` section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// This and what is more severe.
    pub level: Severity,
    /// How it is written.
    pub format: Form,
}
