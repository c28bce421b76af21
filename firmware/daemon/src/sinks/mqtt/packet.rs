//! MQTT 3.1.1 packets, as far as a publisher of events needs them: bytes out, and bytes in to packets.
//!
//! Section numbers are those of the OASIS standard of 29 October 2014. What comes in is untrusted: its length is bounded
//! and nothing in it can panic.

/// The longest packet that is taken. Messages that are longer are no commands, and passed over: whoever may publish one,
/// retained perhaps, must not keep us from the broker.
const LONGEST: usize = 64 * 1024;

/// What makes the broker's bytes unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PacketError {
    #[error("a packet of {0} bytes, but {LONGEST} are the most that is taken")]
    TooLong(usize),
    #[error("a packet of type {0} that no broker sends, or that is broken")]
    Malformed(u8),
}

/// A message to publish.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) topic: &'a str,
    pub(super) payload: &'a [u8],
    pub(super) retain: bool,
    /// `Some`: QoS 1 with this packet identifier, which is not 0; `None`: QoS 0.
    pub(super) id: Option<u16>,
}

/// What the client says first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Connect<'a> {
    pub(super) client_id: &'a str,
    pub(super) keep_alive_s: u16,
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    /// Topic and payload that the broker publishes, retained and with QoS 1, when the client is gone without a word.
    pub(super) will: (&'a str, &'a str),
}

/// A packet from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Incoming {
    /// The return code; 0 is acceptance (3.2.2.3).
    ConnAck(u8),
    Publish {
        topic: String,
        payload: Vec<u8>,
        retain: bool,
        /// To be acknowledged.
        id: Option<u16>,
    },
    /// A message that is too long, passed over; to be acknowledged like any other.
    TooLong {
        id: Option<u16>,
    },
    PubAck(u16),
    /// The return codes; 0x80 is a refusal.
    SubAck(Vec<u8>),
    PingResp,
}

pub(super) const PING_REQ: [u8; 2] = [0xC0, 0];
pub(super) const DISCONNECT: [u8; 2] = [0xE0, 0];

pub(super) fn connect(out: &mut Vec<u8>, connect: &Connect<'_>) {
    let mut body = Vec::new();
    text(&mut body, "MQTT");
    // Level 4; clean session, will with QoS 1 and retained (3.1.2.3).
    let user = u8::from(connect.user.is_some()) << 7;
    let password = u8::from(connect.password.is_some()) << 6;
    body.extend([4, user | password | 0b0010_1110]);
    body.extend(connect.keep_alive_s.to_be_bytes());
    text(&mut body, connect.client_id);
    text(&mut body, connect.will.0);
    text(&mut body, connect.will.1);
    for part in [connect.user, connect.password].into_iter().flatten() {
        text(&mut body, part);
    }
    packet(out, 0x10, &body);
}

pub(super) fn publish(out: &mut Vec<u8>, message: &Message<'_>) {
    let mut body = Vec::with_capacity(message.topic.len() + message.payload.len() + 4);
    text(&mut body, message.topic);
    body.extend(message.id.iter().flat_map(|id| id.to_be_bytes()));
    body.extend(message.payload);
    let qos = u8::from(message.id.is_some()) << 1;
    packet(out, 0x30 | qos | u8::from(message.retain), &body);
}

/// Subscribes to filters with QoS 1.
pub(super) fn subscribe(out: &mut Vec<u8>, id: u16, filters: &[&str]) {
    let mut body = id.to_be_bytes().to_vec();
    for filter in filters {
        text(&mut body, filter);
        body.push(1);
    }
    packet(out, 0x82, &body);
}

pub(super) fn pub_ack(out: &mut Vec<u8>, id: u16) {
    packet(out, 0x40, &id.to_be_bytes());
}

/// UTF-8 with its length before it (1.5.3); what does not fit is cut, which no topic or name of ours reaches.
fn text(out: &mut Vec<u8>, text: &str) {
    let bytes = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}

/// Type and flags, the remaining length (2.2.3), the rest.
fn packet(out: &mut Vec<u8>, first: u8, body: &[u8]) {
    out.push(first);
    let mut length = body.len();
    loop {
        let more = length > 127;
        out.push((length % 128) as u8 | u8::from(more) << 7);
        length /= 128;
        if !more {
            break;
        }
    }
    out.extend(body);
}

/// Takes the next packet off the front of `bytes`; `None` while it is not complete. `skip` is how much of what comes next
/// belongs to a message that is passed over; 0 at first.
///
/// # Errors
/// When no further byte can be made sense of.
pub(super) fn take(bytes: &mut Vec<u8>, skip: &mut usize) -> Result<Option<Incoming>, PacketError> {
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
    let packet = parse(first, body).ok_or(PacketError::Malformed(first >> 4));
    bytes.drain(..head + length);
    packet.map(Some)
}

/// Bytes of the fixed header, and the bytes after it.
fn remaining(bytes: &[u8]) -> Result<Option<(usize, usize)>, PacketError> {
    let mut length = 0;
    for (place, byte) in bytes.iter().skip(1).take(4).enumerate() {
        length |= usize::from(byte & 127) << (7 * place);
        if byte & 128 == 0 {
            if length > LONGEST && bytes[0] >> 4 != 3 {
                return Err(PacketError::TooLong(length));
            }
            return Ok(Some((place + 2, length)));
        }
    }
    if bytes.len() > 4 {
        return Err(PacketError::Malformed(bytes[0] >> 4));
    }
    Ok(None)
}

/// Reads of a message that is too long only what has to be acknowledged.
fn pass_over(
    bytes: &mut Vec<u8>,
    skip: &mut usize,
    (head, length): (usize, usize),
) -> Result<Option<Incoming>, PacketError> {
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
        _ => return Err(PacketError::Malformed(3)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn packets_have_the_bytes_of_the_standard() {
        let mut out = Vec::new();
        connect(
            &mut out,
            &Connect {
                client_id: "box",
                keep_alive_s: 30,
                user: Some("u"),
                password: Some("p"),
                will: ("a", "offline"),
            },
        );
        assert_eq!(
            out,
            b"\x10\x21\0\x04MQTT\x04\xEE\0\x1E\0\x03box\0\x01a\0\x07offline\0\x01u\0\x01p"
        );
        out.clear();
        publish(
            &mut out,
            &Message {
                topic: "a/b",
                payload: &[7; 200],
                retain: true,
                id: Some(258),
            },
        );
        assert_eq!(out[..10], *b"\x33\xCF\x01\0\x03a/b\x01\x02");
        assert_eq!(out.len(), 3 + 207);
        out.clear();
        subscribe(&mut out, 1, &["c/+"]);
        pub_ack(&mut out, 5);
        assert_eq!(out, b"\x82\x08\0\x01\0\x03c/+\x01\x40\x02\0\x05");
    }

    #[test]
    fn what_a_broker_sends_is_read_whole_however_it_is_cut() {
        let mut sent = b"\x20\x02\0\x05\x90\x03\0\x01\x80\x40\x02\0\x09\xD0\0".to_vec();
        publish(
            &mut sent,
            &Message {
                topic: "t",
                payload: b"on",
                retain: false,
                id: Some(3),
            },
        );
        let (mut bytes, mut skip, mut seen) = (Vec::new(), 0, Vec::new());
        for byte in sent {
            bytes.push(byte);
            seen.extend(take(&mut bytes, &mut skip).unwrap());
        }
        let publish = Incoming::Publish {
            topic: "t".into(),
            payload: b"on".into(),
            retain: false,
            id: Some(3),
        };
        assert_eq!(
            seen,
            [
                Incoming::ConnAck(5),
                Incoming::SubAck(vec![0x80]),
                Incoming::PubAck(9),
                Incoming::PingResp,
                publish
            ]
        );
        assert!(bytes.is_empty());
    }

    #[test]
    fn a_packet_of_endless_length_is_refused_before_it_is_kept() {
        assert_eq!(
            take(&mut b"\x90\xFF\xFF\x7F".to_vec(), &mut 0),
            Err(PacketError::TooLong(2_097_151))
        );
        assert_eq!(
            take(&mut b"\x30\xFF\xFF\xFF\xFF\x01".to_vec(), &mut 0),
            Err(PacketError::Malformed(3))
        );
    }

    #[test]
    fn a_message_that_is_too_long_is_acknowledged_and_never_kept() {
        let mut sent = Vec::new();
        let payload = vec![7; 3_000_000];
        let (topic, retain, id) = ("undertone/box/cmd/mute", true, Some(9));
        let payload = payload.as_slice();
        publish(
            &mut sent,
            &Message {
                topic,
                payload,
                retain,
                id,
            },
        );
        sent.extend(b"\xD0\0");
        for piece in [1, 1000] {
            let (mut bytes, mut skip, mut seen) = (Vec::new(), 0, Vec::new());
            for part in sent.chunks(piece) {
                bytes.extend(part);
                while let Some(packet) = take(&mut bytes, &mut skip).unwrap() {
                    seen.push(packet);
                }
                assert!(bytes.len() <= LONGEST);
            }
            assert_eq!(
                seen,
                [Incoming::TooLong { id: Some(9) }, Incoming::PingResp]
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (mut bytes, mut skip) = (bytes, 0);
            while let Ok(Some(_)) = take(&mut bytes, &mut skip) {}
        }
    }
}
