//! What contents are told apart by, as text.

use sha2::{Digest, Sha256};

/// The first `bytes` bytes (32 at most) of a digest, two hexadecimal digits each.
#[must_use]
pub fn short(hash: Sha256, bytes: usize) -> String {
    let digits = |byte: &u8| format!("{byte:02x}");
    hash.finalize().iter().take(bytes).map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_bytes_of_a_known_digest_as_asked_for() {
        let hash = Sha256::new_with_prefix("abc");
        assert_eq!(short(hash.clone(), 4), "ba7816bf");
        assert_eq!(short(hash, 99).len(), 64);
    }
}
