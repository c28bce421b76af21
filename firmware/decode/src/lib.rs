//! Audio files to samples.
//!
//! In: a file, bytes or a stream, of which nothing is trusted: WAV (PCM of 8 to 32 bits, float, A-law, µ-law, ADPCM), FLAC,
//! MP3 and Ogg Vorbis, told apart by content, never by name. Out: interleaved `f32` samples at the file's own rate, all at
//! once ([`read_file`]) or block by block ([`Reader`]).
//!
//! - MP3 is gapless where the file has a LAME tag: what the encoder put before and after the sound is cut off.
//! - A file that is damaged says so: a packet that cannot be decoded and a file that ends before its header said are
//!   errors that name the position. What was decoded before the error has by then been handed out by the `Reader`.
//!   Two kinds of file do not say how long they are and look whole when cut: Ogg, and MP3 without a LAME tag.
//! - Memory is bounded by [`Limits`] whatever a header claims, and no input panics. Should the decoding library assert on
//!   a hostile file, that is caught and reported as a broken file; so this crate must not be built with `panic = "abort"`.
//! - Nothing here resamples, mixes unasked or writes.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod audio;
mod error;
mod limits;
mod probe;
mod reader;
mod sniff;

pub use audio::{Audio, read_bytes, read_file};
pub use error::DecodeError;
pub use limits::Limits;
pub use reader::Reader;
