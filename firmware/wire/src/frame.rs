//! The frame's parts and the way from its payload to a message.

use crc::{CRC_32_ISO_HDLC, Crc, Table};
use serde::de::DeserializeOwned;

use crate::{Message, WireError};

/// Version of the layouts of all messages but Hello.
pub const PROTOCOL_VERSION: u8 = 1;

/// Header bytes: version (1), kind (1), sequence number (4, little-endian).
pub const HEADER_LEN: usize = 6;

/// Bytes of the CRC, little-endian, after the payload.
pub(crate) const CRC_LEN: usize = 4;

/// The longest header, payload and CRC together, in bytes. Below 254, so that COBS adds exactly one byte.
pub const MAX_BODY: usize = 250;

/// The longest payload in bytes.
pub const MAX_PAYLOAD: usize = MAX_BODY - HEADER_LEN - CRC_LEN;

/// The longest frame on the line in bytes: body, one byte of COBS, the zero byte before and the one after.
pub const MAX_FRAME: usize = MAX_BODY + 3;

/// CRC-32 of Ethernet and zip (ISO-HDLC), over header and payload. One table of 1 KiB.
static CRC: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// The frame's checksum over header and payload.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

/// What a frame carries. The numbers are those of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// [`Hello`](crate::Hello)
    Hello = 1,
    /// [`Label`](crate::Label)
    Label = 2,
    /// [`Event`](crate::Event)
    Event = 3,
    /// [`Heartbeat`](crate::Heartbeat)
    Heartbeat = 4,
    /// [`Health`](crate::Health)
    Health = 5,
    /// [`Dropped`](crate::Dropped)
    Dropped = 6,
}

impl TryFrom<u8> for Kind {
    type Error = WireError;

    fn try_from(kind: u8) -> Result<Self, WireError> {
        Ok(match kind {
            1 => Self::Hello,
            2 => Self::Label,
            3 => Self::Event,
            4 => Self::Heartbeat,
            5 => Self::Health,
            6 => Self::Dropped,
            _ => return Err(WireError::UnknownKind { kind }),
        })
    }
}

/// An intact frame: its CRC was right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Protocol version of the sender.
    pub version: u8,
    /// Number of the kind; it may be one that this side does not know.
    pub kind: u8,
    /// Number of the frame since the sender's start, modulo 2^32.
    pub seq: u32,
    /// The message's bytes.
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Reads the message.
    ///
    /// # Errors
    /// [`WireError::UnsupportedVersion`] for another version (a Hello is read from any), [`WireError::UnknownKind`],
    /// [`WireError::Payload`] when the bytes are not exactly one such message, [`WireError::OutOfRange`] when a
    /// field is outside its range.
    pub fn message(&self) -> Result<Message, WireError> {
        let kind = Kind::try_from(self.kind);
        if self.version != PROTOCOL_VERSION && kind != Ok(Kind::Hello) {
            return Err(WireError::UnsupportedVersion {
                version: self.version,
                ours: PROTOCOL_VERSION,
            });
        }
        Ok(match kind? {
            Kind::Hello => Message::Hello(self.read()?),
            Kind::Label => Message::Label(self.read()?),
            Kind::Event => {
                let event: crate::Event = self.read()?;
                event.validate()?;
                Message::Event(event)
            }
            Kind::Heartbeat => Message::Heartbeat(self.read()?),
            Kind::Health => Message::Health(self.read()?),
            Kind::Dropped => Message::Dropped(self.read()?),
        })
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        match postcard::take_from_bytes(self.payload) {
            Ok((value, [])) => Ok(value),
            _ => Err(WireError::Payload { kind: self.kind }),
        }
    }
}
