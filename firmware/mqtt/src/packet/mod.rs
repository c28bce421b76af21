//! MQTT 3.1.1 packets, as far as clients of small messages need them: bytes out, and bytes in to packets.
//!
//! Section numbers are those of the OASIS standard of 29 October 2014. What comes in is untrusted: its length is bounded
//! and nothing in it can panic.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub use read::LONGEST;
pub(crate) use read::take;
pub(crate) use write::connect;
pub use write::{pub_ack, publish, subscribe};

/// A message to publish.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The topic; no wildcards.
    pub topic: &'a str,
    /// The payload.
    pub payload: &'a [u8],
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// `Some`: QoS 1 with this packet identifier, which is not 0; `None`: QoS 0.
    pub id: Option<u16>,
}

/// What the client says first.
#[derive(Debug, Clone, Copy)]
pub struct Connect<'a> {
    /// The client's name at the broker; another client of the same name takes its place.
    pub client_id: &'a str,
    /// The broker gives the client up after one and a half times as many seconds of silence.
    pub keep_alive_s: u16,
    /// The user.
    pub user: Option<&'a str>,
    /// The password; only beside a user.
    pub password: Option<&'a str>,
    /// Topic and payload that the broker publishes, retained and with QoS 1, when the client is gone without a word.
    pub will: Option<(&'a str, &'a str)>,
}

/// A packet from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// The return code; 0 is acceptance (3.2.2.3).
    ConnAck(u8),
    /// A message.
    Publish {
        /// Its topic.
        topic: String,
        /// Its payload.
        payload: Vec<u8>,
        /// It was there before the subscription.
        retain: bool,
        /// To be acknowledged.
        id: Option<u16>,
    },
    /// A message that is too long, passed over; to be acknowledged like any other.
    TooLong {
        /// To be acknowledged.
        id: Option<u16>,
    },
    /// The broker has taken the message of this packet identifier.
    PubAck(u16),
    /// The return codes; 0x80 is a refusal.
    SubAck(Vec<u8>),
    /// It is there.
    PingResp,
}

/// Asks whether the broker is there.
pub(crate) const PING_REQ: [u8; 2] = [0xC0, 0];
/// The good-bye that keeps the broker from telling the will.
pub const DISCONNECT: [u8; 2] = [0xE0, 0];
