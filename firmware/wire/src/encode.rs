//! From a message to the bytes of a frame.

use cobs::CobsEncoder;
use serde::Serialize;

use crate::frame::{CRC_LEN, checksum};
use crate::{Event, HEADER_LEN, Kind, MAX_BODY, MAX_PAYLOAD, Message, PROTOCOL_VERSION, WireError};

/// Numbers frames and writes them.
#[derive(Debug, Default)]
pub struct Encoder {
    next: u32,
}

impl Encoder {
    /// An encoder whose first frame has sequence number 0.
    pub const fn new() -> Self {
        Self { next: 0 }
    }

    /// Writes `message` as the next frame to the beginning of `out` ([`MAX_FRAME`](crate::MAX_FRAME) bytes always
    /// do) and returns the bytes to send. A failure uses no number up.
    ///
    /// # Errors
    /// As [`encode`].
    pub fn encode<'a>(
        &mut self,
        message: &Message,
        out: &'a mut [u8],
    ) -> Result<&'a [u8], WireError> {
        let length = encode(message, self.next, out)?;
        self.next = self.next.wrapping_add(1);
        Ok(&out[..length])
    }

    /// As [`Encoder::encode`], for an event that is not wrapped into a [`Message`].
    ///
    /// # Errors
    /// As [`encode`].
    pub fn encode_event<'a>(
        &mut self,
        event: &Event,
        out: &'a mut [u8],
    ) -> Result<&'a [u8], WireError> {
        let length = encode_event(event, self.next, out)?;
        self.next = self.next.wrapping_add(1);
        Ok(&out[..length])
    }
}

/// Writes `message` as the frame with number `seq` to the beginning of `out` and returns the frame's length.
///
/// # Errors
/// [`WireError::BufferTooSmall`], [`WireError::PayloadTooLong`], and [`WireError::OutOfRange`] for an event that is
/// outside its ranges; `out` holds nothing of use then.
pub fn encode(message: &Message, seq: u32, out: &mut [u8]) -> Result<usize, WireError> {
    let kind = message.kind();
    match message {
        Message::Hello(payload) => write(kind, payload, seq, out),
        Message::Label(payload) => write(kind, payload, seq, out),
        Message::Event(event) => encode_event(event, seq, out),
        Message::Heartbeat(payload) => write(kind, payload, seq, out),
        Message::Health(payload) => write(kind, payload, seq, out),
        Message::Dropped(payload) => write(kind, payload, seq, out),
    }
}

/// Writes `event` as the frame with number `seq` to the beginning of `out` and returns the frame's length.
///
/// # Errors
/// As [`encode`].
pub fn encode_event(event: &Event, seq: u32, out: &mut [u8]) -> Result<usize, WireError> {
    event.validate()?;
    write(Kind::Event, event, seq, out)
}

fn write<T: Serialize>(
    kind: Kind,
    payload: &T,
    seq: u32,
    out: &mut [u8],
) -> Result<usize, WireError> {
    let mut body = [0; MAX_BODY];
    body[0] = PROTOCOL_VERSION;
    body[1] = kind as u8;
    body[2..HEADER_LEN].copy_from_slice(&seq.to_le_bytes());
    let room = &mut body[HEADER_LEN..HEADER_LEN + MAX_PAYLOAD];
    let length = postcard::to_slice(payload, room)
        .map_err(|_| WireError::PayloadTooLong { max: MAX_PAYLOAD })?
        .len();
    let end = HEADER_LEN + length;
    let crc = checksum(&body[..end]);
    body[end..end + CRC_LEN].copy_from_slice(&crc.to_le_bytes());
    stuff(&body[..end + CRC_LEN], out)
}

/// Puts the COBS form of `body` between two zero bytes. The zero in front ends whatever noise came before it.
fn stuff(body: &[u8], out: &mut [u8]) -> Result<usize, WireError> {
    let too_small = WireError::BufferTooSmall {
        need: body.len() + 3,
        have: out.len(),
    };
    if out.len() < body.len() + 3 {
        return Err(too_small);
    }
    out[0] = 0;
    let mut encoder = CobsEncoder::new(&mut out[1..]);
    encoder.push(body).map_err(|_| too_small)?;
    let end = 1 + encoder.finalize();
    *out.get_mut(end).ok_or(too_small)? = 0;
    Ok(end + 1)
}
