//! Public keys that are trusted, and signatures in one form only.
//!
//! The signature is minisign's, prehashed. Of the many spellings that minisign accepts, a bundle may have just one: four
//! lines, a fixed untrusted comment, canonical base64. So no byte of a bundle can be changed without notice.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{PublicKey, Signature};

use crate::error::SlotsError;

/// First line of a bundle's signature, after `untrusted comment: `.
pub const SIGNATURE_COMMENT: &str = "undertone bundle";

/// No public key file is longer.
const MAX_KEY_BYTES: u64 = 4096;

/// No box trusts more keys.
const MAX_KEYS: usize = 32;

/// Keys whose signatures count.
#[derive(Debug, Clone)]
pub struct TrustedKeys {
    keys: Vec<(String, PublicKey)>,
    source: PathBuf,
}

impl TrustedKeys {
    /// Every `*.pub` of a folder.
    ///
    /// # Errors
    /// [`SlotsError::NoKeys`] when there is none, [`SlotsError::BadKey`] when one is no key, [`SlotsError::TooManyKeys`],
    /// and [`SlotsError::Io`] when the folder cannot be read.
    pub fn from_folder(folder: &Path) -> Result<Self, SlotsError> {
        let none = || SlotsError::NoKeys {
            folder: folder.to_owned(),
        };
        let entries = fs::read_dir(folder).map_err(|error| match error.kind() {
            ErrorKind::NotFound => none(),
            _ => SlotsError::io("read", folder)(error),
        })?;
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.map_err(SlotsError::io("read", folder))?.path();
            if path.extension().is_some_and(|end| end == "pub") {
                paths.push(path);
            }
            // Which of them counted would be chance.
            if paths.len() > MAX_KEYS {
                return Err(SlotsError::TooManyKeys {
                    folder: folder.to_owned(),
                    limit: MAX_KEYS,
                });
            }
        }
        paths.sort();
        let keys = paths.iter().map(|path| read_key(path));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(none());
        }
        Ok(TrustedKeys {
            keys,
            source: folder.to_owned(),
        })
    }

    /// One public key file, as `minisign -G` writes it.
    ///
    /// # Errors
    /// [`SlotsError::BadKey`].
    pub fn from_file(path: &Path) -> Result<Self, SlotsError> {
        Ok(TrustedKeys {
            keys: vec![read_key(path)?],
            source: path.to_owned(),
        })
    }

    /// Checks a signature over a message; the identity of the key that it is by.
    ///
    /// # Errors
    /// [`SlotsError::Tampered`] or [`SlotsError::ForeignKey`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<String, SlotsError> {
        let (id, signature) = decode(signature)?;
        let Some((_, key)) = self.keys.iter().find(|(own, _)| *own == id) else {
            let own: Vec<&str> = self.keys.iter().map(|(id, _)| id.as_str()).collect();
            return Err(SlotsError::ForeignKey {
                key: id,
                trusted: format!("{} ({})", own.join(", "), self.source.display()),
            });
        };
        match key.verify(message, &signature, false) {
            Ok(()) => Ok(id),
            Err(_) => Err(SlotsError::Tampered {
                what: format!("the signature of key {id} does not fit the manifest"),
            }),
        }
    }
}

/// The identity of the key that a signature claims to be by.
pub(crate) fn signer(signature: &[u8]) -> Result<String, SlotsError> {
    decode(signature).map(|(id, _)| id)
}

/// Strictly one spelling.
fn decode(bytes: &[u8]) -> Result<(String, Signature), SlotsError> {
    let refuse = |what: &str| SlotsError::Tampered {
        what: format!("the signature {what}"),
    };
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("is no text"))?;
    let body = text
        .strip_suffix('\n')
        .ok_or_else(|| refuse("does not end with a line end"))?;
    let lines: Vec<&str> = body.split('\n').collect();
    let [untrusted, signed, trusted, global] = lines[..] else {
        return Err(refuse("does not have four lines"));
    };
    if untrusted.strip_prefix("untrusted comment: ") != Some(SIGNATURE_COMMENT)
        || !trusted.starts_with("trusted comment: ")
        || text.contains('\r')
    {
        return Err(refuse("has other comments than a bundle's"));
    }
    // The engine refuses spare bits and missing padding.
    let raw = STANDARD
        .decode(signed)
        .map_err(|_| refuse("is no base64"))?;
    STANDARD
        .decode(global)
        .map_err(|_| refuse("is no base64"))?;
    let signature = Signature::decode(text).map_err(|_| refuse("is not a minisign signature"))?;
    let id = raw
        .get(2..10)
        .and_then(|id| id.try_into().ok())
        .map(key_id_text)
        .ok_or_else(|| refuse("is too short"))?;
    Ok((id, signature))
}

fn read_key(path: &Path) -> Result<(String, PublicKey), SlotsError> {
    let refuse = |reason: String| SlotsError::BadKey {
        path: path.to_owned(),
        reason,
    };
    let mut text = String::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAX_KEY_BYTES).read_to_string(&mut text))
        .map_err(|error| refuse(error.to_string()))?;
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with("untrusted comment:"))
        .ok_or_else(|| refuse("it is empty".into()))?;
    let key = PublicKey::from_base64(line).map_err(|error| refuse(error.to_string()))?;
    let raw = STANDARD
        .decode(line)
        .map_err(|error| refuse(error.to_string()))?;
    let id = raw
        .get(2..10)
        .and_then(|id| id.try_into().ok())
        .map(key_id_text)
        .ok_or_else(|| refuse("it is too short".into()))?;
    Ok((id, key))
}

/// A key's identity as minisign prints it: 16 hexadecimal digits.
pub fn key_id_text(id: [u8; 8]) -> String {
    id.iter().rev().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02X}");
        text
    })
}
