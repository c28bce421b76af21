//! Which names are followed by a secret, and which words are everybody's.

use super::GONE;
use crate::config::fields;

/// What a name has in it that is followed by a secret.
const TELLTALE: [&str; 20] = [
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "api_key",
    "api-key",
    "apikey",
    "access_key",
    "accesskey",
    "private_key",
    "privatekey",
    "preshared",
    "psk",
    "wep_key",
    "authorization",
    "cookie",
    "bearer",
];
/// Names that are followed by a secret as a whole only.
const TELLTALE_ALONE: [&str; 2] = ["pass", "pw"];
/// Ends of names that say where a secret is, and not which.
const PLACE: [&str; 4] = ["file", "path", "dir", "folder"];

/// Words that a report is made of, beside those of the configuration. Whose password is one of them has none, and a text
/// without them would tell which.
const COMMON: [&str; 63] = [
    "admin",
    "alsa",
    "arm64",
    "audio",
    "authentication",
    "box",
    "broker",
    "busy",
    "card",
    "certificate",
    "check",
    "clock",
    "code",
    "configuration",
    "connected",
    "cpu",
    "daemon",
    "debian",
    "default",
    "degraded",
    "denied",
    "device",
    "disk",
    "doctor",
    "error",
    "evaluation",
    "fail",
    "failed",
    "false",
    "info",
    "kernel",
    "linux",
    "listening",
    "localhost",
    "memory",
    "microphone",
    "missing",
    "mosquitto",
    "muted",
    "network",
    "next",
    "none",
    "null",
    "outbox",
    "password",
    "permissions",
    "protocol",
    "raspberry",
    "redacted",
    "root",
    "running",
    "service",
    "skipped",
    "starting",
    "stdin",
    "stdout",
    "temperature",
    "throttling",
    "true",
    "undertone",
    "undertoned",
    "unknown",
    "warn",
];

/// True for a name that is followed by a secret.
pub(super) fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let place = PLACE.iter().any(|end| name.ends_with(end));
    let alone = name.rsplit('.').next().unwrap_or_default();
    !place && (TELLTALE.iter().any(|word| name.contains(word)) || TELLTALE_ALONE.contains(&alone))
}

/// True for a word that a report is made of.
pub(super) fn is_common(word: &str) -> bool {
    let word = word.to_lowercase();
    let documented = |text: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
            .any(|part| part == word || part.split(['-', '_']).any(|part| part == word))
    };
    COMMON.contains(&word.as_str())
        || fields().any(|field| documented(field.name) || documented(field.allowed))
}

/// The names of the variables that concern the daemon, and the values that must not be seen.
pub(crate) fn environment(variables: &[(String, String)]) -> (String, Vec<String>) {
    let ours = || {
        variables
            .iter()
            .filter(|(name, _)| name.starts_with("UNDERTONE_"))
    };
    let names = ours().map(|(name, _)| format!("{name}={GONE}\n")).collect();
    let values = variables
        .iter()
        .filter(|(name, _)| names_secret(name))
        .map(|(_, value)| value.clone())
        .collect();
    (names, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_variables_only_names_are_told() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (names, values) = environment(&[
            pair("UNDERTONE_MQTT_HOST", "broker"),
            pair("UNDERTONE_MQTT_PASSWORD", "abcd"),
            pair("UNDERTONE_MQTT_PASSWORD_FILE", "/etc/undertone/password"),
            pair("AWS_SECRET_ACCESS", "efgh"),
            pair("HOME", "/root"),
        ]);
        assert_eq!(
            names,
            "UNDERTONE_MQTT_HOST=(redacted)\nUNDERTONE_MQTT_PASSWORD=(redacted)\nUNDERTONE_MQTT_PASSWORD_FILE=(redacted)\n"
        );
        assert_eq!(values, ["abcd", "efgh"]);
    }

    #[test]
    fn words_of_the_report_are_common_and_others_are_not() {
        for word in [
            "purpose",
            "Evaluation",
            "microphone",
            "undertoned",
            "password",
            "true",
        ] {
            assert!(is_common(word), "{word}");
        }
        for word in ["hunter2", "tiger", "s3cr3t", "purposes2"] {
            assert!(!is_common(word), "{word}");
        }
    }
}
