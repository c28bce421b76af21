//! Opening the outbox on the disk, which another sink may still have.

use std::io::ErrorKind;
use std::time::Duration;

use super::{Folder, Journal, Outbox, SEGMENT_BYTES};
use crate::config::MqttOutboxSection;
use crate::sinks::SinkError;
use crate::sinks::mqtt::NAME;
use crate::talk::say;

/// What became of opening the outbox on the disk.
pub(in crate::sinks::mqtt) enum Opened {
    /// It is there, if one is wanted.
    Ready(Option<Box<Journal>>),
    /// Another sink of this process has it.
    Held,
}

impl Outbox {
    /// Says how many events of before there are.
    pub(in crate::sinks::mqtt) fn say_waiting(&self) {
        if self.waiting() > 0 {
            say!(
                "mqtt: {} event(s) of before wait in the outbox",
                self.waiting()
            );
        }
    }
}

/// Opens the outbox on the disk, if one is configured.
///
/// # Errors
/// [`SinkError::Start`] when it cannot be used.
pub(in crate::sinks::mqtt) fn open(settings: &MqttOutboxSection) -> Result<Opened, SinkError> {
    let Some(path) = &settings.path else {
        return Ok(Opened::Ready(None));
    };
    let failed = |reason: String| SinkError::Start {
        name: NAME,
        reason: format!("the outbox in {}: {reason}", path.display()),
    };
    let folder = match Folder::open(path) {
        Ok(folder) => folder,
        Err(error) => match error.kind() {
            ErrorKind::ResourceBusy => return Ok(Opened::Held),
            ErrorKind::WouldBlock => return Err(failed("another undertoned uses it".into())),
            _ => {
                return Err(failed(format!(
                    "{error}; make it writable for this user, or change mqtt.outbox.path"
                )));
            }
        },
    };
    let interval = Duration::from_millis(settings.sync_ms);
    let journal = Journal::open(Box::new(folder), interval, SEGMENT_BYTES)
        .map_err(|error| failed(error.to_string()))?;
    if journal.damaged() > 0 {
        let bytes = journal.damaged();
        say!("mqtt: the outbox had a torn end; {bytes} byte(s) of it are not used");
    }
    Ok(Opened::Ready(Some(Box::new(journal))))
}
