//! The writing end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;
use std::time::Duration;

use rtrb::Producer;
use undertone_events::EndReason;

use super::{Mark, MarkKind, WhenFull};
use crate::capture::Selection;
use crate::capture::link::Mute;
use crate::stop::Stop;

/// How long a writer that waits for room sleeps before it looks again.
const NAP: Duration = Duration::from_millis(1);

/// The analysis is over; what is written would never be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// The writing end, owned by the capture thread.
pub struct Writer {
    selection: Selection,
    scratch: Box<[f32]>,
    mute: Mute,
    /// The mark of a mute has been written, and no sample since.
    muted: bool,
    queue: Queue,
}

/// Where what passes goes.
struct Queue {
    samples: Producer<f32>,
    marks: Producer<Mark>,
    channels: usize,
    written: u64,
    /// Frames that are missing before the next sample.
    missing: u64,
    when_full: WhenFull,
    dropped: Arc<AtomicU64>,
    reader: Option<Thread>,
    stop: Stop,
}

impl Writer {
    pub(super) fn new(
        (samples, marks, dropped): (Producer<f32>, Producer<Mark>, Arc<AtomicU64>),
        selection: Selection,
        when_full: WhenFull,
        mute: Mute,
        stop: Stop,
    ) -> Self {
        Writer {
            scratch: selection.scratch(),
            mute,
            muted: false,
            queue: Queue {
                samples,
                marks,
                channels: selection.channels().max(1),
                written: 0,
                missing: 0,
                when_full,
                dropped,
                reader: None,
                stop,
            },
            selection,
        }
    }

    /// The thread to wake when there is something to read.
    pub fn wakes(&mut self, reader: Thread) {
        self.queue.reader = Some(reader);
    }

    /// Interleaved channels per frame, as they are written.
    pub fn channels(&self) -> usize {
        self.selection.source_channels()
    }

    /// Writes interleaved samples of the source, of which the selected ones pass; what does not fill a frame at the end is
    /// left out. While muted none passes, and their time becomes a gap.
    ///
    /// # Errors
    /// [`Closed`] when nobody reads any more or the end was asked for.
    pub fn write(&mut self, interleaved: &[f32]) -> Result<(), Closed> {
        if self.mute.cause().is_some() {
            self.end(EndReason::Mute);
            self.gap((interleaved.len() / self.channels()) as u64);
            return if self.queue.is_closed() {
                Err(Closed)
            } else {
                Ok(())
            };
        }
        self.muted = false;
        let queue = &mut self.queue;
        self.selection
            .each_block(interleaved, &mut self.scratch, |block| queue.write(block))
    }

    /// Says that so many frames are missing here.
    pub fn gap(&mut self, frames: u64) {
        self.queue.missing = self.queue.missing.saturating_add(frames);
    }

    /// Says that frames are missing here, as many as were counted already or so many, whichever is more.
    pub(in crate::capture) fn gap_of_at_least(&mut self, frames: u64) {
        self.queue.missing = self.queue.missing.max(frames);
    }

    /// Says that nothing is heard from here on, and why; waits until there is room for the mark. A mute is said once.
    pub fn end(&mut self, reason: EndReason) {
        if reason == EndReason::Mute && std::mem::replace(&mut self.muted, true) {
            return;
        }
        self.queue.mark(MarkKind::End(reason));
    }
}

impl Queue {
    fn is_closed(&self) -> bool {
        self.samples.is_abandoned() || self.stop.requested()
    }

    fn write(&mut self, mut rest: &[f32]) -> Result<(), Closed> {
        while !rest.is_empty() {
            if self.is_closed() {
                return Err(Closed);
            }
            let room = self.samples.slots();
            let mut fits = rest.len().min(room - room % self.channels);
            // The gap is told when the samples behind it fit, so that an overrun is one gap.
            if fits > 0 && !self.settle_gap() {
                fits = 0;
            }
            if fits == 0 {
                match self.when_full {
                    WhenFull::Wait => std::thread::sleep(NAP),
                    WhenFull::Drop => {
                        let frames = (rest.len() / self.channels) as u64;
                        self.missing = self.missing.saturating_add(frames);
                        self.dropped.fetch_add(frames, Ordering::Relaxed);
                        return Ok(());
                    }
                }
                continue;
            }
            let (now, later) = rest.split_at(fits);
            if self.samples.push_entire_slice(now).is_ok() {
                self.written += now.len() as u64;
                rest = later;
            }
            self.wake();
        }
        Ok(())
    }

    fn mark(&mut self, kind: MarkKind) {
        while !self.samples.is_abandoned() {
            let at = self.written;
            if self.settle_gap() && self.marks.push(Mark { at, kind }).is_ok() {
                break;
            }
            std::thread::sleep(NAP);
        }
        self.wake();
    }

    /// Puts the mark of a gap before the next sample; false while there is no room for it.
    fn settle_gap(&mut self) -> bool {
        if self.missing == 0 {
            return true;
        }
        // The mark goes first: a reader that sees the sample behind it must also see the mark.
        let mark = Mark {
            at: self.written,
            kind: MarkKind::Gap(self.missing),
        };
        let settled = self.marks.push(mark).is_ok();
        if settled {
            self.missing = 0;
        }
        settled
    }

    fn wake(&self) {
        if let Some(reader) = &self.reader {
            reader.unpark();
        }
    }
}
