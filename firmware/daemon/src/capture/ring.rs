//! The ring between capture and analysis: samples, and marks that say where they are interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Thread;
use std::time::Duration;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::stop::Stop;

/// How many marks may wait; more than gaps can happen in one ring of samples.
const MARKS: usize = 64;
/// How long a writer that waits for room sleeps before it looks again.
const NAP: Duration = Duration::from_millis(1);

/// What interrupts the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// So many frames are missing here.
    Gap(u64),
    /// The device is gone; samples may follow, after a gap.
    Lost,
}

/// A mark stands before the sample with the number `at`.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: u64,
    kind: MarkKind,
}

/// What a full ring does to the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// The writer waits: nothing is lost. For recordings.
    Wait,
    /// The samples are dropped, counted, and become a gap. For devices, which do not wait.
    Drop,
}

/// The analysis is over; what is written would never be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// The writing end, owned by the capture thread.
pub struct Writer {
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

/// A ring that holds `frames` frames of `channels` interleaved samples.
pub fn ring(frames: usize, channels: usize, when_full: WhenFull, stop: Stop) -> (Writer, Reader) {
    let channels = channels.max(1);
    let (samples, samples_out) = RingBuffer::new(frames.max(1) * channels);
    let (marks, marks_out) = RingBuffer::new(MARKS);
    let dropped = Arc::new(AtomicU64::new(0));
    let writer = Writer {
        samples,
        marks,
        channels,
        written: 0,
        missing: 0,
        when_full,
        dropped: Arc::clone(&dropped),
        reader: None,
        stop,
    };
    (
        writer,
        Reader {
            samples: samples_out,
            marks: marks_out,
            channels,
            read: 0,
            dropped,
        },
    )
}

impl Writer {
    /// The thread to wake when there is something to read.
    pub fn wakes(&mut self, reader: Thread) {
        self.reader = Some(reader);
    }

    /// Interleaved channels per frame.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Writes interleaved samples; what does not fill a frame at the end is left out.
    ///
    /// # Errors
    /// [`Closed`] when nobody reads any more or the end was asked for.
    pub fn write(&mut self, interleaved: &[f32]) -> Result<(), Closed> {
        let whole = interleaved.len() - interleaved.len() % self.channels;
        let mut rest = &interleaved[..whole];
        while !rest.is_empty() {
            if self.samples.is_abandoned() || self.stop.requested() {
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
                        self.missing += frames;
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

    /// Says that so many frames are missing here.
    pub fn gap(&mut self, frames: u64) {
        self.missing += frames;
    }

    /// Says that the device is gone; waits until the mark is taken.
    pub fn mark(&mut self, kind: MarkKind) {
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

impl Reader {
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

    /// Frames that were dropped so far because the ring was full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(reader: &mut Reader) -> (Vec<f32>, Vec<(usize, MarkKind)>) {
        let (mut samples, mut marks, mut buffer) = (Vec::new(), Vec::new(), [0.0; 6]);
        loop {
            match reader.next(&mut buffer) {
                Found::Samples(count) => samples.extend_from_slice(&buffer[..count]),
                Found::Mark(kind) => marks.push((samples.len(), kind)),
                Found::Nothing | Found::Abandoned => return (samples, marks),
            }
        }
    }

    #[test]
    fn marks_are_found_exactly_between_the_samples_they_were_written_between() {
        let (mut writer, mut reader) = ring(100, 2, WhenFull::Drop, Stop::default());
        writer.write(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        writer.gap(7);
        writer.gap(3);
        writer.write(&[5.0, 6.0]).unwrap();
        writer.mark(MarkKind::Lost);
        writer.gap(1);
        writer.mark(MarkKind::Lost);
        let (samples, marks) = drain(&mut reader);
        assert_eq!(samples, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(
            marks,
            [
                (4, MarkKind::Gap(10)),
                (6, MarkKind::Lost),
                (6, MarkKind::Gap(1)),
                (6, MarkKind::Lost)
            ]
        );
    }

    #[test]
    fn an_overrun_is_counted_and_becomes_a_gap_of_the_same_length() {
        let (mut writer, mut reader) = ring(4, 1, WhenFull::Drop, Stop::default());
        writer.write(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        writer.write(&[7.0]).unwrap();
        assert_eq!(drain(&mut reader).0, [1.0, 2.0, 3.0, 4.0]);
        writer.write(&[8.0]).unwrap();
        let (samples, marks) = drain(&mut reader);
        assert_eq!((samples, marks), (vec![8.0], vec![(0, MarkKind::Gap(3))]));
        assert_eq!(reader.dropped(), 3);
    }

    #[test]
    fn a_recording_waits_for_room_and_loses_nothing() {
        let (mut writer, mut reader) = ring(8, 1, WhenFull::Wait, Stop::default());
        let sent: Vec<f32> = (0..1000u16).map(f32::from).collect();
        let to_send = sent.clone();
        let thread = std::thread::spawn(move || writer.write(&to_send).unwrap());
        let (mut got, mut buffer) = (Vec::new(), [0.0; 5]);
        loop {
            match reader.next(&mut buffer) {
                Found::Samples(count) => got.extend_from_slice(&buffer[..count]),
                Found::Mark(kind) => panic!("{kind:?} in a recording"),
                Found::Nothing => std::thread::yield_now(),
                Found::Abandoned => break,
            }
        }
        thread.join().unwrap();
        assert_eq!((got, reader.dropped()), (sent, 0));
    }

    #[test]
    fn a_writer_that_waits_gives_up_when_stopped_or_when_nobody_reads() {
        let stop = Stop::default();
        let (mut writer, _reader) = ring(1, 1, WhenFull::Wait, stop.clone());
        writer.write(&[1.0]).unwrap();
        stop.request();
        assert_eq!(writer.write(&[2.0]), Err(Closed));
        let (mut writer, reader) = ring(1, 1, WhenFull::Wait, Stop::default());
        drop(reader);
        assert_eq!(writer.write(&[1.0]), Err(Closed));
        writer.mark(MarkKind::Lost);
    }

    #[test]
    fn a_reader_learns_that_the_writer_is_gone_only_after_all_its_samples() {
        let (mut writer, mut reader) = ring(10, 1, WhenFull::Drop, Stop::default());
        writer.write(&[1.0, 2.0]).unwrap();
        drop(writer);
        let mut buffer = [0.0; 8];
        assert_eq!(reader.next(&mut buffer), Found::Samples(2));
        assert_eq!(reader.next(&mut buffer), Found::Abandoned);
    }
}
