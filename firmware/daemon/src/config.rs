//! The configuration (`undertone-configuration`), with what of it only this machine can tell.

use std::path::Path;

pub use undertone_configuration::*;
use undertone_mqtt::Password;

/// Reads every layer, and looks at the files that are named.
///
/// # Errors
/// The first thing that is wrong, with where it stands, the field, the value and what is allowed.
pub fn load(layers: &Layers) -> Result<Configuration, ConfigError> {
    let configuration = layers.load()?;
    if let Some(mqtt) = &configuration.settings.mqtt {
        check_mqtt(mqtt)?;
    }
    Ok(configuration)
}

fn check_mqtt(mqtt: &MqttSettings) -> Result<(), ConfigError> {
    let wrong = |field, value: &str, remedy: &str| ConfigError::Value {
        field,
        value: value.into(),
        remedy: remedy.into(),
    };
    if let Some(tls) = &mqtt.tls {
        crate::sinks::check_tls(tls).map_err(|reason| wrong("mqtt.tls", "not usable", &reason))?;
    }
    let folder = mqtt.outbox.path.as_deref();
    if folder.is_some_and(|path| !path.is_dir() && Path::exists(path)) {
        let remedy = "give a folder, which is made when it is not there";
        return Err(wrong("mqtt.outbox.path", "a file", remedy));
    }
    let field = match &mqtt.password {
        Password::File(_) => "mqtt.password_file",
        _ => "mqtt.password",
    };
    let password = mqtt.password.read();
    password
        .map(drop)
        .map_err(|failure| wrong(field, "not usable", failure.cause()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(lines: &str) -> Result<Configuration, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text =
            format!("[deployment]\npurpose = \"evaluation\"\n[mqtt]\nhost = \"b\"\n{lines}\n");
        std::fs::write(file.path(), text).unwrap();
        let layers = Layers {
            file: Some(file.path().to_owned()),
            ..Layers::default()
        };
        load(&layers).map_err(|error| error.to_string())
    }

    #[test]
    fn files_that_are_not_there_are_told_by_field_and_name() {
        for (lines, begins) in [
            (
                "tls.ca = \"/nowhere/ca.pem\"",
                "mqtt.tls is not usable: certificate: /nowhere/ca.pem cannot be used",
            ),
            (
                "user = \"u\"\npassword_file = \"/nowhere/p\"",
                "mqtt.password_file is not usable: /nowhere/p cannot be read",
            ),
            (
                "outbox.path = \"/proc/version\"",
                "mqtt.outbox.path is a file: give a folder",
            ),
        ] {
            let error = loaded(lines).unwrap_err();
            assert!(error.starts_with(begins), "{error}");
        }
        loaded("outbox.path = \"/nowhere/outbox\"").unwrap();
    }

    #[test]
    fn whom_the_system_trusts_can_be_checked_or_it_says_so() {
        match loaded("tls.enabled = true") {
            Ok(configuration) => assert_eq!(configuration.settings.mqtt.unwrap().port, 8883),
            Err(error) => assert!(error.contains("ca-certificates"), "{error}"),
        }
    }
}
