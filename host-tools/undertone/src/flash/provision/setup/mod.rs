//! `setup.toml`: what a card is to become.

mod country;
mod user;
mod wifi;
mod zone;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use crate::boards;
use crate::failure::Failure;
use crate::text;
use user::User;
use wifi::Wifi;

/// Everything about a new box. Paths are relative to the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::flash) struct Setup {
    /// Name of the box in its network.
    pub(super) hostname: String,
    /// The board, as below `boards/`.
    pub(super) board: Option<String>,
    /// `usb` (default) or `i2s`: an I2S microphone needs lines in config.txt.
    #[serde(default)]
    pub(super) microphone: Microphone,
    /// Time zone, such as Europe/Berlin.
    pub(super) timezone: Option<String>,
    /// Who may log in.
    pub(super) user: User,
    /// The wireless network.
    pub(super) wifi: Option<Wifi>,
    /// What is installed.
    #[serde(default)]
    pub(super) install: Install,
    /// Environment of the daemon: credentials of MQTT and the like.
    #[serde(default)]
    pub(super) environment: BTreeMap<String, String>,
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Microphone {
    #[default]
    Usb,
    I2s,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Install {
    /// The package undertoned (.deb) for the board.
    pub(super) package: Option<PathBuf>,
    /// A model (.onnx).
    pub(super) model: Option<PathBuf>,
    /// Configuration of the daemon.
    pub(super) configuration: Option<PathBuf>,
    /// Public keys whose bundles the box takes.
    #[serde(default)]
    pub(super) keys: Vec<PathBuf>,
}

fn refuse(field: &str, problem: impl std::fmt::Display) -> anyhow::Error {
    Failure::error(
        "bad-setup",
        format!("{field}: {problem}"),
        "correct the setup file; docs/flash.md has an example with every field",
    )
}

impl Setup {
    pub(in crate::flash) fn read(path: &Path) -> Result<Self> {
        let text = text::bounded(crate::bundle::open(path)?, 1 << 20)
            .map_err(|error| refuse("the file", error))?;
        let mut setup = Self::parse(&text)?;
        setup.folder = path.parent().unwrap_or(Path::new(".")).to_owned();
        Ok(setup)
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        let setup: Self = toml::from_str(text)
            .map_err(|error| refuse("the file", undertone_deployment::toml_fault(text, &error)))?;
        setup.check()?;
        Ok(setup)
    }

    fn check(&self) -> Result<()> {
        let host = &self.hostname;
        // RFC 1123, section 2.1.
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=63).contains(&host.len())
            || !host.bytes().all(plain)
            || host.starts_with('-')
            || host.ends_with('-')
        {
            return Err(refuse(
                "hostname",
                format!("{host:?} is not a host name; use 1 to 63 of a-z, 0-9 and -"),
            ));
        }
        if let Some(board) = &self.board {
            boards::named(board)?;
        }
        if self.microphone == Microphone::I2s && self.board.is_none() {
            return Err(refuse("board", "an I2S microphone needs to know the board"));
        }
        if let Some(zone) = &self.timezone {
            zone::check(zone).map_err(|problem| refuse("timezone", problem))?;
        }
        self.user.check()?;
        if let Some(wifi) = &self.wifi {
            wifi.check()?;
        }
        let names = self.environment.keys().map(String::as_str);
        undertone_configuration::check_variables(names)
            .map_err(|problem| refuse("environment", problem))?;
        for (name, value) in &self.environment {
            if value.chars().any(char::is_control) {
                return Err(refuse(
                    "environment",
                    format!("{name} has control characters"),
                ));
            }
        }
        Ok(())
    }

    /// Lines for config.txt that the microphone needs.
    pub(super) fn overlay(&self) -> Result<Option<Vec<String>>> {
        let (Microphone::I2s, Some(name)) = (&self.microphone, &self.board) else {
            return Ok(None);
        };
        let board = boards::named(name)?;
        let i2s = board.audio.into_iter().find(|audio| audio.kind == "i2s");
        let lines = i2s.map(|audio| audio.setup).unwrap_or_default();
        if !name.starts_with("rpi-") || lines.is_empty() {
            return Err(refuse(
                "microphone",
                format!(
                    "{} takes no lines of config.txt; see boards/{name}/notes.md",
                    board.title
                ),
            ));
        }
        Ok(Some(lines))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::flash::provision) const GOOD: &str = r#"
hostname = "undertone-1"
board = "rpi-4"
microphone = "i2s"
timezone = "Europe/Berlin"
[user]
name = "field"
password_hash = "$6$saltsalt$abcdefghijklmnopqrstuvwxyz0123456789"
ssh_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample me@here"]
[wifi]
ssid = "IEEE"
passphrase = "password"
country = "DE"
[environment]
UNDERTONE_MQTT_PASSWORD = "it's \"secret\" $HOME"
"#;

    #[test]
    fn the_key_of_a_wireless_network_is_that_of_the_standards_test_vector() {
        let setup = Setup::parse(GOOD).unwrap();
        assert_eq!(
            setup.wifi.unwrap().psk(),
            "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
        );
    }

    #[test]
    fn the_variables_that_the_documentation_shows_are_fields_of_the_daemon() {
        let shown = include_str!("../../../../../../docs/flash.md");
        let variables: Vec<&str> = shown
            .lines()
            .filter_map(|line| line.trim().split_once(" = "))
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("UNDERTONE_"))
            .collect();
        assert_eq!(
            variables,
            ["UNDERTONE_MQTT_USER", "UNDERTONE_MQTT_PASSWORD"]
        );
        undertone_configuration::check_variables(variables).unwrap();
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        for (good, wrong, field) in [
            ("undertone-1", "Under tone", "hostname"),
            ("rpi-4", "toaster", "toaster"),
            ("Europe/Berlin", "/etc/passwd", "timezone"),
            ("Europe/Berlin", "Europe/Berln", "Europe/Berlin"),
            ("\"field\"", "\"root\"", "user.name"),
            ("\"field\"", "\"a b\"", "user.name"),
            ("$6$saltsalt$", "hunter2", "user.password_hash"),
            ("ssh-ed25519 AAAA", "AAAA", "user.ssh_keys"),
            ("\"password\"", "\"short\"", "wifi.passphrase"),
            ("\"DE\"", "\"Germany\"", "wifi.country"),
            ("\"DE\"", "\"UK\"", "wifi.country"),
            ("UNDERTONE_MQTT_PASSWORD", "PATH", "environment"),
            (
                "UNDERTONE_MQTT_PASSWORD",
                "UNDERTONE_MQTT_PASWORD",
                "UNDERTONE_MQTT_PASSWORD",
            ),
            ("timezone =", "timzone =", "timzone"),
        ] {
            assert!(GOOD.contains(good), "{good}");
            let error = Setup::parse(&GOOD.replace(good, wrong)).unwrap_err();
            assert!(error.to_string().contains(field), "{field}: {error}");
        }
        let nobody = "hostname = \"a\"\n[user]\nname = \"b\"\n";
        assert!(Setup::parse(nobody).is_err());
    }
}
