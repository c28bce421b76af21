//! The bundle: one file with a signature, a manifest and the files that the manifest names.

mod read;
mod write;

pub use read::Bundle;
pub(crate) use read::hex;
pub use write::write_bundle;

/// First bytes of a bundle, with the version of the layout.
pub const MAGIC: [u8; 8] = *b"UTBUNDL1";

/// Magic, length of the signature, length of the manifest.
pub(crate) const HEADER_BYTES: usize = 16;

/// No signature is longer.
pub const MAX_SIGNATURE_BYTES: u32 = 1024;

/// No manifest is longer.
pub const MAX_MANIFEST_BYTES: u32 = 64 * 1024;

/// No bundle holds more files.
pub const MAX_FILES: usize = 4;

/// No file is larger.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// All files together are not larger.
pub const MAX_TOTAL_BYTES: u64 = 512 << 20;
