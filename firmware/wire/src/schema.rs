//! The identity of the message layouts.

/// The layouts of all messages as text, one per line: kind, name, fields in order with their types.
pub const SCHEMA: &str = include_str!("schema.txt");

/// FNV-1a (64 bit) of [`SCHEMA`], little-endian. Two sides with the same hash read each other's every field.
pub const SCHEMA_HASH: [u8; 8] = fnv1a(SCHEMA.as_bytes()).to_le_bytes();

/// FNV-1a with the published 64-bit offset basis and prime.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < bytes.len() {
        hash ^= bytes[index] as u64;
        hash = hash.wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::fnv1a;

    #[test]
    fn the_hash_is_the_published_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
