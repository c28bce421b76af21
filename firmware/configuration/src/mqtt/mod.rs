//! `[mqtt]`: the broker, who we are to it, and what is sent.

mod fields;
mod names;
mod outbox;
mod section;
mod tls;

use std::fmt;

pub(crate) use fields::FIELDS;
pub use outbox::MqttOutboxSection;
pub use section::{MqttSection, MqttSettings};
pub use tls::MqttTlsSection;

use crate::error::ConfigError;

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
        let settings = settle("host = \"b\"\ntls.enabled = true").unwrap();
        assert_eq!(settings.unwrap().port, 8883);
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
            ("outbox.max_events = 0", "mqtt.outbox.max_events is 0: give"),
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
