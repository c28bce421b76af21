//! Bytes onto the target, and read back.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write as _};

use anyhow::Result;
use rustix::fs::{Advice, fadvise};
use sha2::{Digest as _, Sha256};

use super::image::{Image, MAX_IMAGE_BYTES, damaged};
use crate::digest;
use crate::failure::Failure;

/// Bytes that are written at once.
const CHUNK: usize = 4 << 20;

/// Reads an image to its end without writing it anywhere: its length.
pub(super) fn measure(image: &mut dyn Read, mut progress: impl FnMut()) -> Result<u64> {
    let mut buffer = vec![0u8; CHUNK];
    let mut total = 0u64;
    loop {
        let count = fill(image, &mut buffer).map_err(|error| damaged(&error))?;
        total += count as u64;
        progress();
        if total > MAX_IMAGE_BYTES {
            return Err(Failure::error(
                "too-large",
                format!(
                    "the image has more than {} GiB unpacked",
                    MAX_IMAGE_BYTES >> 30
                ),
                "download it again; this is not an image of an SD card",
            ));
        }
        if count < CHUNK {
            return Ok(total);
        }
    }
}

/// Writes an image whose length is known, and the SHA-256 of its file; the hash of what was written.
///
/// # Errors
/// A file that is no longer the one of that sum; then what was written is of no use.
pub(super) fn copy(
    image: &Image,
    length: u64,
    sum: &str,
    to: &mut File,
    mut progress: impl FnMut(u64),
) -> Result<String> {
    let (bytes, account) = image.unpacked()?;
    let mut bytes = bytes.take(length);
    let mut buffer = vec![0u8; CHUNK];
    let mut hash = Sha256::new();
    let mut done = 0u64;
    to.rewind().map_err(|error| unwritten(0, &error))?;
    loop {
        let count = fill(&mut bytes, &mut buffer).map_err(|error| damaged(&error))?;
        if count == 0 {
            break;
        }
        to.write_all(&buffer[..count])
            .map_err(|error| unwritten(done, &error))?;
        hash.update(&buffer[..count]);
        done += count as u64;
        progress(done);
    }
    to.sync_all().map_err(|error| unwritten(done, &error))?;
    if done != length || image.sum(&account)? != sum {
        return Err(Failure::error(
            "changed",
            "the image changed while it was read",
            "wait until whatever writes it is done, and flash again",
        ));
    }
    Ok(digest::digits(hash))
}

/// Reads back what was written, from the target and not from memory.
pub(super) fn verify(
    to: &mut File,
    length: u64,
    expected: &str,
    progress: impl FnMut(u64),
) -> Result<()> {
    // What the kernel kept of it in memory would say nothing about the card.
    fadvise(&*to, 0, None, Advice::DontNeed).map_err(|error| unread(&error.into()))?;
    to.rewind().map_err(|error| unread(&error))?;
    let mut source = to.take(length);
    let (done, found) = digest::sha256(&mut source, progress).map_err(|error| unread(&error))?;
    if done != length || found != expected {
        return Err(Failure::error(
            "verify-failed",
            "what can be read back is not what was written",
            "the card is broken or pretends to be larger than it is: take another one",
        ));
    }
    Ok(())
}

/// The target did not take what was written.
pub(super) fn unwritten(done: u64, reason: &io::Error) -> anyhow::Error {
    Failure::error(
        "write-failed",
        format!("the target accepted {done} bytes, then failed: {reason}"),
        "take another card or reader; dmesg | tail shows what the system says about this one",
    )
}

fn unread(reason: &io::Error) -> anyhow::Error {
    Failure::error(
        "verify-failed",
        format!("the target cannot be read back: {reason}"),
        "take another card or reader; dmesg | tail shows what the system says about this one",
    )
}

fn fill(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_that_changes_between_checking_and_writing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("os.img");
        std::fs::write(&path, [1; 5000]).unwrap();
        let image = Image::open(&path).unwrap();
        let sum = image.hash(|_| ()).unwrap();
        let mut to = tempfile::tempfile().unwrap();
        let written = copy(&image, 5000, &sum, &mut to, |_| ()).unwrap();
        verify(&mut to, 5000, &written, |_| ()).unwrap();
        // Of the same length, in the same file.
        std::fs::write(&path, [2; 5000]).unwrap();
        let error = copy(&image, 5000, &sum, &mut to, |_| ()).unwrap_err();
        assert_eq!(error.downcast_ref::<Failure>().unwrap().code, "changed");
    }
}
