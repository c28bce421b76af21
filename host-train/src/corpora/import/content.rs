//! A clip file's hash.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::corpora::clip::ContentHash;

/// SHA-256 of the file, or why it cannot be a clip.
pub(super) fn content(path: &Path) -> Result<ContentHash, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 16];
    let mut first = true;
    loop {
        let read = match file.read(&mut block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            outcome => outcome.map_err(unreadable)?,
        };
        if first && read == 0 {
            return Err("is empty".to_owned());
        }
        if first && block[..read].starts_with(b"version https://git-lfs") {
            return Err("is a Git LFS pointer, no audio: run `git lfs pull` there".to_owned());
        }
        if read == 0 {
            return Ok(ContentHash(hash.finalize().into()));
        }
        hash.update(&block[..read]);
        first = false;
    }
}
