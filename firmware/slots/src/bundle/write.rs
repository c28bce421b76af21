//! Writing a bundle.

use std::io::{self, Read, Write};

use super::{MAGIC, MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES};

/// Writes header, signature (empty for none), manifest and files; the files are to be those that the manifest names,
/// in its order.
///
/// # Errors
/// What reading or writing says, or that signature or manifest are longer than a reader takes.
pub fn write_bundle(
    to: &mut impl Write,
    signature: &[u8],
    manifest: &[u8],
    files: &mut dyn Read,
) -> io::Result<()> {
    let length = |bytes: &[u8], limit: u32, what: &str| {
        u32::try_from(bytes.len())
            .ok()
            .filter(|length| *length <= limit)
            .ok_or_else(|| io::Error::other(format!("{what} is longer than {limit} bytes")))
    };
    let signature_length = length(signature, MAX_SIGNATURE_BYTES, "the signature")?;
    let manifest_length = length(manifest, MAX_MANIFEST_BYTES, "the manifest")?;
    to.write_all(&MAGIC)?;
    to.write_all(&signature_length.to_le_bytes())?;
    to.write_all(&manifest_length.to_le_bytes())?;
    to.write_all(signature)?;
    to.write_all(manifest)?;
    io::copy(files, to)?;
    to.flush()
}
