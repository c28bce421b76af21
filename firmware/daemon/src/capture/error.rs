//! Why a source of audio does not deliver.

use undertone_decode::DecodeError;

/// What is wrong with a source, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// A recording cannot be read.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Standard input fails.
    #[error("standard input cannot be read: {0}")]
    Stdin(std::io::Error),
    /// Standard input ended before its first frame.
    #[error(
        "standard input is empty; pipe audio into it: WAV, FLAC, Ogg, or 16-bit little-endian samples"
    )]
    StdinEmpty,
    /// The device does not exist.
    #[error("no capture device {name:?}: {reason}\n{}", existing(available))]
    Missing {
        /// The name asked for.
        name: String,
        /// What the system says.
        reason: String,
        /// The names of devices that exist.
        available: Vec<String>,
    },
    /// The device exists, but another program holds it.
    #[error(
        "capture device {name:?} is in use by another program: {reason}; close that program, or share the device"
    )]
    Busy {
        /// The name asked for.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// The device exists, but this user may not open it.
    #[error("capture device {name:?} may not be opened: {reason}; add the user to the group audio")]
    Denied {
        /// The name asked for.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// The channels that were picked, or their roles, do not fit the source.
    #[error("the source has {channels} channel(s), but {reason}")]
    Channels {
        /// Channels of the source.
        channels: usize,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// The device cannot deliver anything that is understood here.
    #[error("capture device {name:?} does not offer {what}: {reason}")]
    Unsupported {
        /// The name asked for.
        name: String,
        /// The setting that was asked for.
        what: String,
        /// What the system says.
        reason: String,
    },
    /// The device failed in a way that has no better name.
    #[error(
        "capture device {name:?} failed to {action}: {reason}; `undertoned --list-devices` shows what there is"
    )]
    Device {
        /// The name asked for.
        name: String,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        reason: String,
    },
}

fn existing(available: &[String]) -> String {
    if available.is_empty() {
        return "there is no capture device at all; is a microphone plugged in, and is the user in the group audio?".into();
    }
    format!("these exist:\n  {}", available.join("\n  "))
}
