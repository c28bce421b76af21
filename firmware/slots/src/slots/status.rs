//! What is in the slots.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{MANIFEST, Slot, State, View};
use crate::bundle::{MAX_MANIFEST_BYTES, hex};
use crate::error::SlotsError;
use crate::manifest::Manifest;
use crate::version::Version;

/// Everything about the slots of a box.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// What runs; none: the program that the system's package installed.
    pub current: Option<Slot>,
    /// Slot `a`.
    pub a: SlotStatus,
    /// Slot `b`.
    pub b: SlotStatus,
    /// What is remembered.
    #[serde(flatten)]
    pub state: State,
}

/// Everything about one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "condition")]
pub enum SlotStatus {
    /// Nothing was ever installed there.
    Empty,
    /// It holds what was signed.
    Intact {
        /// Its version.
        version: Version,
        /// The boards it is for.
        boards: Vec<String>,
    },
    /// It does not.
    Damaged {
        /// What is wrong.
        reason: String,
    },
}

impl View {
    /// Reads and hashes everything in both slots.
    pub fn status(&self) -> Status {
        let of = |slot: Slot| {
            if !self.folder(slot).exists() {
                return SlotStatus::Empty;
            }
            match self.intact(slot) {
                Ok(manifest) => SlotStatus::Intact {
                    version: manifest.version,
                    boards: manifest.boards,
                },
                Err(error) => SlotStatus::Damaged {
                    reason: error.to_string(),
                },
            }
        };
        Status {
            current: self.current(),
            a: of(Slot::A),
            b: of(Slot::B),
            state: self.state.clone(),
        }
    }

    /// The version in a slot; the lowest where it cannot be read.
    pub(super) fn version(&self, slot: Slot) -> Version {
        self.manifest(slot)
            .map_or(Version::default(), |manifest| manifest.version)
    }

    pub(super) fn manifest(&self, slot: Slot) -> Result<Manifest, SlotsError> {
        let path = self.folder(slot).join(MANIFEST);
        let damaged = |what: String| SlotsError::DamagedSlot { slot, what };
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|file| {
                file.take(u64::from(MAX_MANIFEST_BYTES) + 1)
                    .read_to_end(&mut bytes)
            })
            .map_err(|error| damaged(format!("{MANIFEST}: {error}")))?;
        Manifest::parse(&bytes).map_err(|error| damaged(error.to_string()))
    }

    /// The manifest of a slot whose files are all as it says.
    pub(super) fn intact(&self, slot: Slot) -> Result<Manifest, SlotsError> {
        let manifest = self.manifest(slot)?;
        for entry in &manifest.files {
            let name = entry.kind.file_name();
            let what = match hash(&self.folder(slot).join(name), entry.bytes) {
                Ok(found) if found == entry.sha256 => continue,
                Ok(_) => format!("{name} was changed"),
                Err(error) => format!("{name}: {error}"),
            };
            return Err(SlotsError::DamagedSlot { slot, what });
        }
        Ok(manifest)
    }
}

/// The hash of a file, of one byte more than it should have at most.
fn hash(path: &Path, bytes: u64) -> io::Result<String> {
    let mut file = File::open(path)?.take(bytes + 1);
    let mut hash = Sha256::new();
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&buffer[..count]);
    }
}
