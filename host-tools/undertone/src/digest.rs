//! SHA-256 of what is read.

use std::io::{self, ErrorKind, Read};

use sha2::{Digest as _, Sha256};

use crate::text::hex;

const CHUNK: usize = 1 << 20;

/// Reads to the end: how many bytes there were, and their SHA-256 in hexadecimal digits. `progress` is told the bytes so
/// far.
///
/// # Errors
/// What the source says; one that was only interrupted is asked again.
pub(crate) fn sha256(
    source: &mut impl Read,
    progress: impl FnMut(u64),
) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let bytes = feed(&mut hash, source, progress)?;
    Ok((bytes, digits(hash)))
}

/// The same into a sum that was begun before.
pub(crate) fn feed(
    hash: &mut Sha256,
    source: &mut impl Read,
    mut progress: impl FnMut(u64),
) -> io::Result<u64> {
    let mut buffer = vec![0u8; CHUNK];
    let mut bytes = 0;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&buffer[..count]);
        bytes += count as u64;
        progress(bytes);
    }
}

/// A finished sum.
pub(crate) fn digits(hash: Sha256) -> String {
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says before every byte that it was interrupted.
    struct Interrupted<'a>(&'a [u8], bool);

    impl Read for Interrupted<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            self.0.read(&mut buffer[..1])
        }
    }

    #[test]
    fn a_source_that_is_interrupted_is_read_to_its_end() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let (bytes, sum) = sha256(&mut Interrupted(b"abc", false), |_| ()).unwrap();
        assert_eq!((bytes, sum.as_str()), (3, expected));
    }
}
