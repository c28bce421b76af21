//! `[control]`: the socket for commands.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::ConfigError;
use super::field::{Field, field};

/// Bytes that the system takes in the path of a socket, with its end.
const MAX_PATH: usize = 108;

pub(super) const FIELDS: &[Field] = &[field(
    "control.socket",
    "control.sock in $RUNTIME_DIRECTORY, where systemd sets it, otherwise none",
    "a path of less than 108 bytes; \"\" for none",
    "The Unix socket on which `undertoned ctl` asks; owner and group may (mode 0660).",
)];

/// The `[control]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ControlSection {
    /// Where the socket lies.
    pub socket: Option<PathBuf>,
}

impl ControlSection {
    /// In the folder that systemd made for this service, where nothing else is said.
    pub(super) fn default_in(&mut self, runtime_directory: Option<&str>) {
        // With several folders, the first is as good as any.
        let first = runtime_directory.and_then(|folders| folders.split(':').next());
        if let (None, Some(folder)) = (&self.socket, first) {
            self.socket = Some(Path::new(folder).join("control.sock"));
        }
    }

    pub(super) fn settle(self) -> Result<Option<PathBuf>, ConfigError> {
        let path = self.socket;
        match path {
            Some(path) if path.as_os_str().is_empty() => Ok(None),
            Some(path) if path.as_os_str().len() >= MAX_PATH => Err(ConfigError::Value {
                field: "control.socket",
                value: path.display().to_string(),
                remedy: format!("give a path of less than {MAX_PATH} bytes"),
            }),
            other => Ok(other),
        }
    }
}
