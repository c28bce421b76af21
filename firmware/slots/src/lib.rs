//! Signed bundles, and the two slots of a box that they are installed into.
//!
//! In: the bytes of a bundle from anywhere (a network, a USB stick), the public keys that the box trusts, the board that
//! it is. Out: a slot that holds exactly what was signed, and a link `current` that names the slot to run.
//!
//! - Nothing of a bundle is believed before the signature over its manifest holds, and no file is kept whose hash is not
//!   the manifest's. Sizes are bounded before anything is read; nothing is compressed; names cannot leave the slot.
//! - Installing never touches the slot that runs. The switch is one rename; a power cut at any step leaves the old slot
//!   or the new one.
//! - A new slot is on trial until it is committed. Too many starts, or a deadline without health, take the old one back.
//! - What was committed with a minimum version never goes below it again.
//!
//! It does not restart services, ask for health or open connections: that is for the programs that use it. The format is
//! described byte by byte in `docs/bundle-format.md`.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod board;
mod bundle;
mod error;
mod keys;
mod manifest;
mod settings;
mod slots;
mod version;

pub use board::{BOARDS, KnownBoard, board_file, board_of_model, own_board};
pub use bundle::{
    Bundle, MAGIC, MAX_FILE_BYTES, MAX_FILES, MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES,
    MAX_TOTAL_BYTES, write_bundle,
};
pub use error::SlotsError;
pub use keys::{SIGNATURE_COMMENT, TrustedKeys, key_id_text};
pub use manifest::{FORMAT, FileEntry, FileKind, Manifest, PRODUCT};
pub use settings::{SETTINGS_PATH, Settings};
pub use slots::{
    Bounds, Contents, Decision, Ending, Fs, Last, Moment, Slot, SlotStatus, Slots, State, Status,
    SystemFs, Trial, View,
};
pub use version::Version;
