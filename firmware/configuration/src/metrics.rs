//! `[metrics]`: Prometheus metrics, on request.

use std::net::SocketAddr;

use serde::Deserialize;

use super::error::ConfigError;
use super::field::{Field, field};

pub(super) const FIELDS: &[Field] = &[
    field(
        "metrics.listen",
        "none",
        "an address with its port, as in \"127.0.0.1:9464\"",
        "Where metrics can be fetched, at /metrics; without it, nowhere.",
    ),
    field(
        "metrics.allow_remote",
        "false",
        "true, false",
        "Allow an address that other machines can reach. Metrics tell when somebody speaks.",
    ),
];

/// The `[metrics]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsSection {
    /// Where metrics can be fetched.
    pub listen: Option<SocketAddr>,
    /// Allow an address that other machines can reach.
    pub allow_remote: bool,
}

impl MetricsSection {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.listen {
            Some(address) if !address.ip().is_loopback() && !self.allow_remote => {
                Err(ConfigError::Value {
                    field: "metrics.listen",
                    value: address.to_string(),
                    remedy: "other machines can reach it; give 127.0.0.1 or [::1], or set metrics.allow_remote = true"
                        .into(),
                })
            }
            _ => Ok(()),
        }
    }
}
