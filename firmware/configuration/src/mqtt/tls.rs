//! `[mqtt.tls]`.

use std::path::PathBuf;

use serde::Deserialize;
use undertone_mqtt::TlsFiles;

use super::check;
use crate::error::ConfigError;

/// The `[mqtt.tls]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttTlsSection {
    /// Speak TLS; when left out, if any file is given.
    pub enabled: Option<bool>,
    /// Who may sign the broker's certificate.
    pub ca: Option<PathBuf>,
    /// The box's own certificate.
    pub certificate: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

impl MqttTlsSection {
    pub(super) fn settle(self) -> Result<Option<Self>, ConfigError> {
        let given = self.ca.is_some() || self.certificate.is_some() || self.key.is_some();
        let pair = self.certificate.is_some() == self.key.is_some();
        check(
            pair,
            "mqtt.tls.key",
            &"without its certificate, or the other way round",
            "give both mqtt.tls.certificate and mqtt.tls.key",
        )?;
        let enabled = self.enabled.unwrap_or(given);
        check(
            enabled || !given,
            "mqtt.tls.enabled",
            &false,
            "leave it out, or leave out the files for TLS",
        )?;
        if !enabled {
            return Ok(None);
        }
        Ok(Some(self))
    }

    /// What the client has to know.
    pub fn files(&self) -> TlsFiles {
        TlsFiles {
            ca: self.ca.clone(),
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        }
    }
}
