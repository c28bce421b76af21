//! `undertoned report`: what support needs to know of a box, as one JSON object with a text for each file.
//!
//! In: configuration, logs, what the system says, what doctor finds. Out: `{"ok": true, "files": {NAME: TEXT}, "left_out":
//! [...]}`, which `undertone report` makes a zip of. Secrets leave the box at no time: the configuration is written anew from
//! the fields that are known not to be secret, and whatever is secret in it is also taken out of every other text
//! (`redact`), however it is encoded there. There is never audio in it: what is not text is left out, whatever it is called.

mod files;
mod material;
mod redact;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use self::files::{commands, logs, system};
use self::material::{Material, Report};
use crate::capture::SourceSpec;
use crate::doctor::{self, Place, Setup};
use crate::inventory;
use crate::model_file;

/// Prints what support needs to know, as JSON, without secrets and without audio.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,

    /// Another log file; may be given several times
    #[arg(long, value_name = "FILE")]
    log: Vec<PathBuf>,

    /// How long to listen to each microphone, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,

    /// As everywhere; this is always JSON
    #[arg(long, hide = true)]
    json: bool,
}

impl Args {
    /// Gathers, takes secrets out, prints.
    pub fn run(&self) {
        let report = self.gather();
        crate::print(&(serde_json::to_string(&report).unwrap_or_default() + "\n"));
    }

    fn gather(&self) -> Report {
        let found = doctor::examine(&self.place, Duration::from_secs(self.seconds.into()));
        let setup = Setup::find(&self.place);
        let mut material = Material::of(&found.host);
        for (name, file) in [
            ("configuration/undertoned.toml", setup.file.clone()),
            ("configuration/slots.toml", self.slots_file()),
        ] {
            let Some(file) = file else { continue };
            match doctor::read_short(&file) {
                Ok(text) => material.configuration(name, &text),
                Err(error) => material
                    .left_out
                    .push(format!("{}: {error}", file.display())),
            }
        }
        material.environment("configuration/environment.txt", &setup.environment);
        let mqtt = setup
            .settings
            .as_ref()
            .and_then(|settings| settings.mqtt.as_ref());
        let password = mqtt.and_then(|mqtt| mqtt.password.read().ok().flatten());
        material
            .secrets
            .extend(password.map(|password| password.reveal().to_owned()));

        let told: String = found.checks.iter().map(ToString::to_string).collect();
        material.texts.insert("doctor.txt".into(), told);
        let configured: Vec<SourceSpec> = setup
            .settings
            .iter()
            .flat_map(|settings| &settings.sources)
            .map(|source| source.spec.clone())
            .filter(|spec| matches!(spec, SourceSpec::Alsa(_)))
            .collect();
        let devices = serde_json::to_value(inventory::list(&configured));
        material.values = vec![
            (
                "doctor.json",
                serde_json::to_value(&found).unwrap_or_default(),
            ),
            ("devices.json", devices.unwrap_or_default()),
            ("versions.json", versions(&setup, &found.board)),
        ];
        material.texts.extend(system());
        material.texts.extend(commands());
        let (logs, left_out) = logs(&self.log);
        material.logs = logs;
        material.left_out.extend(left_out);
        material.cleaned()
    }

    fn slots_file(&self) -> Option<PathBuf> {
        let path = self.place.slots.clone();
        Some(path.unwrap_or_else(|| undertone_slots::SETTINGS_PATH.into()))
            .filter(|path| path.is_file())
    }
}

/// What runs, and what could.
fn versions(setup: &Setup, board: &str) -> Value {
    let model = match model_file::open(setup.model.as_deref()) {
        Ok(model) => {
            let about = model.metadata();
            json!({"hash": about.content_hash, "labels": about.labels})
        }
        Err(error) => json!({"error": error.to_string()}),
    };
    let slots = undertone_slots::Slots::look(&setup.slots.root).map(|slots| slots.status());
    let slots = match slots {
        Ok(status) => serde_json::to_value(status).unwrap_or_default(),
        Err(error) => json!({"error": error.to_string()}),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    json!({
        "undertoned": env!("CARGO_PKG_VERSION"),
        "arch": std::env::consts::ARCH,
        "board": board,
        "model": model,
        "slots": slots,
        "unix_time": now.map_or(0, |since| since.as_secs()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: [&str; 8] = [
        "hunter2hunter2",
        "p4ss-from-env",
        "u5er-inf0",
        "typo-secret",
        "MIIBVgIBADANBg",
        "nested-secret",
        "8731445509",
        "list-secret",
    ];

    /// A configuration that hides secrets wherever TOML lets one, and a log that repeats them.
    fn hostile(folder: &std::path::Path) -> Args {
        let at = |name: &str| folder.join(name);
        std::fs::write(
            at("undertoned.toml"),
            r#"# password = "hunter2hunter2"
[deployment]
purpose = "evaluation"
controller = "token: typo-secret"
[mqtt]
host = "mqtt://bob:u5er-inf0@broker"
user = "bob"
password = "hunter2hunter2"
passwort = "typo-secret"
device = "kitchen"
topic_prefix = """
-----BEGIN PRIVATE KEY-----
MIIBVgIBADANBg
-----END PRIVATE KEY-----"""
client_id = { password = "nested-secret" }
pin = 8731445509
[mqtt.tls]
key = "/etc/undertone/box.key"
[extra]
tokens = ["list-secret", { a = "nested-secret" }]
"#,
        )
        .unwrap();
        std::fs::write(
            at("env"),
            "UNDERTONE_MQTT_PASSWORD='p4ss-from-env'\nOTHER=p4ss-from-env\n",
        )
        .unwrap();
        std::fs::write(
            at("daemon.log"),
            "connected with hunter2hunter2\npassword=abcdef\nhttps://x:u5er-inf0@host/ p4ss-from-env 8731445509\nall is well\n",
        )
        .unwrap();
        let mut sound = b"RIFF\x24\0\0\0WAVEfmt ".to_vec();
        sound.extend([0u8; 400]);
        std::fs::write(at("sound.log"), sound).unwrap();
        Args {
            place: Place {
                config: Some(at("undertoned.toml")),
                env_file: at("env"),
                socket: Some(at("none.sock")),
                slots: Some(at("slots.toml")),
            },
            log: vec![at("daemon.log"), at("sound.log")],
            seconds: 1,
            json: true,
        }
    }

    #[test]
    fn no_secret_and_no_sound_is_in_a_report() {
        let folder = tempfile::tempdir().unwrap();
        let args = hostile(folder.path());
        let slots = format!(
            "root = \"{}\"\nboard = \"pc\"\n",
            folder.path().join("slots").display()
        );
        std::fs::write(folder.path().join("slots.toml"), slots).unwrap();
        let report = args.gather();
        assert!(
            !folder.path().join("slots").exists(),
            "a report changes nothing"
        );
        let whole = serde_json::to_string(&report).unwrap();
        for secret in SECRETS {
            assert!(!whole.contains(secret), "{secret} is in {whole}");
        }
        assert!(!whole.contains("abcdef") && !whole.contains("WAVEfmt"));
        let configuration = &report.files["configuration/undertoned.toml"];
        for kept in [
            "device = \"kitchen\"",
            "purpose = \"evaluation\"",
            "user = \"bob\"",
        ] {
            assert!(configuration.contains(kept), "{configuration}");
        }
        let log = &report.files["logs/daemon.log"];
        assert!(
            log.contains("all is well") && log.contains("connected with (redacted)"),
            "{log}"
        );
        let left_out = report.left_out.join("\n");
        assert!(
            left_out.contains("sound.log") && left_out.contains("not text"),
            "{left_out}"
        );
        for file in ["doctor.txt", "doctor.json", "devices.json", "versions.json"] {
            assert!(report.files.contains_key(file), "{file}");
        }
    }
}
