//! A small MQTT 3.1.1 client over TCP or TLS that never waits: for one connection that has to hold ([`Link`]), or for
//! thousands in one thread ([`Session`]).
//!
//! In: [`Settings`], the time, and bytes to publish ([`packet`]). Out: what the broker says, and why there is no
//! connection ([`Failure`], told apart by what somebody has to do about it).
//!
//! - Publishes and receives with QoS 0 and 1, in clean sessions. What was not acknowledged is the caller's to send again:
//!   nothing is kept here, and nothing is acknowledged by itself.
//! - What comes in is untrusted: packets and what is read in one turn are bounded, and no byte panics.
//! - The caller waits, with `poll` or the like, for the descriptor and the time that it is told; only looking a name up
//!   and connecting have a thread of their own.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod backoff;
mod dial;
mod failure;
mod link;
pub mod packet;
mod session;
mod settings;
pub mod tls;
mod transport;
mod wake;

pub use backoff::{Backoff, random};
pub use failure::{Doubt, Failure};
pub use link::{Happened, Link};
pub use packet::Incoming;
pub use session::{Session, Told};
pub use settings::{MAX_TEXT_BYTES, Password, Secret, Settings, TlsFiles, Will};
pub use wake::Wake;
