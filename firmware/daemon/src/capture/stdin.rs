//! Standard input: a recording with a header, or headerless 16-bit little-endian samples.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use undertone_decode::{Limits, Reader};

use super::feed::Feed;
use super::{CaptureError, CaptureOptions, CaptureSignal, Format, Link, Source, Writer};
use crate::talk::say;

/// What a stream with a header begins with.
const MAGIC: [&[u8]; 4] = [b"RIFF", b"fLaC", b"OggS", b"ID3"];
/// Bytes read at once from a headerless stream.
const BLOCK: usize = 4096;
/// From one look at the requests to stop and mute to the next, while nothing comes.
const LOOK: Duration = Duration::from_millis(50);
/// After so many looks people are told what is waited for.
const LOOKS: u32 = 20;

/// Waits until standard input has its first bytes, or has ended, and tells of a mute meanwhile; false when the end was asked
/// for.
pub fn await_stdin(link: &mut Link) -> bool {
    await_input(std::io::stdin(), link)
}

fn await_input(input: impl AsFd, link: &mut Link) -> bool {
    let mut told = None;
    let mut looks = 0u32;
    loop {
        looks = looks.saturating_add(1);
        if link.stop.requested() {
            return false;
        }
        let mute = link.mute.cause();
        if mute != told {
            told = mute;
            link.tell(mute.map_or(CaptureSignal::Waiting, CaptureSignal::Muted));
        }
        if has_come(&input) {
            return true;
        }
        if looks == LOOKS {
            say!("nothing has come on standard input yet; waiting for it");
        }
    }
}

/// Waits a moment for something to be read, or the end.
fn has_come(input: &impl AsFd) -> bool {
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(LOOK.subsec_nanos()),
    };
    let mut awaited = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
    // What is wrong with it, reading will say.
    !matches!(
        poll(&mut awaited, Some(&timeout)),
        Ok(0) | Err(rustix::io::Errno::INTR)
    )
}

/// The feed, once there is one. One thread uses it: while it reads to tell that nothing comes, and then for what has come.
#[derive(Clone, Default)]
struct Slot(Arc<Mutex<Option<Feed>>>);

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands samples on; false once nobody wants any.
    fn samples(&self, samples: &[f32]) -> bool {
        let mut feed = self.lock();
        feed.as_mut()
            .is_some_and(|feed| feed.samples(samples).is_ok())
    }
}

/// An input whose feed learns that nothing comes, and that ends when the end was asked for: whoever sends may pause for as
/// long as they like.
struct Awaited<R> {
    input: R,
    feed: Slot,
}

impl<R: Read + AsFd> Read for Awaited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !has_come(&self.input) {
            if let Some(feed) = &mut *self.feed.lock() {
                if feed.stopped() {
                    return Ok(0);
                }
                match feed.mute() {
                    Some(cause) => feed.muted(cause),
                    None => feed.pause(LOOK),
                }
            }
        }
        self.input.read(buffer)
    }
}

/// A stream of which nothing is lost: its writer waits while the analysis is behind.
pub(super) struct StdinSource {
    format: Format,
    stream: Stream,
    feed: Slot,
}

enum Stream {
    Raw(Box<dyn Read + Send>),
    Decoded(Box<Reader>),
}

impl StdinSource {
    /// Opens standard input itself, as [`StdinSource::read`] does.
    pub(super) fn open(options: &CaptureOptions) -> Result<Self, CaptureError> {
        // Past the buffer of the standard library, in which bytes would wait that cannot be waited for.
        let input = std::io::stdin().as_fd().try_clone_to_owned();
        Self::await_on(File::from(input.map_err(CaptureError::Stdin)?), options)
    }

    fn await_on(
        input: impl Read + AsFd + Send + Sync + 'static,
        options: &CaptureOptions,
    ) -> Result<Self, CaptureError> {
        let feed = Slot::default();
        let awaited = Awaited {
            input,
            feed: feed.clone(),
        };
        Self::read(awaited, feed, options)
    }

    /// Reads the first four bytes to learn what the stream is; waits for them.
    fn read(
        mut input: impl Read + Send + Sync + 'static,
        feed: Slot,
        options: &CaptureOptions,
    ) -> Result<Self, CaptureError> {
        let mut start = [0; 4];
        let length = fill(&mut input, &mut start).map_err(CaptureError::Stdin)?;
        if length == 0 {
            return Err(CaptureError::StdinEmpty);
        }
        let whole = Cursor::new(start[..length].to_vec()).chain(input);
        if !MAGIC.iter().any(|magic| start.starts_with(magic)) {
            let format = Format {
                rate: options.stdin_rate,
                channels: options.stdin_channels,
            };
            return Ok(StdinSource {
                format,
                stream: Stream::Raw(Box::new(whole)),
                feed,
            });
        }
        // A stream that is cut off has been heard up to there; that is no fault of this side.
        let limits = Limits {
            max_seconds: f64::INFINITY,
            accept_truncated: true,
            ..Limits::default()
        };
        let reader = Reader::from_stream("standard input", whole, &limits)?;
        let format = Format {
            rate: reader.sample_rate(),
            channels: reader.channels(),
        };
        Ok(StdinSource {
            format,
            stream: Stream::Decoded(Box::new(reader)),
            feed,
        })
    }
}

impl Source for StdinSource {
    fn format(&self) -> Format {
        self.format
    }

    fn is_live(&self) -> bool {
        false
    }

    fn describe(&self) -> String {
        let kind = match &self.stream {
            Stream::Raw(_) => "16-bit little-endian samples without a header",
            Stream::Decoded(reader) => reader.format(),
        };
        format!("standard input ({kind})")
    }

    fn run(self: Box<Self>, writer: Writer, link: Link) -> Result<(), CaptureError> {
        let channels = writer.channels();
        let feed = Feed::new(writer, link, "standard input".into(), self.format, false);
        *self.feed.lock() = Some(feed);
        let outcome = match self.stream {
            Stream::Raw(mut input) => run_raw(&mut input, &self.feed, channels),
            Stream::Decoded(reader) => run_decoded(*reader, &self.feed),
        };
        // The end of the writer, which is in it, is the end of the audio.
        *self.feed.lock() = None;
        outcome
    }
}

fn run_decoded(mut reader: Reader, feed: &Slot) -> Result<(), CaptureError> {
    while let Some(block) = reader.next_block()? {
        if !feed.samples(block) {
            break;
        }
    }
    Ok(())
}

fn run_raw(input: &mut dyn Read, feed: &Slot, channels: usize) -> Result<(), CaptureError> {
    let frame = 2 * channels;
    let mut bytes = vec![0; BLOCK.next_multiple_of(frame)];
    let mut samples = vec![0.0; bytes.len() / 2];
    let mut held = 0;
    loop {
        let count = match input.read(&mut bytes[held..]) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(CaptureError::Stdin(error)),
        };
        held += count;
        let whole = held - held % frame;
        for (sample, pair) in samples.iter_mut().zip(bytes[..whole].as_chunks::<2>().0) {
            *sample = f32::from(i16::from_le_bytes(*pair)) / 32_768.0;
        }
        if !feed.samples(&samples[..whole / 2]) {
            return Ok(());
        }
        bytes.copy_within(whole..held, 0);
        held -= whole;
    }
}

/// Reads until the buffer is full or the input ends; returns how much was read.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Found, Mute, Selection, WhenFull, ring};
    use crate::stop::Stop;

    fn options() -> CaptureOptions {
        CaptureOptions {
            stdin_rate: 8000,
            stdin_channels: 2,
            ..CaptureOptions::default()
        }
    }

    /// Hands out three bytes at a time, as a slow pipe does.
    struct Slow(Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = buffer.len().min(3);
            self.0.read(&mut buffer[..count])
        }
    }

    fn heard(bytes: Vec<u8>) -> (Format, Vec<f32>) {
        let stop = Stop::default();
        let source =
            StdinSource::read(Slow(Cursor::new(bytes)), Slot::default(), &options()).unwrap();
        let format = source.format();
        let (all, mute) = (Selection::all(format.channels), Mute::default());
        let (writer, mut reader) = ring(1000, all, WhenFull::Wait, mute.clone(), stop.clone());
        let link = Link::new(stop, mute, |_| {});
        Box::new(source).run(writer, link).unwrap();
        let (mut buffer, mut samples) = ([0.0; 1000], Vec::new());
        while let Found::Samples(count) = reader.next(&mut buffer) {
            samples.extend_from_slice(&buffer[..count]);
        }
        (format, samples)
    }

    #[test]
    fn headerless_samples_are_whole_frames_of_the_given_rate_and_channels() {
        let values = [1i16, -32_768, 16_384, 0, 7, 8, 9];
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let (format, samples) = heard(bytes);
        assert_eq!(
            format,
            Format {
                rate: 8000,
                channels: 2
            }
        );
        assert_eq!(
            samples,
            [
                1.0 / 32_768.0,
                -1.0,
                0.5,
                0.0,
                7.0 / 32_768.0,
                8.0 / 32_768.0
            ]
        );
    }

    #[test]
    fn nothing_on_a_pipe_is_waited_for_and_a_mute_and_the_end_are_heeded_meanwhile() {
        use std::io::Write as _;
        use std::sync::mpsc::channel;

        let patience = Duration::from_secs(20);
        let (reader, mut writer) = std::io::pipe().unwrap();
        let (stop, mute) = (Stop::default(), Mute::default());
        let (sender, told) = channel();
        let mut link = Link::new(stop.clone(), mute.clone(), move |signal| {
            sender.send(signal).unwrap();
        });
        let waits = std::thread::spawn(move || (await_input(&reader, &mut link), reader, link));
        mute.command(true);
        let muted = CaptureSignal::Muted(crate::capture::MuteCause::Command);
        assert_eq!(told.recv_timeout(patience).unwrap(), muted);
        mute.command(false);
        assert_eq!(told.recv_timeout(patience).unwrap(), CaptureSignal::Waiting);
        writer.write_all(b"R").unwrap();
        let (came, reader, mut link) = waits.join().unwrap();
        assert!(came);
        stop.request();
        assert!(!await_input(&reader, &mut link));
    }

    #[test]
    fn a_pipe_that_pauses_is_told_of_muted_at_once_and_brought_to_its_end() {
        use std::io::Write as _;
        use std::sync::mpsc::channel;

        let patience = Duration::from_secs(20);
        let (input, mut writer) = std::io::pipe().unwrap();
        let (stop, mute) = (Stop::default(), Mute::default());
        let (sender, told) = channel();
        let told = || told.recv_timeout(patience).unwrap();
        let link = Link::new(stop.clone(), mute.clone(), move |signal| {
            sender.send(signal).unwrap();
        });
        let all = Selection::all(2);
        let (ring_end, mut heard) = ring(1000, all, WhenFull::Wait, mute.clone(), stop.clone());
        writer.write_all(&[0; 40]).unwrap();
        let source = Box::new(StdinSource::await_on(input, &options()).unwrap());
        let runs = std::thread::spawn(move || source.run(ring_end, link));
        assert!(matches!(told(), CaptureSignal::Opened { .. }));
        assert_eq!(told(), CaptureSignal::Stalled);
        writer.write_all(&[0; 40]).unwrap();
        assert_eq!(told(), CaptureSignal::Resumed);
        // Muted or stopped any sooner, what has just come might be left out as well.
        let mut buffer = [0.0; 1000];
        let mut hear = |wanted: usize| {
            let (mut samples, mut marks) = (0, Vec::new());
            while samples < wanted {
                match heard.next(&mut buffer) {
                    Found::Samples(count) => samples += count,
                    Found::Mark(kind) => marks.push(format!("{kind:?}")),
                    Found::Nothing => std::thread::sleep(Duration::from_millis(1)),
                    Found::Abandoned => panic!("the pipe was given up"),
                }
            }
            (samples, marks)
        };
        // Of a stream nothing is missing, so a pause is no gap in it.
        assert_eq!(hear(40), (40, vec![]));
        mute.command(true);
        let muted = CaptureSignal::Muted(crate::capture::MuteCause::Command);
        assert_eq!(told(), muted);
        mute.command(false);
        assert_eq!(told(), CaptureSignal::Waiting);
        writer.write_all(&[0; 40]).unwrap();
        assert!(matches!(told(), CaptureSignal::Opened { .. }));
        assert_eq!(hear(20), (20, vec!["End(Mute)".to_owned()]));
        stop.request();
        runs.join().unwrap().unwrap();
    }

    #[test]
    fn a_wav_header_on_a_pipe_is_believed() {
        let mut wav = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\xff\xff\xff\xff".to_vec();
        wav.extend((0..100i16).flat_map(|v| (v * 100).to_le_bytes()));
        let (format, samples) = heard(wav);
        assert_eq!(
            format,
            Format {
                rate: 16_000,
                channels: 1
            }
        );
        assert_eq!(samples.len(), 100);
        assert_eq!(samples[99], 9900.0 / 32_768.0);
    }

    #[test]
    fn an_empty_input_and_a_broken_header_are_errors() {
        assert!(matches!(
            StdinSource::read(Cursor::new(vec![]), Slot::default(), &options()),
            Err(CaptureError::StdinEmpty)
        ));
        let broken = Cursor::new(b"RIFFxxxxWAVEgarbage".to_vec());
        assert!(matches!(
            StdinSource::read(broken, Slot::default(), &options()),
            Err(CaptureError::Decode(_))
        ));
    }
}
