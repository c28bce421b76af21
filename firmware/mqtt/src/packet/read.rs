//! Bytes to packets.

use super::Incoming;
use crate::Failure;

/// The longest packet that is taken. Messages that are longer are no commands, and passed over: whoever may publish one,
/// retained perhaps, must not keep us from the broker.
pub const LONGEST: usize = 64 * 1024;

/// Takes the next packet off the front of `bytes`; `None` while it is not complete. `skip` is how much of what comes next
/// belongs to a message that is passed over; 0 at first.
///
/// # Errors
/// When no further byte can be made sense of.
pub(crate) fn take(bytes: &mut Vec<u8>, skip: &mut usize) -> Result<Option<Incoming>, Failure> {
    let skipped = bytes.len().min(*skip);
    bytes.drain(..skipped);
    *skip -= skipped;
    let Some((head, length)) = remaining(bytes)? else {
        return Ok(None);
    };
    if length > LONGEST {
        return pass_over(bytes, skip, (head, length));
    }
    let Some(body) = bytes.get(head..head + length) else {
        return Ok(None);
    };
    let first = bytes[0];
    let packet = parse(first, body).ok_or(malformed(first >> 4));
    bytes.drain(..head + length);
    packet.map(Some)
}

/// Bytes of the fixed header, and the bytes after it.
fn remaining(bytes: &[u8]) -> Result<Option<(usize, usize)>, Failure> {
    let mut length = 0;
    for (place, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 127) << (7 * place);
        if byte & 128 == 0 {
            if length > LONGEST && bytes[0] >> 4 != 3 {
                return Err(too_long(length));
            }
            return Ok(Some((place + 2, length)));
        }
    }
    if bytes.len() > 4 {
        return Err(malformed(bytes[0] >> 4));
    }
    Ok(None)
}

/// Reads of a message that is too long only what has to be acknowledged.
fn pass_over(
    bytes: &mut Vec<u8>,
    skip: &mut usize,
    (head, length): (usize, usize),
) -> Result<Option<Incoming>, Failure> {
    // The topic alone may be as long as all that is taken otherwise.
    let Some(topic) = bytes.get(head..).and_then(<[u8]>::first_chunk::<2>) else {
        return Ok(None);
    };
    let place = head + 2 + usize::from(u16::from_be_bytes(*topic));
    let id = match bytes[0] >> 1 & 3 {
        0 => None,
        1 => match bytes.get(place..).and_then(<[u8]>::first_chunk::<2>) {
            Some(id) => Some(u16::from_be_bytes(*id)),
            None => return Ok(None),
        },
        _ => return Err(malformed(3)),
    };
    let here = bytes.len().min(head + length);
    bytes.drain(..here);
    *skip = head + length - here;
    Ok(Some(Incoming::TooLong { id }))
}

fn parse(first: u8, body: &[u8]) -> Option<Incoming> {
    let number = |bytes: &[u8]| Some(u16::from_be_bytes(*bytes.first_chunk()?));
    match (first >> 4, body) {
        (2, [_, code]) => Some(Incoming::ConnAck(*code)),
        (3, _) => {
            let (length, rest) = body.split_first_chunk::<2>()?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (topic, rest) = rest.split_at_checked(length)?;
            let (id, payload) = match first >> 1 & 3 {
                0 => (None, rest),
                1 => (Some(number(rest)?), rest.get(2..)?),
                // Not subscribed to.
                _ => return None,
            };
            Some(Incoming::Publish {
                topic: String::from_utf8(topic.into()).ok()?,
                payload: payload.into(),
                retain: first & 1 == 1,
                id,
            })
        }
        (4, [_, _]) => Some(Incoming::PubAck(number(body)?)),
        (9, [_, _, codes @ ..]) => Some(Incoming::SubAck(codes.into())),
        (13, []) => Some(Incoming::PingResp),
        _ => None,
    }
}

fn too_long(length: usize) -> Failure {
    Failure::Protocol(format!(
        "a packet of {length} bytes, but {LONGEST} are the most that is taken"
    ))
}

fn malformed(kind: u8) -> Failure {
    Failure::Protocol(format!(
        "a packet of type {kind} that no broker sends, or that is broken"
    ))
}
