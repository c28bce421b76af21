//! `[output]`: what goes to standard output.

use serde::Deserialize;

use super::error::{ConfigError, within};
use super::field::{Field, field};

/// From one level to the next, in milliseconds.
const LEVEL_INTERVALS: std::ops::RangeInclusive<u32> = 20..=60_000;

pub(super) const FIELDS: &[Field] = &[
    field(
        "output.format",
        "\"json\"",
        "\"json\", \"text\"",
        "JSON lines for programs, or text for people, on standard output.",
    ),
    field("output.levels", "false", "true, false", "Tell levels too."),
    field(
        "output.level_interval_ms",
        "500",
        "20 to 60000",
        "From one level to the next.",
    ),
];

/// The form of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum OutputFormat {
    /// JSON lines, for programs.
    Json,
    /// Text, for people.
    Text,
}

/// The `[output]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSection {
    /// JSON lines, or text for people.
    pub format: OutputFormat,
    /// Tell levels too.
    pub levels: bool,
    /// From one level to the next, in milliseconds.
    pub level_interval_ms: u32,
}

impl Default for OutputSection {
    fn default() -> Self {
        OutputSection {
            format: OutputFormat::Json,
            levels: false,
            level_interval_ms: 500,
        }
    }
}

impl OutputSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within(
            "output.level_interval_ms",
            self.level_interval_ms,
            LEVEL_INTERVALS,
        )
    }
}
