//! `[log]`: what is told on standard error.

use serde::Deserialize;

use super::field::{Field, field};
use crate::talk::{Form, Severity};

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

/// The `[log]` section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// This and what is more severe.
    pub level: Severity,
    /// How it is written.
    pub format: Form,
}
