//! From bytes off the line to intact frames.

use cobs::{DecodeResult, DecoderState};

use crate::frame::{CRC_LEN, checksum};
use crate::{Frame, HEADER_LEN, MAX_BODY};

/// What the decoder is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waiting for the first zero byte: what comes before it may be the rest of a frame.
    Sync,
    /// After a zero byte, collecting a frame.
    InFrame,
    /// The frame is longer than any may be; passing over it up to the next zero byte.
    Overrun,
}

/// What became of the frames so far. Each number wraps at its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Intact frames handed out.
    pub frames: u32,
    /// Damaged frames: wrong CRC, broken COBS, or too short to be one.
    pub crc_errors: u32,
    /// Frames given up because they were longer than [`MAX_BODY`].
    pub overruns: u32,
    /// Frames missing between the sequence numbers of intact ones.
    pub lost: u32,
    /// Times the sequence number went backwards: the sender started anew.
    pub restarts: u32,
}

/// Takes bytes one by one and hands out intact frames. About 300 bytes of memory.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    cobs: DecoderState,
    body: [u8; MAX_BODY],
    length: usize,
    expected: Option<u32>,
    counters: Counters,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    pub const fn new() -> Self {
        Self {
            state: State::Sync,
            cobs: DecoderState::Idle,
            body: [0; MAX_BODY],
            length: 0,
            expected: None,
            counters: Counters {
                frames: 0,
                crc_errors: 0,
                overruns: 0,
                lost: 0,
                restarts: 0,
            },
        }
    }

    /// What the decoder is doing.
    pub fn state(&self) -> State {
        self.state
    }

    /// What became of the frames so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes the next byte. `Some` when it ended an intact frame, of whatever version and kind.
    pub fn feed(&mut self, byte: u8) -> Option<Frame<'_>> {
        if byte == 0 {
            let ended = self.state == State::InFrame && self.end_of_frame();
            self.state = State::InFrame;
            self.cobs = DecoderState::Idle;
            let length = core::mem::take(&mut self.length);
            return if ended { self.hand_out(length) } else { None };
        }
        if self.state == State::InFrame {
            self.collect(byte);
        }
        None
    }

    /// Decodes a byte that is not zero. COBS has no broken form before its end.
    fn collect(&mut self, byte: u8) {
        if let Ok(DecodeResult::DataContinue(data)) = self.cobs.feed(byte) {
            match self.body.get_mut(self.length) {
                Some(slot) => {
                    *slot = data;
                    self.length += 1;
                }
                None => {
                    self.state = State::Overrun;
                    self.counters.overruns = self.counters.overruns.wrapping_add(1);
                }
            }
        }
    }

    /// Whether the bytes up to this zero byte are an intact frame; counts them when they are not.
    /// Nothing between two zero bytes is no frame at all.
    fn end_of_frame(&mut self) -> bool {
        if matches!(self.cobs, DecoderState::Idle) {
            return false;
        }
        let complete = matches!(self.cobs.feed(0), Ok(DecodeResult::DataComplete));
        let intact = complete && self.crc_is_right();
        if !intact {
            self.counters.crc_errors = self.counters.crc_errors.wrapping_add(1);
        }
        intact
    }

    fn crc_is_right(&self) -> bool {
        match self.body[..self.length].split_last_chunk::<CRC_LEN>() {
            Some((body, crc)) => {
                body.len() >= HEADER_LEN && checksum(body) == u32::from_le_bytes(*crc)
            }
            None => false,
        }
    }

    fn hand_out(&mut self, length: usize) -> Option<Frame<'_>> {
        let [version, kind, a, b, c, d] = *self.body.first_chunk::<HEADER_LEN>()?;
        let seq = u32::from_le_bytes([a, b, c, d]);
        self.follow(seq);
        self.counters.frames = self.counters.frames.wrapping_add(1);
        let payload = self.body.get(HEADER_LEN..length.checked_sub(CRC_LEN)?)?;
        Some(Frame {
            version,
            kind,
            seq,
            payload,
        })
    }

    /// Counts what is missing before `seq`. Half of the number space is ahead, half is behind.
    fn follow(&mut self, seq: u32) {
        if let Some(expected) = self.expected {
            let ahead = seq.wrapping_sub(expected);
            if ahead < 1 << 31 {
                self.counters.lost = self.counters.lost.wrapping_add(ahead);
            } else {
                self.counters.restarts = self.counters.restarts.wrapping_add(1);
            }
        }
        self.expected = Some(seq.wrapping_add(1));
    }
}
