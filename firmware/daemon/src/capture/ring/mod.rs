//! The ring between capture and analysis: samples, and marks that say where they are interrupted.

mod reader;
mod writer;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rtrb::RingBuffer;
use undertone_events::EndReason;

pub use self::reader::{Found, Reader};
pub use self::writer::{Closed, Writer};
use super::Selection;
use super::link::Mute;
use crate::stop::Stop;

/// How many marks may wait; more than gaps can happen in one ring of samples.
const MARKS: usize = 64;

/// What interrupts the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// So many frames are missing here.
    Gap(u64),
    /// Nothing is heard any more, for a reason; samples may follow, after a gap.
    End(EndReason),
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

/// A ring that holds `frames` frames of what is selected. While `mute` is on, nothing that is written passes.
pub fn ring(
    frames: usize,
    selection: Selection,
    when_full: WhenFull,
    mute: Mute,
    stop: Stop,
) -> (Writer, Reader) {
    let channels = selection.channels().max(1);
    let (samples, samples_out) = RingBuffer::new(frames.max(1) * channels);
    let (marks, marks_out) = RingBuffer::new(MARKS);
    let dropped = Arc::new(AtomicU64::new(0));
    let ends = (Arc::clone(&dropped), dropped);
    (
        Writer::new((samples, marks, ends.0), selection, when_full, mute, stop),
        Reader::new(samples_out, marks_out, channels, ends.1),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Pick;

    const LOST: MarkKind = MarkKind::End(EndReason::DeviceLost);

    fn plain(frames: usize, channels: usize, when_full: WhenFull, stop: Stop) -> (Writer, Reader) {
        ring(
            frames,
            Selection::all(channels),
            when_full,
            Mute::default(),
            stop,
        )
    }

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
        let (mut writer, mut reader) = plain(100, 2, WhenFull::Drop, Stop::default());
        writer.write(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        writer.gap(7);
        writer.gap(3);
        writer.write(&[5.0, 6.0]).unwrap();
        writer.end(EndReason::DeviceLost);
        writer.gap(1);
        writer.end(EndReason::DeviceLost);
        let (samples, marks) = drain(&mut reader);
        assert_eq!(samples, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(
            marks,
            [
                (4, MarkKind::Gap(10)),
                (6, LOST),
                (6, MarkKind::Gap(1)),
                (6, LOST)
            ]
        );
    }

    #[test]
    fn an_overrun_is_counted_and_becomes_a_gap_of_the_same_length() {
        let (mut writer, mut reader) = plain(4, 1, WhenFull::Drop, Stop::default());
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
        let (mut writer, mut reader) = plain(8, 1, WhenFull::Wait, Stop::default());
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
        let (mut writer, _reader) = plain(1, 1, WhenFull::Wait, stop.clone());
        writer.write(&[1.0]).unwrap();
        stop.request();
        assert_eq!(writer.write(&[2.0]), Err(Closed));
        let (mut writer, reader) = plain(1, 1, WhenFull::Wait, Stop::default());
        drop(reader);
        assert_eq!(writer.write(&[1.0]), Err(Closed));
        writer.end(EndReason::DeviceLost);
    }

    #[test]
    fn a_reader_learns_that_the_writer_is_gone_only_after_all_its_samples() {
        let (mut writer, mut reader) = plain(10, 1, WhenFull::Drop, Stop::default());
        writer.write(&[1.0, 2.0]).unwrap();
        drop(writer);
        let mut buffer = [0.0; 8];
        assert_eq!(reader.next(&mut buffer), Found::Samples(2));
        assert_eq!(reader.next(&mut buffer), Found::Abandoned);
    }

    #[test]
    fn only_the_picked_channels_pass() {
        let pick = Pick {
            channels: Some(vec![1]),
            ..Pick::default()
        };
        let selection = Selection::of(&pick, 2).unwrap();
        let (mut writer, mut reader) = ring(
            9,
            selection,
            WhenFull::Drop,
            Mute::default(),
            Stop::default(),
        );
        writer.write(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!(drain(&mut reader).0, [2.0, 4.0]);
    }

    #[test]
    fn nothing_passes_while_muted_and_what_was_said_then_is_a_gap() {
        let mute = Mute::default();
        let (mut writer, mut reader) = ring(
            9,
            Selection::all(2),
            WhenFull::Drop,
            mute.clone(),
            Stop::default(),
        );
        writer.write(&[1.0, 1.0]).unwrap();
        mute.command(true);
        writer.write(&[2.0, 2.0, 2.0, 2.0]).unwrap();
        writer.write(&[3.0, 3.0]).unwrap();
        mute.command(false);
        writer.write(&[4.0, 4.0]).unwrap();
        let (samples, marks) = drain(&mut reader);
        assert_eq!(samples, [1.0, 1.0, 4.0, 4.0]);
        assert_eq!(
            marks,
            [(2, MarkKind::End(EndReason::Mute)), (2, MarkKind::Gap(3))]
        );
    }
}
