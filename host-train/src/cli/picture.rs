//! Grey pictures as PNG (ISO/IEC 15948), stored without compression.

/// Largest stored block of deflate (RFC 1951).
const BLOCK: usize = 65_535;

/// A PNG of `width` x `height` values, row after row from the top, 0 black.
pub(crate) fn png(width: usize, height: usize, grey: &[u8]) -> Vec<u8> {
    // Every row begins with its filter, none.
    let mut rows = Vec::with_capacity((width + 1) * height);
    for row in grey.chunks(width.max(1)) {
        rows.push(0);
        rows.extend_from_slice(row);
    }
    let mut header = Vec::new();
    header.extend((width as u32).to_be_bytes());
    header.extend((height as u32).to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    chunk(&mut out, b"IDAT", &stored(&rows));
    chunk(&mut out, b"IEND", &[]);
    out
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    out.extend((body.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend(kind);
    out.extend(body);
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&out[start..]);
    out.extend(crc.to_be_bytes());
}

/// A zlib stream (RFC 1950) of stored blocks.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks = bytes.chunks(BLOCK);
    let last = blocks.len().saturating_sub(1);
    for (index, block) in blocks.enumerate() {
        let length = block.len() as u16;
        out.push(u8::from(index == last));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    out.extend((b << 16 | a).to_be_bytes());
    out
}
