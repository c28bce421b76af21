//! Reading a bundle as a stream: signature, then manifest, then file by file, each checked before the next is begun.

use std::io::{self, ErrorKind, Read};

use sha2::{Digest, Sha256};

use super::{HEADER_BYTES, MAGIC, MAX_MANIFEST_BYTES, MAX_SIGNATURE_BYTES};
use crate::error::SlotsError;
use crate::keys::{self, TrustedKeys};
use crate::manifest::{FileEntry, Manifest};

/// A bundle whose manifest has been read.
#[derive(Debug)]
pub struct Bundle<R> {
    source: R,
    manifest: Manifest,
    manifest_bytes: Vec<u8>,
    signature: Vec<u8>,
    signer: Option<String>,
}

impl<R: Read> Bundle<R> {
    /// Reads up to the manifest and checks its signature.
    ///
    /// # Errors
    /// Why the bundle is refused. Nothing of the manifest is looked at before the signature holds.
    pub fn open(source: R, keys: &TrustedKeys) -> Result<Self, SlotsError> {
        let (source, signature, manifest_bytes) = front(source)?;
        if signature.is_empty() {
            return Err(SlotsError::Unsigned);
        }
        let signer = keys.verify(&manifest_bytes, &signature)?;
        Ok(Bundle {
            source,
            manifest: Manifest::parse(&manifest_bytes)?,
            manifest_bytes,
            signature,
            signer: Some(signer),
        })
    }

    /// Reads up to the manifest **without checking the signature**: to look at a bundle, or to sign it.
    ///
    /// # Errors
    /// As [`Bundle::open`], but for the signature.
    pub fn open_unverified(source: R) -> Result<Self, SlotsError> {
        let (source, signature, manifest_bytes) = front(source)?;
        let signer = if signature.is_empty() {
            None
        } else {
            Some(keys::signer(&signature)?)
        };
        Ok(Bundle {
            source,
            manifest: Manifest::parse(&manifest_bytes)?,
            manifest_bytes,
            signature,
            signer,
        })
    }

    /// What the bundle holds.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The manifest byte by byte, as it is signed.
    pub fn manifest_bytes(&self) -> &[u8] {
        &self.manifest_bytes
    }

    /// The signature in minisign's form; empty when there is none.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Identity of the key; checked only after [`Bundle::open`].
    pub fn signer(&self) -> Option<&str> {
        self.signer.as_deref()
    }

    /// Hands every file to `take`, in order, and checks length and hash of each after it was taken; then that the
    /// bundle ends.
    ///
    /// # Errors
    /// [`SlotsError::Truncated`], [`SlotsError::Tampered`], or what `take` returns. What was taken up to an error must
    /// not be used.
    pub fn files(
        mut self,
        mut take: impl FnMut(&FileEntry, &mut dyn Read) -> Result<(), SlotsError>,
    ) -> Result<Manifest, SlotsError> {
        for entry in &self.manifest.files {
            let name = entry.kind.file_name();
            let mut checked = Checked {
                source: &mut self.source,
                left: entry.bytes,
                hash: Sha256::new(),
                cut: false,
            };
            let taken = take(entry, &mut checked);
            if checked.cut {
                return Err(SlotsError::Truncated { what: name.into() });
            }
            taken?;
            if checked.left > 0 {
                return Err(SlotsError::Tampered {
                    what: format!("{name} was not read to its end"),
                });
            }
            if hex(&checked.hash.finalize()) != entry.sha256 {
                return Err(SlotsError::Tampered {
                    what: format!("{name} is not the file that the manifest names"),
                });
            }
        }
        match read_full(&mut self.source, &mut [0u8; 1]) {
            Ok(0) => Ok(self.manifest),
            Ok(_) => Err(SlotsError::Tampered {
                what: "something follows after the last file".into(),
            }),
            Err(reason) => Err(SlotsError::io("read", "the bundle")(reason)),
        }
    }
}

/// The source after the manifest, the signature, the manifest.
fn front<R: Read>(mut source: R) -> Result<(R, Vec<u8>, Vec<u8>), SlotsError> {
    let mut header = [0u8; HEADER_BYTES];
    let got = read_full(&mut source, &mut header).map_err(SlotsError::io("read", "the bundle"))?;
    if got < MAGIC.len() || header[..MAGIC.len()] != MAGIC {
        return Err(SlotsError::NotABundle("its first bytes are not UTBUNDL1"));
    }
    if got < HEADER_BYTES {
        return Err(SlotsError::Truncated {
            what: "the header".into(),
        });
    }
    let [.., a, b, c, d, e, f, g, h] = header;
    let signature = part(
        &mut source,
        "the signature",
        u32::from_le_bytes([a, b, c, d]),
        MAX_SIGNATURE_BYTES,
    )?;
    let manifest = part(
        &mut source,
        "the manifest",
        u32::from_le_bytes([e, f, g, h]),
        MAX_MANIFEST_BYTES,
    )?;
    Ok((source, signature, manifest))
}

fn part(
    source: &mut impl Read,
    what: &str,
    length: u32,
    limit: u32,
) -> Result<Vec<u8>, SlotsError> {
    if length > limit {
        return Err(SlotsError::Limit {
            what: format!("the length of {what}"),
            value: length.into(),
            limit: limit.into(),
        });
    }
    let mut bytes = vec![0u8; length as usize];
    let got = read_full(source, &mut bytes).map_err(SlotsError::io("read", "the bundle"))?;
    if got < bytes.len() {
        return Err(SlotsError::Truncated { what: what.into() });
    }
    Ok(bytes)
}

fn read_full(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// One file of the stream, hashed while it is read; never more than its length.
struct Checked<'a, R> {
    source: &'a mut R,
    left: u64,
    hash: Sha256,
    cut: bool,
}

impl<R: Read> Read for Checked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let count = self.source.read(&mut buffer[..most])?;
        if count == 0 {
            self.cut = true;
            return Err(ErrorKind::UnexpectedEof.into());
        }
        self.hash.update(&buffer[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
