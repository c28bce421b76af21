//! `[mqtt]`: the broker, who we are to it, and what is sent.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use undertone_mqtt::{Password, Secret, Will};

use super::error::{ConfigError, within};
use super::field::{Field, field};

/// Characters of a name in a topic.
const NAME: &str = "a-z, A-Z, 0-9, _ and -, at most 64 of them";

pub(super) const FIELDS: &[Field] = &[
    field(
        "mqtt.host",
        "none",
        "a name or an address",
        "The broker. Without it nothing is sent over MQTT.",
    ),
    field(
        "mqtt.port",
        "1883, with TLS 8883",
        "1 to 65535",
        "The broker's port.",
    ),
    field(
        "mqtt.device",
        "the name of the host",
        NAME,
        "The box's name in topics and in Home Assistant.",
    ),
    field(
        "mqtt.client_id",
        "undertone-DEVICE",
        "1 to 128 bytes",
        "The box's name at the broker; two clients with the same one disconnect each other.",
    ),
    field("mqtt.user", "none", "text", "The user at the broker."),
    field(
        "mqtt.password",
        "none",
        "text",
        "The password; better in the environment (UNDERTONE_MQTT_PASSWORD) or in a file.",
    ),
    field(
        "mqtt.password_file",
        "none",
        "a path",
        "A file whose first line is the password; read for every connection.",
    ),
    field(
        "mqtt.topic_prefix",
        "\"undertone/v1\"",
        "a topic without + and #",
        "What every topic begins with.",
    ),
    field(
        "mqtt.keep_alive_s",
        "30",
        "5 to 3600",
        "After so many seconds of silence the broker is asked whether it is there.",
    ),
    field(
        "mqtt.retry_max_s",
        "60",
        "1 to 3600",
        "The longest wait between two tries to connect.",
    ),
    field(
        "mqtt.discovery",
        "true",
        "true, false",
        "Announce the box to Home Assistant.",
    ),
    field(
        "mqtt.discovery_prefix",
        "\"homeassistant\"",
        "a topic without + and #",
        "Where Home Assistant looks for announcements.",
    ),
    field("mqtt.levels", "false", "true, false", "Send levels."),
    field(
        "mqtt.level_interval_ms",
        "1000",
        "100 to 600000",
        "The least time between two levels of a channel.",
    ),
    field(
        "mqtt.tls.enabled",
        "true when mqtt.tls.ca or a certificate is given",
        "true, false",
        "Speak TLS.",
    ),
    field(
        "mqtt.tls.ca",
        "what the system trusts",
        "a PEM file",
        "The authorities that may sign the broker's certificate.",
    ),
    field(
        "mqtt.tls.certificate",
        "none",
        "a PEM file",
        "The box's own certificate, with whatever leads to its authority.",
    ),
    field(
        "mqtt.tls.key",
        "none",
        "a PEM file",
        "The key of the box's certificate.",
    ),
    field(
        "mqtt.outbox.path",
        "none: in memory",
        "a folder",
        "Where events wait for the broker across restarts.",
    ),
    field(
        "mqtt.outbox.max_events",
        "10000",
        "1 to 1000000",
        "Events that wait at most; then the oldest is given up.",
    ),
    field(
        "mqtt.outbox.max_bytes",
        "8388608",
        "65536 to 1073741824",
        "Bytes that they take at most.",
    ),
    field(
        "mqtt.outbox.max_age_s",
        "604800",
        "1 to 31536000",
        "How old they become at most.",
    ),
    field(
        "mqtt.outbox.sync_ms",
        "1000",
        "0 to 60000",
        "How much time the end of the power may take with it; 0: none, each event is forced onto the disk.",
    ),
];

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
    pub(super) fn settle(self) -> Result<Option<MqttSettings>, ConfigError> {
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
        let one = self.password.is_none() || self.password_file.is_none();
        check(
            one,
            "mqtt.password_file",
            &"given beside mqtt.password",
            "give one of them",
        )?;
        let tls = self.tls.settle()?;
        self.outbox.check()?;
        let settings = MqttSettings {
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
        };
        settings
            .password
            .read()
            .map_err(|failure| wrong("mqtt.password_file", "not usable", failure.cause()))?;
        Ok(Some(settings))
    }
}

impl MqttSettings {
    /// What the client has to know. When the box is gone without a word, the broker says `offline` on `availability`.
    pub(crate) fn client(&self, availability: &str) -> undertone_mqtt::Settings {
        undertone_mqtt::Settings {
            host: self.host.clone(),
            port: self.port,
            tls: self.tls.as_ref().map(Into::into),
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

impl MqttTlsSection {
    fn settle(self) -> Result<Option<Self>, ConfigError> {
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
        crate::sinks::check_tls(&self)
            .map_err(|reason| wrong("mqtt.tls", "not usable", &reason))?;
        Ok(Some(self))
    }
}

impl MqttOutboxSection {
    fn check(&self) -> Result<(), ConfigError> {
        within("mqtt.outbox.max_events", self.max_events, 1..=1_000_000)?;
        within("mqtt.outbox.max_bytes", self.max_bytes, 1 << 16..=1 << 30)?;
        within("mqtt.outbox.max_age_s", self.max_age_s, 1..=31_536_000)?;
        within("mqtt.outbox.sync_ms", self.sync_ms, 0..=60_000)?;
        let folder = self
            .path
            .as_deref()
            .is_none_or(|path| path.is_dir() || !Path::exists(path));
        check(
            folder,
            "mqtt.outbox.path",
            &"a file",
            "give a folder, which is made when it is not there",
        )
    }
}

fn check(
    holds: bool,
    field: &'static str,
    value: &dyn fmt::Display,
    remedy: &str,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(wrong(field, &value.to_string(), remedy))
}

fn wrong(field: &'static str, value: &str, remedy: &str) -> ConfigError {
    ConfigError::Value {
        field,
        value: value.into(),
        remedy: remedy.into(),
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

fn is_topic(topic: &str) -> bool {
    (1..=128).contains(&topic.len())
        && topic.split('/').all(|level| !level.is_empty())
        && !topic.contains(|letter: char| letter.is_control() || "+#$".contains(letter))
}

/// The name of the host, with what a topic cannot hold replaced.
fn host_name() -> String {
    // Both are Linux's; elsewhere the name below serves.
    let read = |path| std::fs::read_to_string(path).ok();
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    let name = name.unwrap_or_default();
    let name = name.trim();
    let name: String = name
        .chars()
        .take(64)
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .collect();
    if name.is_empty() {
        "undertone".into()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(text: &str) -> Result<Option<MqttSettings>, String> {
        let section: MqttSection = toml::from_str(text).map_err(|error| error.to_string())?;
        section.settle().map_err(|error| error.to_string())
    }

    #[test]
    fn a_host_is_enough_and_without_one_nothing_else_may_be_given() {
        let settings = settle("host = \"broker\"").unwrap().unwrap();
        assert_eq!((settings.port, settings.tls), (1883, None));
        assert_eq!(settings.client_id, format!("undertone-{}", settings.device));
        assert_eq!(settle(""), Ok(None));
        assert_eq!(
            settle("user = \"me\"").unwrap_err(),
            "mqtt.host is missing: name the broker, or leave [mqtt] out"
        );
    }

    #[test]
    fn tls_is_on_when_it_is_asked_for_and_moves_the_port() {
        // Every system that trusts anybody can check this; one that does not says so.
        match settle("host = \"b\"\ntls.enabled = true") {
            Ok(settings) => assert_eq!(settings.unwrap().port, 8883),
            Err(error) => assert!(error.contains("ca-certificates"), "{error}"),
        }
    }

    #[test]
    fn a_field_that_cannot_be_is_named_with_its_value_and_remedy() {
        for (line, begins) in [
            ("device = \"a/b\"", "mqtt.device is a/b: give one of a-z"),
            ("client_id = \"\"", "mqtt.client_id is : give 1 to 128"),
            (
                "topic_prefix = \"a/#\"",
                "mqtt.topic_prefix is a/#: give a topic",
            ),
            ("port = 0", "mqtt.port is 0: give a port"),
            (
                "keep_alive_s = 1",
                "mqtt.keep_alive_s is 1: give a value from 5 to 3600",
            ),
            (
                "password = \"x\"",
                "mqtt.user is missing: a password needs a user",
            ),
            (
                "tls.certificate = \"c.pem\"",
                "mqtt.tls.key is without its certificate",
            ),
            (
                "tls.ca = \"/nowhere/ca.pem\"",
                "mqtt.tls is not usable: certificate: /nowhere/ca.pem cannot be used",
            ),
            ("outbox.max_events = 0", "mqtt.outbox.max_events is 0: give"),
            (
                "user = \"u\"\npassword_file = \"/nowhere/p\"",
                "mqtt.password_file is not usable: /nowhere/p cannot be read",
            ),
        ] {
            let error = settle(&format!("host = \"b\"\n{line}")).unwrap_err();
            assert!(error.starts_with(begins), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let settings = settle("host = \"b\"\nuser = \"u\"\npassword = \"hunter2\"").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(
            settings.unwrap().password.read().unwrap().unwrap().reveal(),
            "hunter2"
        );
    }
}
