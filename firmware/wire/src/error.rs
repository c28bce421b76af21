//! What can be wrong with a message or a frame.

/// Why a message could not be written, or a frame's payload not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The caller's buffer cannot hold the frame.
    #[error(
        "the frame takes {need} bytes and the buffer has {have}: give a buffer of MAX_FRAME bytes"
    )]
    BufferTooSmall {
        /// Bytes the frame takes.
        need: usize,
        /// Bytes the buffer has.
        have: usize,
    },
    /// The payload does not fit into [`MAX_PAYLOAD`](crate::MAX_PAYLOAD).
    #[error("the message does not fit into a payload of {max} bytes: shorten its texts or lists")]
    PayloadTooLong {
        /// The largest payload in bytes.
        max: usize,
    },
    /// A field lies outside its documented range.
    #[error("{field} is {value}, it must be at most {max}")]
    OutOfRange {
        /// The field's name.
        field: &'static str,
        /// Its value.
        value: u32,
        /// The largest value allowed.
        max: u32,
    },
    /// A probability is not a number from 0 to 1.
    #[error("{field} must be a number from 0 to 1")]
    NotAProbability {
        /// The field's name.
        field: &'static str,
    },
    /// An intact frame of another protocol version; its Hello can still be read.
    #[error("frame of protocol version {version}, this side speaks {ours}: update the older side")]
    UnsupportedVersion {
        /// The frame's version.
        version: u8,
        /// [`PROTOCOL_VERSION`](crate::PROTOCOL_VERSION).
        ours: u8,
    },
    /// An intact frame of a kind that this side does not know; it may be passed over.
    #[error("frame of unknown kind {kind}: pass it over, or update this side")]
    UnknownKind {
        /// The kind's number.
        kind: u8,
    },
    /// An intact frame whose payload is not the message its kind says.
    #[error(
        "the payload of a frame of kind {kind} is not that message: the two sides differ in schema"
    )]
    Payload {
        /// The kind's number.
        kind: u8,
    },
}
