//! The reading end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rtrb::Consumer;

use super::{Mark, MarkKind};

/// The reading end, owned by the analysis thread.
pub struct Reader {
    samples: Consumer<f32>,
    marks: Consumer<Mark>,
    channels: usize,
    read: u64,
    dropped: Arc<AtomicU64>,
}

/// What the reader found next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// So many samples are at the beginning of the buffer; a multiple of the channels.
    Samples(usize),
    /// An interruption.
    Mark(MarkKind),
    /// Nothing yet.
    Nothing,
    /// Nothing, and the writer is gone: the end of the audio.
    Abandoned,
}

impl Reader {
    pub(super) fn new(
        samples: Consumer<f32>,
        marks: Consumer<Mark>,
        channels: usize,
        dropped: Arc<AtomicU64>,
    ) -> Self {
        Reader {
            samples,
            marks,
            channels,
            read: 0,
            dropped,
        }
    }

    /// Takes what comes next: samples into `buffer` (which should hold at least one frame), or a mark.
    pub fn next(&mut self, buffer: &mut [f32]) -> Found {
        let abandoned = self.samples.is_abandoned();
        let ready = self.samples.slots();
        let mut count = ready.min(buffer.len());
        if let Ok(mark) = self.marks.peek() {
            let before = usize::try_from(mark.at - self.read).unwrap_or(usize::MAX);
            if before == 0 {
                let kind = mark.kind;
                return self
                    .marks
                    .pop()
                    .map_or(Found::Nothing, |_| Found::Mark(kind));
            }
            count = count.min(before);
        }
        count -= count % self.channels;
        if count > 0 && self.samples.pop_entire_slice(&mut buffer[..count]).is_ok() {
            self.read += count as u64;
            return Found::Samples(count);
        }
        if abandoned {
            Found::Abandoned
        } else {
            Found::Nothing
        }
    }

    /// Samples that wait.
    pub fn waiting(&self) -> usize {
        self.samples.slots()
    }

    /// True when the next call of [`Reader::next`] finds something, were it only the end.
    pub fn wants_turn(&self) -> bool {
        !self.samples.is_empty() || !self.marks.is_empty() || self.samples.is_abandoned()
    }

    /// Frames that were dropped so far because the ring was full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
