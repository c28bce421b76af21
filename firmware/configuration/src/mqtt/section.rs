//! `[mqtt]`, as it is written and as it is settled.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use undertone_mqtt::{MAX_TEXT_BYTES, Password, Secret, Will};

use super::names::{NAME, host_name, is_name, is_topic};
use super::{MqttOutboxSection, MqttTlsSection, check, wrong};
use crate::error::{ConfigError, within};

/// The `[mqtt]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MqttSection {
    /// The broker; `None`: no MQTT.
    pub host: Option<String>,
    /// The broker's port.
    pub port: Option<u16>,
    /// The box's name in topics.
    pub device: Option<String>,
    /// The box's name at the broker.
    pub client_id: Option<String>,
    /// The user at the broker.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// A file with the password.
    pub password_file: Option<PathBuf>,
    /// What every topic begins with.
    pub topic_prefix: String,
    /// Seconds of silence before the broker is asked whether it is there.
    pub keep_alive_s: u16,
    /// The longest wait between two tries to connect, in seconds.
    pub retry_max_s: u32,
    /// Announce the box to Home Assistant.
    pub discovery: bool,
    /// Where Home Assistant looks.
    pub discovery_prefix: String,
    /// Send levels.
    pub levels: bool,
    /// The least time between two levels of a channel, in milliseconds.
    pub level_interval_ms: u32,
    /// TLS.
    pub tls: MqttTlsSection,
    /// Events that wait for the broker.
    pub outbox: MqttOutboxSection,
}

impl Default for MqttSection {
    fn default() -> Self {
        MqttSection {
            host: None,
            port: None,
            device: None,
            client_id: None,
            user: None,
            password: None,
            password_file: None,
            topic_prefix: "undertone/v1".into(),
            keep_alive_s: 30,
            retry_max_s: 60,
            discovery: true,
            discovery_prefix: "homeassistant".into(),
            levels: false,
            level_interval_ms: 1000,
            tls: MqttTlsSection::default(),
            outbox: MqttOutboxSection::default(),
        }
    }
}

/// `[mqtt]`, checked, with nothing left out that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttSettings {
    /// The broker.
    pub host: String,
    /// The broker's port.
    pub port: u16,
    /// The box's name in topics.
    pub device: String,
    /// The box's name at the broker.
    pub client_id: String,
    /// The user at the broker.
    pub user: Option<String>,
    /// The password.
    pub password: Password,
    /// What every topic begins with.
    pub topic_prefix: String,
    /// Seconds of silence before the broker is asked whether it is there.
    pub keep_alive_s: u16,
    /// The longest wait between two tries to connect, in seconds.
    pub retry_max_s: u32,
    /// Where Home Assistant looks; `None`: not announced.
    pub discovery_prefix: Option<String>,
    /// The least time between two levels of a channel, in milliseconds; `None`: no levels.
    pub level_interval_ms: Option<u32>,
    /// TLS, if any.
    pub tls: Option<MqttTlsSection>,
    /// Events that wait for the broker.
    pub outbox: MqttOutboxSection,
}

impl MqttSection {
    pub(crate) fn settle(self) -> Result<Option<MqttSettings>, ConfigError> {
        let Some(host) = self.host.clone() else {
            if self == MqttSection::default() {
                return Ok(None);
            }
            return Err(wrong(
                "mqtt.host",
                "missing",
                "name the broker, or leave [mqtt] out",
            ));
        };
        // A URL may hold a password, and would be looked up as a name.
        check(
            !host.contains(['/', '@']),
            "mqtt.host",
            &"a URL",
            "give a name or an address alone; port, user and password have fields of their own",
        )?;
        let line = !host.is_empty() && !host.contains(char::is_whitespace);
        check(
            line,
            "mqtt.host",
            &host,
            "give a name or an address, without a port",
        )?;
        let device = match self.device {
            Some(device) => device,
            None => host_name(),
        };
        check(
            is_name(&device),
            "mqtt.device",
            &device,
            &format!("give one of {NAME}"),
        )?;
        let client_id = self
            .client_id
            .unwrap_or_else(|| format!("undertone-{device}"));
        let fits = (1..=128).contains(&client_id.len()) && !client_id.contains(char::is_control);
        check(
            fits,
            "mqtt.client_id",
            &client_id,
            "give 1 to 128 bytes of text",
        )?;
        for (field, topic) in [
            ("mqtt.topic_prefix", &self.topic_prefix),
            ("mqtt.discovery_prefix", &self.discovery_prefix),
        ] {
            check(
                is_topic(topic),
                field,
                topic,
                "give a topic such as a/b, without + and #, of at most 128 bytes",
            )?;
        }
        let port_is_good = self.port != Some(0);
        check(port_is_good, "mqtt.port", &0, "give a port from 1 to 65535")?;
        within("mqtt.keep_alive_s", self.keep_alive_s, 5..=3600)?;
        within("mqtt.retry_max_s", self.retry_max_s, 1..=3600)?;
        within(
            "mqtt.level_interval_ms",
            self.level_interval_ms,
            100..=600_000,
        )?;
        let named = self.user.is_some() || self.password.is_none() && self.password_file.is_none();
        check(
            named,
            "mqtt.user",
            &"missing",
            "a password needs a user beside it",
        )?;
        let short = self
            .user
            .as_ref()
            .is_none_or(|user| user.len() <= MAX_TEXT_BYTES);
        check(
            short,
            "mqtt.user",
            &"too long",
            &format!("give at most {MAX_TEXT_BYTES} bytes"),
        )?;
        let one = self.password.is_none() || self.password_file.is_none();
        check(
            one,
            "mqtt.password_file",
            &"given beside mqtt.password",
            "give one of them",
        )?;
        let tls = self.tls.settle()?;
        self.outbox.check()?;
        Ok(Some(MqttSettings {
            port: self.port.unwrap_or(if tls.is_some() { 8883 } else { 1883 }),
            host,
            device,
            client_id,
            user: self.user,
            password: match (self.password_file, self.password) {
                (Some(path), _) => Password::File(path),
                (None, Some(secret)) => Password::Given(secret),
                (None, None) => Password::None,
            },
            topic_prefix: self.topic_prefix,
            keep_alive_s: self.keep_alive_s,
            retry_max_s: self.retry_max_s,
            discovery_prefix: self.discovery.then_some(self.discovery_prefix),
            level_interval_ms: self.levels.then_some(self.level_interval_ms),
            tls,
            outbox: self.outbox,
        }))
    }
}

impl MqttSettings {
    /// What the client has to know. When the box is gone without a word, the broker says `offline` on `availability`.
    pub fn client(&self, availability: &str) -> undertone_mqtt::Settings {
        undertone_mqtt::Settings {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls.as_ref().map(MqttTlsSection::files),
            client_id: self.client_id.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
            keep_alive_s: self.keep_alive_s,
            retry_max: Duration::from_secs(self.retry_max_s.into()),
            will: Some(Will {
                topic: availability.to_owned(),
                payload: "offline".into(),
            }),
        }
    }
}
