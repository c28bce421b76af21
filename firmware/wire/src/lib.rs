//! Messages and framing of the serial line between a box and the controller at the other end of its cable.
//!
//! In: a [`Message`] and a sequence number. Out: the bytes of one frame,
//! `0x00 | COBS( header | postcard payload | CRC-32 ) | 0x00`, in a buffer of the caller. And back: bytes as they
//! come off the line, one at a time, into a [`Decoder`] that hands out intact [`Frame`]s and counts the others.
//!
//! The crate is `no_std`, does not allocate, does no I/O, knows no clock and has no unsafe code, so that a
//! microcontroller can use it as it is. Bytes from the line are untrusted: they never panic, a frame with a wrong
//! CRC is never handed out, and one damaged place costs at most one frame.
//!
//! `README.md` in this folder describes every byte, for authors in other languages.
//!
//! How "no std, no allocation" is checked: `cargo verify` builds this crate as a static library with
//! `--cfg undertone_bare`, which adds a panic handler of its own. Were `std` anywhere in the dependency tree, the
//! handler would be a duplicate; were `alloc`, the build would ask for an allocator.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

mod decode;
mod encode;
mod error;
mod event;
mod frame;
mod hello;
mod message;
mod schema;

pub use decode::{Counters, Decoder, State};
pub use encode::{Encoder, encode, encode_event};
pub use error::WireError;
pub use event::{Event, MAX_LABELS, Phase, SCORE_ONE, Scores, score};
pub use frame::{Frame, HEADER_LEN, Kind, MAX_BODY, MAX_FRAME, MAX_PAYLOAD, PROTOCOL_VERSION};
pub use hello::Hello;
pub use message::{BoxState, Dropped, Health, Heartbeat, Label, Message, Signal};
pub use schema::{SCHEMA, SCHEMA_HASH};

/// Present only in the check described above; a program brings its own handler.
#[cfg(undertone_bare)]
#[panic_handler]
fn stop(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
