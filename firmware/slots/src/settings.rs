//! `slots.toml`: where the slots of a box are, whom it trusts, and what counts as health.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::error::SlotsError;
use crate::manifest::is_name;

/// Where the settings are when nothing else is said.
pub const SETTINGS_PATH: &str = "/etc/undertone/slots.toml";

/// No settings are longer.
const MAX_BYTES: u64 = 64 * 1024;

/// The settings; every field has a default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Folder of the slots; only root may write there.
    pub root: PathBuf,
    /// Folder of the trusted public keys.
    pub keys: PathBuf,
    /// The board; found out when it is not said.
    pub board: Option<String>,
    /// Link of the service to the unit of the current slot; none: units of bundles are kept and not used.
    pub unit_link: Option<PathBuf>,
    /// Configuration of the daemon when the slot brings none.
    pub configuration: PathBuf,
    /// Restarts the daemon; a program and its arguments.
    pub restart: Vec<String>,
    /// Succeeds when the daemon is well; a program and its arguments.
    pub health: Vec<String>,
    /// How long health must hold without a break before a slot is committed, in seconds (1-3600).
    pub hold_s: u32,
    /// When a slot that was not committed is given up, in seconds after its installation (5-86400).
    pub deadline_s: u32,
    /// How often a slot on trial may be started (1-100).
    pub max_starts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        Settings {
            root: "/opt/undertone".into(),
            keys: "/etc/undertone/keys".into(),
            board: None,
            unit_link: None,
            configuration: "/etc/undertone/undertoned.toml".into(),
            restart: words("systemctl restart undertoned.service"),
            health: words("systemctl is-active --quiet undertoned.service"),
            hold_s: 10,
            deadline_s: 120,
            max_starts: 3,
        }
    }
}

impl Settings {
    /// The settings of a file; the defaults when it does not exist and was not asked for.
    ///
    /// # Errors
    /// [`SlotsError::Settings`] naming the field and what is allowed.
    pub fn read(path: Option<&Path>) -> Result<Self, SlotsError> {
        let (path, wanted) = match path {
            Some(path) => (path, true),
            None => (Path::new(SETTINGS_PATH), false),
        };
        let refuse = |reason: String| SlotsError::Settings {
            path: path.to_owned(),
            reason,
        };
        match fs::metadata(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !wanted => {
                return Ok(Self::default());
            }
            Err(error) => return Err(refuse(error.to_string())),
            Ok(about) if !about.is_file() || about.len() > MAX_BYTES => {
                return Err(refuse(format!("no file of at most {MAX_BYTES} bytes")));
            }
            Ok(_) => {}
        }
        let text = fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        let settings: Self = toml::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        settings.check().map_err(refuse)?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        for (name, path) in [("root", &self.root), ("keys", &self.keys)] {
            if !path.is_absolute() {
                return Err(format!("{name} is {path:?}, an absolute path is expected"));
            }
        }
        if let Some(board) = self.board.as_ref().filter(|board| !is_name(board)) {
            return Err(format!(
                "board is {board:?}, a name such as rpi-4 is expected"
            ));
        }
        for (name, value, least, most) in [
            ("hold_s", self.hold_s, 1, 3600),
            ("deadline_s", self.deadline_s, 5, 86_400),
            ("max_starts", self.max_starts, 1, 100),
        ] {
            if !(least..=most).contains(&value) {
                return Err(format!("{name} is {value}, {least} to {most} is expected"));
            }
        }
        if self.hold_s >= self.deadline_s {
            return Err(format!(
                "hold_s is {}, less than deadline_s ({}) is expected",
                self.hold_s, self.deadline_s
            ));
        }
        for (name, command) in [("restart", &self.restart), ("health", &self.health)] {
            if command.first().is_none_or(String::is_empty) {
                return Err(format!("{name} is empty, a command is expected"));
            }
        }
        Ok(())
    }

    /// How long health must hold.
    pub fn hold(&self) -> Duration {
        Duration::from_secs(self.hold_s.into())
    }
}
