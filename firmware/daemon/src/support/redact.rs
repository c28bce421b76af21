//! Taking secrets out, in three ways that do not depend on each other.
//!
//! 1. A configuration is written anew from its fields that are documented and not secret. Comments, unknown fields, values of
//!    an unexpected kind: all that is gone. One that is no TOML is left out as a whole.
//! 2. Every value that was gone in the first step is also taken out of every other text, wherever it stands.
//! 3. What looks like a secret is taken out anywhere: keys in PEM, `password=...`, `//user:password@host`.

use serde_json::Value as Json;
use toml::{Table, Value};

use crate::config::fields;

/// What stands where a secret was.
const GONE: &str = "(redacted)";
/// A shorter secret is found in too many words to be taken out of a text.
const SHORTEST: usize = 4;
/// What a name has in it that is followed by a secret.
const TELLTALE: [&str; 11] = [
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "api_key",
    "apikey",
    "psk",
    "authorization",
];
/// Fields that are documented, and secret.
const SECRET_FIELDS: [&str; 1] = ["mqtt.password"];
/// Fields of `slots.toml`; none is secret.
const SLOT_FIELDS: [&str; 10] = [
    "root",
    "keys",
    "board",
    "unit_link",
    "configuration",
    "restart",
    "health",
    "hold_s",
    "deadline_s",
    "max_starts",
];

/// A configuration without its secrets.
pub(super) struct Redacted {
    pub(super) text: String,
    /// What was taken out.
    pub(super) secrets: Vec<String>,
}

/// A configuration without its secrets.
pub(super) fn configuration(text: &str) -> Redacted {
    let Ok(table) = toml::from_str::<Table>(text) else {
        let lines = text.lines().count();
        return Redacted {
            text: format!("# It is no TOML ({lines} lines), and is left out.\n"),
            secrets: Vec::new(),
        };
    };
    let mut secrets = Vec::new();
    let kept = of_table("", &table, &mut secrets);
    Redacted {
        text: toml::to_string(&kept).unwrap_or_default(),
        secrets,
    }
}

fn of_table(path: &str, table: &Table, secrets: &mut Vec<String>) -> Table {
    let keep = |(name, value): (&String, &Value)| {
        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let within = format!("{below}.");
        let section =
            below == "thresholds" || fields().any(|field| field.name.starts_with(&within));
        let kept = match value {
            Value::Table(table) if section => Value::Table(of_table(&below, table, secrets)),
            Value::Array(list) if section => {
                let each = |value: &Value| match value {
                    Value::Table(table) => Value::Table(of_table(&below, table, secrets)),
                    other => gone(other, secrets),
                };
                Value::Array(list.iter().map(each).collect())
            }
            value if is_public(&below) => public(value, secrets),
            value => gone(value, secrets),
        };
        (shown_name(name), kept)
    };
    table.iter().map(keep).collect()
}

fn is_public(field: &str) -> bool {
    let documented = fields().any(|known| known.name == field)
        || field.starts_with("thresholds.")
        || SLOT_FIELDS.contains(&field);
    documented && !SECRET_FIELDS.contains(&field)
}

/// The value of a field that is not secret; what is in it may be all the same.
fn public(value: &Value, secrets: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => {
            let clean = without_patterns(text);
            if clean.trim_end() != text.trim_end() {
                secrets.push(text.clone());
            }
            Value::String(clean.trim_end_matches('\n').to_owned())
        }
        Value::Array(list) => {
            let each = |value: &Value| match value {
                Value::Table(_) | Value::Array(_) => gone(value, secrets),
                scalar => public(scalar, secrets),
            };
            Value::Array(list.iter().map(each).collect())
        }
        Value::Table(_) => gone(value, secrets),
        other => other.clone(),
    }
}

/// Takes a value out, and remembers every text and number in it.
fn gone(value: &Value, secrets: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => {
            secrets.push(text.clone());
            secrets.extend(text.lines().map(|line| line.trim().to_owned()));
        }
        Value::Table(table) => table.values().for_each(|value| drop(gone(value, secrets))),
        Value::Array(list) => list.iter().for_each(|value| drop(gone(value, secrets))),
        Value::Boolean(_) => {}
        other => secrets.push(other.to_string()),
    }
    Value::String(GONE.into())
}

/// A name that nobody would take for a name is none.
fn shown_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() <= 40 && name.bytes().all(plain) {
        name.to_owned()
    } else {
        GONE.to_owned()
    }
}

/// The names of the variables that concern the daemon, and the values that must not be seen.
pub(super) fn environment(variables: &[(String, String)]) -> (String, Vec<String>) {
    let ours = || {
        variables
            .iter()
            .filter(|(name, _)| name.starts_with("UNDERTONE_"))
    };
    let names = ours().map(|(name, _)| format!("{name}={GONE}\n")).collect();
    let telltale = |name: &str| {
        let name = name.to_lowercase();
        TELLTALE.iter().any(|word| name.contains(word))
    };
    let values = variables
        .iter()
        .filter(|(name, _)| telltale(name))
        .map(|(_, value)| value.clone())
        .collect();
    (names, values)
}

/// Takes known secrets, and what looks like one, out of texts.
pub(super) struct Scrubber(Vec<String>);

impl Scrubber {
    /// The longest first, so that a secret that is part of another does not break it up.
    pub(super) fn new(mut secrets: Vec<String>) -> Self {
        secrets.retain(|secret| secret.trim().len() >= SHORTEST && secret != GONE);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        Scrubber(secrets)
    }

    /// A text, line by line.
    pub(super) fn text(&self, text: &str) -> String {
        without_patterns(&self.without_known(text))
    }

    /// Every text in a value, names included.
    pub(super) fn value(&self, value: Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.text(&text).trim_end_matches('\n').to_owned()),
            Json::Array(list) => list.into_iter().map(|value| self.value(value)).collect(),
            Json::Object(fields) => Json::Object(
                fields
                    .into_iter()
                    .map(|(name, value)| (self.without_known(&name), self.value(value)))
                    .collect(),
            ),
            other => other,
        }
    }

    fn without_known(&self, text: &str) -> String {
        let replace = |text: String, secret: &String| text.replace(secret.as_str(), GONE);
        self.0.iter().fold(text.to_owned(), replace)
    }
}

/// Takes out what looks like a secret.
fn without_patterns(text: &str) -> String {
    let mut in_key = false;
    let mut out = String::new();
    for line in text.lines() {
        let begins = line.contains("-----BEGIN");
        if begins && !in_key {
            out.push_str(GONE);
            out.push('\n');
        }
        in_key |= begins;
        if !in_key {
            out.push_str(&after_telltale(&without_user(line)));
            out.push('\n');
        }
        in_key &= !line.contains("-----END");
    }
    out
}

/// `scheme://user:password@host` without what stands before the `@`.
fn without_user(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("//") {
        let (before, after) = rest.split_at(at + 2);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || "/\"'<>".contains(c));
        let host = &after[..end.unwrap_or(after.len())];
        match host.rfind('@') {
            Some(sign) => {
                out.push_str(GONE);
                rest = &after[sign..];
            }
            None => rest = after,
        }
    }
    out + rest
}

/// A line up to the value that follows a name such as `password`: `password=x`, `"token": "x"`, `--password x`.
fn after_telltale(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let value_at = |word: &str| {
        lower.match_indices(word).find_map(|(at, _)| {
            let option = lower[..at].ends_with("--");
            let rest = &lower[at + word.len()..];
            // The rest of the name, quotes, and what assigns.
            let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'))?;
            let after = rest[name..].trim_start_matches([' ', '\t', '"', '\'']);
            let assigned = after.trim_start_matches([':', '=', '>', ' ', '\t', '"', '\'']);
            let assigns = after.len() != assigned.len() && after.starts_with([':', '=']);
            let value = line.len() - assigned.len();
            let already = assigned.starts_with(GONE);
            (!assigned.is_empty() && !already && (assigns || option)).then_some(value)
        })
    };
    let first = TELLTALE.iter().filter_map(|word| value_at(word)).min();
    match first {
        Some(at) => format!("{}{GONE}", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_documented_and_not_secret_stays() {
        let text = "[deployment]\npurpose = \"evaluation\"\n[[source]]\nname = \"alsa:a\"\n[[source]]\nname = \"alsa:b\"\n\
                    pick = [0, 1]\n[thresholds]\nsad = 0.5\n[mqtt.outbox]\nmax_events = 5\n[mqtt.tls]\nkey = \"/etc/x.key\"\n";
        let redacted = configuration(text);
        let kept: Table = toml::from_str(&redacted.text).unwrap();
        assert_eq!(kept, toml::from_str::<Table>(text).unwrap());
        assert!(redacted.secrets.is_empty());
    }

    #[test]
    fn a_file_that_is_no_toml_is_left_out() {
        let redacted = configuration("password = hunter2\n");
        assert!(!redacted.text.contains("hunter2"), "{}", redacted.text);
    }

    #[test]
    fn values_of_unknown_fields_are_secrets_wherever_they_stand() {
        let redacted = configuration(
            "[mqtt]\nhost = \"b\"\npass = \"s3cr3t\"\nnumber = 123456\n[x.y]\nz = [\"deep-one\"]\n",
        );
        for secret in ["s3cr3t", "123456", "deep-one"] {
            assert!(redacted.secrets.iter().any(|gone| gone == secret));
        }
        let scrubber = Scrubber::new(redacted.secrets);
        let text = scrubber.text("a s3cr3t b\n123456 deep-one\n");
        assert_eq!(text, "a (redacted) b\n(redacted) (redacted)\n");
    }

    #[test]
    fn what_looks_like_a_secret_is_taken_out_of_any_text() {
        let scrubber = Scrubber::new(Vec::new());
        for (line, clean) in [
            (
                "mqtt://u:p@host:1 and //x@y",
                "mqtt://(redacted)@host:1 and //(redacted)@y",
            ),
            (
                "UNDERTONE_MQTT_PASSWORD=abc def",
                "UNDERTONE_MQTT_PASSWORD=(redacted)",
            ),
            (
                "{\"api_key\": \"abc\", \"x\": 1}",
                "{\"api_key\": \"(redacted)",
            ),
            ("run --password abc", "run --password (redacted)"),
            ("Authorization: Bearer abc", "Authorization: (redacted)"),
            (
                "check mqtt.user and the password, and the rights",
                "check mqtt.user and the password, and the rights",
            ),
            (
                "mqtt.password_file not usable",
                "mqtt.password_file not usable",
            ),
            ("https://host/path@1 stays", "https://host/path@1 stays"),
        ] {
            assert_eq!(scrubber.text(line), format!("{clean}\n"));
        }
        let key = "a\n-----BEGIN X-----\nAAAA\n-----END X-----\nb\n";
        assert_eq!(scrubber.text(key), "a\n(redacted)\nb\n");
        assert_eq!(scrubber.text("-----BEGIN X-----\nAAAA\n"), "(redacted)\n");
    }

    #[test]
    fn of_variables_only_names_are_told() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (names, values) = environment(&[
            pair("UNDERTONE_MQTT_HOST", "broker"),
            pair("UNDERTONE_MQTT_PASSWORD", "abcd"),
            pair("AWS_SECRET_ACCESS", "efgh"),
            pair("HOME", "/root"),
        ]);
        assert_eq!(
            names,
            "UNDERTONE_MQTT_HOST=(redacted)\nUNDERTONE_MQTT_PASSWORD=(redacted)\n"
        );
        assert_eq!(values, ["abcd", "efgh"]);
    }

    proptest! {
        #[test]
        fn no_secret_survives_under_any_name_that_is_not_documented(
            name in "[a-z]{1,12}", secret in "[A-Z0-9]{8,20}", noise in "[ -~]{0,40}",
        ) {
            let text = format!("[mqtt]\npassword = \"{secret}\"\n[zz]\n{name} = \"{secret}\"\n");
            let redacted = configuration(&text);
            prop_assert!(!redacted.text.contains(&secret));
            let scrubbed = Scrubber::new(redacted.secrets).text(&format!("{noise}{secret}{noise}"));
            prop_assert!(!scrubbed.contains(&secret));
        }

        #[test]
        fn any_text_can_be_scrubbed(text in "\\PC{0,200}") {
            let _ = Scrubber::new(vec!["abcd".into()]).text(&text);
            let _ = configuration(&text);
        }
    }
}
