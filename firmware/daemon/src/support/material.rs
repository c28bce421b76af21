//! What was gathered, and the report that is left of it without secrets.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::files::{Log, cut};
use super::redact::{GONE, Redacted, Scrubber, configuration, environment};

/// What was gathered, secrets and all.
#[derive(Default)]
pub(super) struct Material {
    host: String,
    /// Values that must not be seen anywhere.
    pub(super) secrets: Vec<String>,
    configurations: Vec<(&'static str, Redacted)>,
    pub(super) values: Vec<(&'static str, Value)>,
    pub(super) texts: BTreeMap<String, String>,
    pub(super) logs: Vec<Log>,
    pub(super) left_out: Vec<String>,
}

/// Texts by the names of their files, and why others are not among them.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    ok: bool,
    version: &'static str,
    host: String,
    pub(super) files: BTreeMap<String, String>,
    pub(super) left_out: Vec<String>,
}

impl Material {
    /// Nothing yet, of a machine of this name.
    pub(super) fn of(host: &str) -> Self {
        Material {
            host: host.to_owned(),
            ..Material::default()
        }
    }

    /// A configuration file, of which only what is known not to be secret goes further.
    pub(super) fn configuration(&mut self, name: &'static str, text: &str) {
        let redacted = configuration(text);
        self.secrets.extend_from_slice(&redacted.secrets);
        self.configurations.push((name, redacted));
    }

    /// The environment, of which only names go further.
    pub(super) fn environment(&mut self, name: &str, variables: &[(String, String)]) {
        let (names, values) = environment(variables);
        self.texts.insert(name.to_owned(), names);
        self.secrets.extend(values);
    }

    /// What may be passed on.
    pub(super) fn cleaned(self) -> Report {
        let scrubber = Scrubber::new(&self.secrets);
        let mut files = BTreeMap::new();
        for (name, redacted) in self.configurations {
            files.insert(name.to_owned(), redacted.text(&scrubber));
        }
        for (name, value) in self.values {
            files.insert(name.to_owned(), format!("{:#}\n", scrubber.value(value)));
        }
        for (name, text) in self.texts {
            files.insert(name, scrubber.text(&text));
        }
        for Log { name, text } in self.logs {
            let name = scrubber.text(&name).replace(GONE, "redacted");
            // Half a secret would not be recognised.
            files.insert(format!("logs/{}", plain(&name)), cut(&scrubber.text(&text)));
        }
        Report {
            ok: true,
            version: env!("CARGO_PKG_VERSION"),
            host: scrubber.text(&self.host),
            files,
            left_out: self.left_out.iter().map(|why| scrubber.text(why)).collect(),
        }
    }
}

/// A name for a file in a zip.
fn plain(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::json;

    fn percent(secret: &str, keep: fn(u8) -> bool) -> String {
        let code = |byte: u8| {
            if keep(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        };
        secret.bytes().map(code).collect()
    }

    /// A secret as it may stand somewhere.
    fn forms(secret: &str) -> Vec<String> {
        let quoted = |text: &str| {
            let quoted = json!(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        };
        let ascii = |text: &str| -> String {
            let mut units = [0; 2];
            text.chars()
                .flat_map(|c| {
                    c.encode_utf16(&mut units)
                        .iter()
                        .map(|unit| format!("\\u{unit:04x}"))
                        .collect::<Vec<_>>()
                })
                .collect()
        };
        let debug = format!("{secret:?}");
        let whole = percent(secret, |byte| byte.is_ascii_alphanumeric());
        let lower_percent: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        vec![
            secret.to_owned(),
            quoted(secret),
            quoted(&quoted(secret)),
            ascii(secret),
            debug[1..debug.len() - 1].to_owned(),
            secret.replace('\'', "'\\''"),
            lower_percent.replace("%20", "+"),
            percent(&whole, |byte| byte.is_ascii_alphanumeric()),
            percent(secret, |byte| {
                !b"%@:/ \"".contains(&byte) && byte.is_ascii()
            }),
            whole,
            STANDARD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            STANDARD.encode(format!("user:{secret}")),
            STANDARD.encode(json!({"p": secret}).to_string()),
            secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ]
    }

    fn material(secret: &str) -> Material {
        let mut material = Material::default();
        let text = |text: &str| toml::Value::String(text.to_owned());
        let mqtt = toml::Table::from_iter([
            ("host".to_owned(), text("broker")),
            ("password".to_owned(), text(secret)),
            ("device".to_owned(), text("kitchen")),
            ("password_file".to_owned(), text("/etc/undertone/password")),
        ]);
        let table = toml::Table::from_iter([("mqtt".to_owned(), toml::Value::Table(mqtt))]);
        material.configuration("configuration/undertoned.toml", &table.to_string());
        let cause =
            "localhost:1883: authentication: the broker refuses user or password; purpose, on, a";
        for (place, form) in forms(secret).into_iter().enumerate() {
            let lines = [
                format!("says {form} at the end"),
                json!({"message": form, "url": format!("mqtt://u:{form}@host")}).to_string(),
                json!({"inner": json!({"deep": form}).to_string()}).to_string(),
                format!("Authorization: {form}"),
                "all is well".into(),
            ];
            material.logs.push(Log {
                name: format!("{place}.log"),
                text: lines.join("\n") + "\n",
            });
            material.left_out.push(format!("/tmp/{form}: not text"));
            material.values.push((
                "doctor.json",
                json!({"cause": cause, "said": form, form: 1}),
            ));
        }
        material
            .texts
            .insert("doctor.txt".into(), format!("fail     broker  {cause}\n"));
        material
    }

    fn check(secret: &str) {
        let report = material(secret).cleaned();
        let mut texts: Vec<&String> = report.files.values().collect();
        texts.extend(report.files.keys());
        texts.extend(&report.left_out);
        for form in forms(secret) {
            for text in &texts {
                assert!(!text.contains(&form), "{form:?} of {secret:?} is in {text}");
            }
        }
        let table: toml::Table =
            toml::from_str(&report.files["configuration/undertoned.toml"]).unwrap();
        assert_eq!(table["mqtt"]["device"].as_str(), Some("kitchen"));
        assert_eq!(
            table["mqtt"]["password_file"].as_str(),
            Some("/etc/undertone/password")
        );
        let doctor: Value = serde_json::from_str(&report.files["doctor.json"]).unwrap();
        assert!(
            doctor["cause"]
                .as_str()
                .unwrap()
                .ends_with("user or password; purpose, on, a"),
            "{doctor:#}"
        );
        assert!(report.files["doctor.txt"].ends_with("user or password; purpose, on, a\n"));
        for (name, text) in report
            .files
            .iter()
            .filter(|(name, _)| name.starts_with("logs/"))
        {
            assert!(text.ends_with("all is well\n"), "{name}: {text}");
            let objects: Vec<&str> = text.lines().filter(|line| line.starts_with('{')).collect();
            assert!(objects.len() == 2, "{name}: {text}");
            for object in objects {
                serde_json::from_str::<Value>(object)
                    .unwrap_or_else(|error| panic!("{error} in {object}"));
            }
        }
    }

    #[test]
    fn no_form_of_an_awkward_secret_survives() {
        for secret in [
            "a\"b\\c d%e+f",
            "ab\"c",
            "%41%42%43%44",
            "\\\\\\\\\"\"",
            "pässwörd ünd mehr",
            "😀😀 \\n😀😀",
            "it's'a secret",
            "=&;$(){}[]",
            "//u:p@h/x",
            "AAAA AAAA",
        ] {
            check(secret);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_form_of_a_secret_survives_and_the_report_stays_readable(secret in "[ -~]{8,24}|[a-zA-Z0-9\"\\\\%]{5,12}|[\"\\\\%äöß€😀 /+'x]{4,12}|\\PC{6,16}") {
            let letters = secret.trim().chars().filter(|c| !c.is_ascii_digit()).count();
            prop_assume!(letters >= 4);
            check(&secret);
        }
    }
}
