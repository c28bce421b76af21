//! `setup.toml`: what a card is to become.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use crate::boards;
use crate::failure::Failure;

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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct User {
    pub(super) name: String,
    /// As `openssl passwd -6` prints it; none: log in by key only.
    pub(super) password_hash: Option<String>,
    /// Lines of authorized_keys.
    #[serde(default)]
    pub(super) ssh_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wifi {
    pub(super) ssid: String,
    pub(super) passphrase: String,
    /// Two letters; the law decides the channels.
    pub(super) country: String,
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
        use std::io::Read as _;
        let mut text = String::new();
        crate::bundle::open(path)?
            .take(1 << 20)
            .read_to_string(&mut text)
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
                format!("{host:?} is none; 1 to 63 of a-z, 0-9 and - are"),
            ));
        }
        if let Some(board) = &self.board {
            boards::named(board)?;
        }
        if self.microphone == Microphone::I2s && self.board.is_none() {
            return Err(refuse("board", "an I2S microphone needs to know the board"));
        }
        if let Some(zone) = &self.timezone {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
            if zone.is_empty() || zone.starts_with('/') || !zone.bytes().all(plain) {
                return Err(refuse(
                    "timezone",
                    format!("{zone:?} is none; Europe/Berlin is one"),
                ));
            }
        }
        self.check_user()?;
        self.check_wifi()?;
        for (name, value) in &self.environment {
            let plain =
                |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
            if !name.starts_with("UNDERTONE_") || !name.bytes().all(plain) {
                return Err(refuse(
                    "environment",
                    format!("{name:?} is no name; UNDERTONE_MQTT_PASSWORD is one"),
                ));
            }
            if value.chars().any(char::is_control) {
                return Err(refuse(
                    "environment",
                    format!("{name} has control characters"),
                ));
            }
        }
        Ok(())
    }

    fn check_user(&self) -> Result<()> {
        let User {
            name,
            password_hash,
            ssh_keys,
        } = &self.user;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        if !(1..=32).contains(&name.len())
            || !name.bytes().all(plain)
            || !name.starts_with(|first: char| first.is_ascii_lowercase())
            || name == "root"
        {
            return Err(refuse(
                "user.name",
                format!("{name:?} is none; a-z first, then a-z, 0-9, - and _ are, but not root"),
            ));
        }
        if let Some(hash) = password_hash {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"$./=,".contains(&byte);
            let known = ["$6$", "$5$", "$y$"]
                .iter()
                .any(|start| hash.starts_with(start));
            if !known || hash.len() < 20 || hash.len() > 256 || !hash.bytes().all(plain) {
                return Err(refuse(
                    "user.password_hash",
                    "it is no hash; never write the password itself, but what `openssl passwd -6` prints",
                ));
            }
        }
        for key in ssh_keys {
            let kind = key.split(' ').next().unwrap_or_default();
            let known = ["ssh-", "ecdsa-", "sk-"]
                .iter()
                .any(|start| kind.starts_with(start));
            if !known || key.split(' ').count() < 2 || key.chars().any(char::is_control) {
                return Err(refuse(
                    "user.ssh_keys",
                    format!("{kind:?}... is no public key; a line of ~/.ssh/id_ed25519.pub is"),
                ));
            }
        }
        if password_hash.is_none() && ssh_keys.is_empty() {
            return Err(refuse(
                "user",
                "with neither password_hash nor ssh_keys nobody could log in",
            ));
        }
        Ok(())
    }

    fn check_wifi(&self) -> Result<()> {
        let Some(wifi) = &self.wifi else {
            return Ok(());
        };
        if !(1..=32).contains(&wifi.ssid.len()) || wifi.ssid.chars().any(char::is_control) {
            return Err(refuse("wifi.ssid", "1 to 32 bytes are expected"));
        }
        let length = wifi.passphrase.len();
        let ascii = wifi
            .passphrase
            .bytes()
            .all(|byte| (32..127).contains(&byte));
        // IEEE 802.11-2020, annex J.4.
        if !(8..=63).contains(&length) || !ascii {
            return Err(refuse(
                "wifi.passphrase",
                format!("it has {length} characters; 8 to 63 of printable ASCII are expected"),
            ));
        }
        if wifi.country.len() != 2 || !wifi.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(refuse(
                "wifi.country",
                format!("{:?} is none; two capitals such as DE are", wifi.country),
            ));
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

impl Wifi {
    /// The key that the passphrase stands for, in 64 hexadecimal digits; the passphrase itself is not written to the
    /// card. IEEE 802.11-2020, annex J.4: PBKDF2-HMAC-SHA1, 4096 rounds, the SSID as salt.
    pub(super) fn psk(&self) -> String {
        let mut key = [0u8; 32];
        pbkdf2::pbkdf2_hmac::<sha1::Sha1>(
            self.passphrase.as_bytes(),
            self.ssid.as_bytes(),
            4096,
            &mut key,
        );
        key.iter().map(|byte| format!("{byte:02x}")).collect()
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
        let shown = include_str!("../../../../../docs/flash.md");
        let fields = include_str!("../../../../../docs/configuration.md");
        let variables: Vec<&str> = shown
            .lines()
            .filter_map(|line| line.trim().strip_prefix("UNDERTONE_"))
            .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
            .collect();
        assert_eq!(variables, ["MQTT_USER", "MQTT_PASSWORD"]);
        for name in variables {
            let field = name.to_lowercase().replacen('_', ".", 1);
            assert!(fields.contains(&format!("| `{field}` |")), "{field}");
        }
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        for (good, wrong, field) in [
            ("undertone-1", "Under tone", "hostname"),
            ("rpi-4", "toaster", "toaster"),
            ("Europe/Berlin", "/etc/passwd", "timezone"),
            ("\"field\"", "\"root\"", "user.name"),
            ("\"field\"", "\"a b\"", "user.name"),
            ("$6$saltsalt$", "hunter2", "user.password_hash"),
            ("ssh-ed25519 AAAA", "AAAA", "user.ssh_keys"),
            ("\"password\"", "\"short\"", "wifi.passphrase"),
            ("\"DE\"", "\"Germany\"", "wifi.country"),
            ("UNDERTONE_MQTT_PASSWORD", "PATH", "environment"),
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
