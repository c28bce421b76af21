//! The records of a segment, byte by byte.
//!
//! A segment begins with the eight bytes of [`MAGIC`]. A record is `length u32 | CRC-32 u32 | body`, little-endian; length and CRC are those of
//! the body, whose first byte is its kind:
//!
//! | kind | body after it |
//! |---|---|
//! | 1 event | position u64, wall_ms u64, seq u64, length of boot id u8, boot id, payload |
//! | 2 acknowledged | position u64 |
//! | 3 given up | position u64 up to which everything is gone, notices as JSON |

use crc::{CRC_32_ISO_HDLC, Crc};

use super::notice::Notice;

/// What every segment begins with: name and version.
pub(super) const MAGIC: [u8; 8] = *b"UTOUTB\0\x01";
/// The longest body; anything longer is damage.
const MAX_BODY: usize = 64 * 1024;
/// Bytes before the body.
const HEADER: usize = 8;

static CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// An event, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) position: u64,
    pub(super) wall_ms: u64,
    pub(super) seq: u64,
    pub(super) boot_id: String,
    pub(super) payload: String,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    Event(Stored),
    Acknowledged(u64),
    GivenUp(u64, Vec<Notice>),
}

pub(super) fn event(stored: &Stored) -> Vec<u8> {
    let boot_id = &stored.boot_id.as_bytes()[..stored.boot_id.len().min(255)];
    let mut body = vec![1];
    for number in [stored.position, stored.wall_ms, stored.seq] {
        body.extend(number.to_le_bytes());
    }
    body.push(boot_id.len() as u8);
    body.extend(boot_id);
    body.extend(stored.payload.as_bytes());
    framed(&body)
}

pub(super) fn acknowledged(position: u64) -> Vec<u8> {
    let mut body = vec![2];
    body.extend(position.to_le_bytes());
    framed(&body)
}

pub(super) fn given_up(through: u64, notices: &[Notice]) -> Vec<u8> {
    let mut body = vec![3];
    body.extend(through.to_le_bytes());
    body.extend(serde_json::to_vec(notices).unwrap_or_default());
    framed(&body)
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(CRC.checksum(body).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// The records of a segment up to the first damage, and how many bytes are left from there on.
pub(super) fn read(segment: &[u8]) -> (Vec<Record>, usize) {
    let mut records = Vec::new();
    let Some(mut rest) = segment.strip_prefix(&MAGIC) else {
        return (records, segment.len());
    };
    while let Some((record, length)) = first(rest) {
        records.push(record);
        rest = &rest[length..];
    }
    (records, rest.len())
}

fn first(bytes: &[u8]) -> Option<(Record, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_BODY {
        return None;
    }
    let body = rest.get(..length)?;
    if CRC.checksum(body) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some((parse(body)?, HEADER + length))
}

fn parse(body: &[u8]) -> Option<Record> {
    let (kind, mut rest) = body.split_first()?;
    let mut number = || {
        let (bytes, behind) = rest.split_first_chunk::<8>()?;
        rest = behind;
        Some(u64::from_le_bytes(*bytes))
    };
    match kind {
        1 => {
            let (position, wall_ms, seq) = (number()?, number()?, number()?);
            let (length, rest) = rest.split_first()?;
            let (boot_id, payload) = rest.split_at_checked(usize::from(*length))?;
            Some(Record::Event(Stored {
                position,
                wall_ms,
                seq,
                boot_id: String::from_utf8(boot_id.into()).ok()?,
                payload: String::from_utf8(payload.into()).ok()?,
            }))
        }
        2 => Some(Record::Acknowledged(number()?)),
        3 => {
            let through = number()?;
            Some(Record::GivenUp(through, serde_json::from_slice(rest).ok()?))
        }
        _ => None,
    }
}
