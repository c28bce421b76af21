//! What may be asked of a running daemon, and what it answers.

use serde::{Deserialize, Serialize};

use crate::status::Status;

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "command",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case",
    deny_unknown_fields
)]
pub enum Command {
    /// Close the microphones. Open utterances end with the reason `mute`.
    Mute,
    /// Open them again.
    Unmute,
    /// Read the configuration again, and change what it changes.
    Reload,
    /// Below this confidence a label is told as `unknown`; until the next start or reload.
    Threshold {
        /// The label; all of them when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        label: Option<String>,
        /// From 0 to 1.
        value: f32,
    },
    /// Say which box this is, on every way out.
    Identify,
    /// Say how it is.
    Status,
}

impl Command {
    /// Reads a command; a field that it does not have is refused, because whoever sent it expects something of it.
    ///
    /// # Errors
    /// [`CommandError::Malformed`] with what is wrong.
    pub fn read(json: &[u8]) -> Result<Self, CommandError> {
        let malformed = |error: serde_json::Error| CommandError::Malformed(error.to_string());
        let value: serde_json::Value = serde_json::from_slice(json).map_err(malformed)?;
        let command = Command::deserialize(&value).map_err(malformed)?;
        let known = serde_json::to_value(&command).map_err(malformed)?;
        let given = value.as_object().into_iter().flatten();
        for (field, value) in given {
            if known.get(field).is_none() && !value.is_null() {
                let name = command.name();
                return Err(CommandError::Malformed(format!("{name} has no {field:?}")));
            }
        }
        Ok(command)
    }

    /// The name by which it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Command::Mute => "mute",
            Command::Unmute => "unmute",
            Command::Reload => "reload",
            Command::Threshold { .. } => "threshold",
            Command::Identify => "identify",
            Command::Status => "status",
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "outcome",
    rename_all = "kebab-case",
    rename_all_fields = "snake_case"
)]
pub enum Outcome {
    /// Every microphone is closed.
    Muted,
    /// Every microphone is being opened.
    Unmuted,
    /// The new configuration is in use.
    Reloaded {
        /// The fields that differ, as `section.field`.
        changed: Vec<String>,
    },
    /// The threshold is in use.
    Threshold {
        /// The label; all of them when `None`.
        label: Option<String>,
        /// The threshold.
        value: f32,
    },
    /// Which box this is.
    Identified {
        /// The name of the host.
        host: String,
        /// The name of this run.
        boot_id: String,
        /// Version of the daemon.
        version: &'static str,
    },
    /// How it is.
    Status(Status),
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// More commands wait than are taken.
    #[error("too many commands are waiting; try again in a moment")]
    Busy,
    /// No answer within the deadline; the command may still be carried out.
    #[error("no answer within {0} ms; look at the status before trying again")]
    Timeout(u64),
    /// The daemon is starting or coming to its end.
    #[error("the daemon is not running")]
    NotRunning,
    /// It is no command.
    #[error("no command: {0}")]
    Malformed(String),
    /// A value is out of its range.
    #[error("{field} is {value}, but must lie between {min} and {max}")]
    Range {
        /// The field of the command.
        field: &'static str,
        /// The value as given.
        value: f32,
        /// The least that is allowed.
        min: f32,
        /// The most that is allowed.
        max: f32,
    },
    /// The model has no such label.
    #[error("the model has no label {label:?}; it has {known}")]
    Label {
        /// The label as given.
        label: String,
        /// The labels that there are.
        known: String,
    },
    /// The new configuration cannot be used; the old one stays in use.
    #[error("the old configuration stays in use: {0}")]
    Configuration(String),
    /// It cannot be done here.
    #[error("{0}")]
    Unsupported(String),
}

impl CommandError {
    /// A word for programs: `busy`, `timeout`, `not-running`, `malformed`, `range`, `label`, `configuration`, `unsupported`.
    pub fn code(&self) -> &'static str {
        match self {
            CommandError::Busy => "busy",
            CommandError::Timeout(_) => "timeout",
            CommandError::NotRunning => "not-running",
            CommandError::Malformed(_) => "malformed",
            CommandError::Range { .. } => "range",
            CommandError::Label { .. } => "label",
            CommandError::Configuration(_) => "configuration",
            CommandError::Unsupported(_) => "unsupported",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_by_name_and_nothing_else_is_taken() {
        let read = |text: &str| Command::read(text.as_bytes());
        assert_eq!(read(r#"{"command":"mute"}"#).unwrap(), Command::Mute);
        let threshold = read(r#"{"command":"threshold","label":"sad","value":0.5}"#).unwrap();
        assert_eq!(
            threshold,
            Command::Threshold {
                label: Some("sad".into()),
                value: 0.5
            }
        );
        for wrong in [
            r#"{"command":"format-disk"}"#,
            r#"{"command":"threshold"}"#,
            r#"{"command":"mute","now":true}"#,
            r#"{"command":"threshold","value":0.5,"colour":1}"#,
            "mute",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        for command in [Command::Mute, Command::Status, threshold] {
            let json = serde_json::to_value(&command).unwrap();
            assert_eq!(json["command"], command.name());
        }
    }
}
