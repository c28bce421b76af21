//! `[health]`: how often the box tells how it is, and when it counts as hot.

use serde::Deserialize;

use super::error::{ConfigError, within};
use super::field::{Field, field};

pub(super) const FIELDS: &[Field] = &[
    field(
        "health.interval_ms",
        "10000",
        "100 to 3600000",
        "From one report of health to the next.",
    ),
    field(
        "health.hot_celsius",
        "80",
        "40 to 125",
        "From this temperature of the processor on the state is `degraded`.",
    ),
];

/// The `[health]` section.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HealthSection {
    /// From one report to the next, in milliseconds.
    pub interval_ms: u32,
    /// From here on the processor is too hot, in degrees Celsius.
    pub hot_celsius: f32,
}

impl Default for HealthSection {
    fn default() -> Self {
        HealthSection {
            interval_ms: 10_000,
            hot_celsius: 80.0,
        }
    }
}

impl HealthSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        within("health.interval_ms", self.interval_ms, 100..=3_600_000)?;
        within("health.hot_celsius", self.hot_celsius, 40.0..=125.0)
    }
}
