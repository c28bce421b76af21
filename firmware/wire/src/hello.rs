//! The message by which a box says who it is.

use serde::{Deserialize, Serialize};

use crate::SCHEMA_HASH;

/// Who is talking. Its 88 bytes, and the frame header before them, are the same in every protocol version, so that
/// any version of the other side can tell what it is connected to.
///
/// Sent first after a start and again from time to time, for those who plug in later. Texts are ASCII, filled up with zero bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Product name.
    pub product: [u8; 16],
    /// Version of the box's software, as `major.minor.patch`.
    pub firmware: [u8; 16],
    /// [`SCHEMA_HASH`] of the sender.
    pub schema: [u8; 8],
    /// SHA-256 that names the model in use; zeros when there is none.
    pub model: [u8; 32],
    /// Random number drawn at each start of the sender: with it, sequence numbers and event ids are unique.
    pub boot: [u8; 16],
}

const _: () = assert!(size_of::<Hello>() == Hello::LEN);

impl Hello {
    /// Size of the payload in bytes, forever.
    pub const LEN: usize = 88;

    /// A Hello of this schema. Texts are cut at 16 bytes; what is not printable ASCII becomes `?`.
    pub fn new(product: &str, firmware: &str, model: [u8; 32], boot: [u8; 16]) -> Self {
        Self {
            product: padded(product),
            firmware: padded(firmware),
            schema: SCHEMA_HASH,
            model,
            boot,
        }
    }

    /// The product name without its filling; empty when it is not ASCII.
    pub fn product(&self) -> &str {
        unpadded(&self.product)
    }

    /// The software version without its filling; empty when it is not ASCII.
    pub fn firmware(&self) -> &str {
        unpadded(&self.firmware)
    }
}

fn padded(text: &str) -> [u8; 16] {
    let mut out = [0; 16];
    for (slot, character) in out.iter_mut().zip(text.chars()) {
        *slot = u8::try_from(character)
            .ok()
            .filter(|byte| matches!(byte, b' '..=b'~'))
            .unwrap_or(b'?');
    }
    out
}

fn unpadded(bytes: &[u8; 16]) -> &str {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    match core::str::from_utf8(&bytes[..end]) {
        Ok(text) if text.is_ascii() => text,
        _ => "",
    }
}
