//! `slots.toml`: where the slots of a box are, whom it trusts, and what counts as health.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
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
    /// The settings of a file; the defaults when it does not exist and was not asked for. Root takes them from a file of
    /// root's alone, because they name commands that root runs and keys that root trusts.
    ///
    /// # Errors
    /// [`SlotsError::Settings`] naming the field and what is allowed, or whom the file belongs to.
    pub fn read(path: Option<&Path>) -> Result<Self, SlotsError> {
        let (path, wanted) = match path {
            Some(path) => (path, true),
            None => (Path::new(SETTINGS_PATH), false),
        };
        let refuse = |reason: String| SlotsError::Settings {
            path: path.to_owned(),
            reason,
        };
        let file = match open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !wanted => {
                return Ok(Self::default());
            }
            Err(error) => return Err(refuse(error.to_string())),
            Ok(file) => file,
        };
        let system = |error: std::io::Error| refuse(error.to_string());
        // Of the file that is open: another one could be put in its place between looking and reading.
        let about = file.metadata().map_err(system)?;
        if !about.is_file() || about.len() > MAX_BYTES {
            return Err(refuse(format!("no file of at most {MAX_BYTES} bytes")));
        }
        if rustix::process::geteuid().is_root() {
            is_roots(path, &about).map_err(refuse)?;
        }
        let mut text = String::new();
        file.take(MAX_BYTES)
            .read_to_string(&mut text)
            .map_err(system)?;
        let settings: Self = toml::from_str(&text).map_err(|error| refuse(error.to_string()))?;
        settings.check().map_err(refuse)?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), String> {
        let places = [
            ("root", Some(&self.root)),
            ("keys", Some(&self.keys)),
            ("unit_link", self.unit_link.as_ref()),
        ];
        for (name, path) in places {
            let Some(path) = path else { continue };
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

/// Opens a file for reading; a pipe of that name does not keep anybody waiting.
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
}

/// Refuses a file that somebody else than root could have written.
fn is_roots(path: &Path, about: &Metadata) -> Result<(), String> {
    let shown = path.display();
    if about.uid() != 0 {
        return Err(format!(
            "they belong to user {}, and root follows those of root alone; if they are yours: chown root:root {shown}",
            about.uid()
        ));
    }
    if about.mode() & 0o022 != 0 {
        return Err(format!(
            "others than root may write them (mode {:03o}); if what stands there is yours: chmod 644 {shown}",
            about.mode() & 0o777
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn written(mode: u32, owner: Option<u32>) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "hold_s = 7\n").unwrap();
        fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
        if owner.is_some() {
            std::os::unix::fs::chown(file.path(), owner, None).unwrap();
        }
        file
    }

    #[test]
    fn what_others_than_root_can_write_is_refused() {
        let looked_at = |file: &tempfile::NamedTempFile| {
            is_roots(file.path(), &fs::metadata(file.path()).unwrap())
        };
        if !rustix::process::geteuid().is_root() {
            let told = looked_at(&written(0o644, None)).unwrap_err();
            assert!(told.contains("they belong to user"), "{told}");
            return;
        }
        for (mode, owner, begins) in [
            (0o644, Some(1), "they belong to user 1,"),
            (0o664, None, "others than root may write them (mode 664)"),
            (0o602, None, "others than root may write them (mode 602)"),
        ] {
            let file = written(mode, owner);
            let told = looked_at(&file).unwrap_err();
            assert!(told.starts_with(begins), "{told}");
            let error = Settings::read(Some(file.path())).unwrap_err();
            assert_eq!(error.code(), "bad-settings");
            assert!(error.to_string().contains(begins), "{error}");
        }
        let file = written(0o644, None);
        assert_eq!(Settings::read(Some(file.path())).unwrap().hold_s, 7);
    }

    #[test]
    fn a_pipe_is_refused_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slots.toml");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let error = Settings::read(Some(&path)).unwrap_err();
        assert!(error.to_string().contains("no file of at most"), "{error}");
    }
}
