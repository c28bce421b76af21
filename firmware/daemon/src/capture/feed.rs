//! What a source says while it runs: samples into the ring, and signals to its supervisor.
//!
//! | flow    | samples               | nothing for 2 s | nothing for 5 s  | lost | muted |
//! |---------|-----------------------|-----------------|------------------|------|-------|
//! | closed  | open, and its signal  | stalled         | given up         | lost | muted |
//! | open    | open                  | stalled         |                  | lost | muted |
//! | stalled | open, `Resumed`       | stalled         | given up         | lost | muted |
//!
//! Every way out of *open* ends what is heard, and every way back begins with a gap as long as nothing was heard. A stream
//! that others send (standard input) may pause without missing anything: there, *stalled* neither ends what is heard nor is it
//! followed by a gap, and the end of a mute is told though nothing comes (`Waiting`).

use std::time::{Duration, Instant};

use undertone_events::EndReason;

use super::link::{CaptureSignal, Link, MuteCause};
use super::{Closed, Format, Writer};
use crate::talk::say;

/// Without samples for so long, a device has stalled.
pub(super) const STALL: Duration = Duration::from_secs(2);
/// Without samples for so long, it is taken for gone: a sound server that dies is not always reported as an error, and
/// a driver that hangs often works again once the device is opened anew.
pub(super) const GIVE_UP: Duration = Duration::from_secs(5);

/// Whether samples come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// Not (yet): the signal that comes with the next samples.
    Closed(Because),
    Open,
    Stalled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Because {
    NotYet,
    Lost,
    Muted,
}

/// The ring and the link of one source.
pub(super) struct Feed {
    writer: Writer,
    link: Link,
    device: String,
    format: Format,
    /// A device, which does not wait while nobody listens.
    live: bool,
    flow: Flow,
    /// Nothing was heard since.
    silent_since: Instant,
    /// How long a device that is open has been waited for, not counting time in which this process did not run.
    idle: Duration,
}

impl Feed {
    /// The feed of a source that is called `device` and delivers `format`; `live` when it does not wait for anybody.
    pub(super) fn new(
        writer: Writer,
        link: Link,
        device: String,
        format: Format,
        live: bool,
    ) -> Self {
        Feed {
            writer,
            link,
            device,
            format,
            live,
            flow: Flow::Closed(Because::NotYet),
            silent_since: Instant::now(),
            idle: Duration::ZERO,
        }
    }

    /// True once the end was asked for.
    pub(super) fn stopped(&self) -> bool {
        self.link.stop.requested()
    }

    /// Why nothing may be heard now.
    pub(super) fn mute(&self) -> Option<MuteCause> {
        self.link.mute.cause()
    }

    /// Takes interleaved samples of the source. While muted they are thrown away.
    pub(super) fn samples(&mut self, interleaved: &[f32]) -> Result<(), Closed> {
        if let Some(cause) = self.mute() {
            self.muted(cause);
            return self.writer.write(interleaved);
        }
        self.idle = Duration::ZERO;
        if self.flow != Flow::Open {
            self.open();
        }
        self.silent_since = Instant::now();
        self.writer.write(interleaved)
    }

    /// Samples come (again): a gap as long as the silence, and the signal that fits.
    fn open(&mut self) {
        let silence = self.silent_since.elapsed();
        let device = &self.device;
        let signal = match self.flow {
            Flow::Closed(Because::NotYet) => CaptureSignal::Opened {
                device: device.clone(),
                format: self.format,
            },
            Flow::Closed(Because::Lost) => {
                say!("{device} is back after {} s", silence.as_secs());
                CaptureSignal::Back { after: silence }
            }
            Flow::Closed(Because::Muted) => {
                say!("{device} is no longer muted");
                CaptureSignal::Unmuted
            }
            Flow::Open | Flow::Stalled => {
                say!("{device} delivers again");
                CaptureSignal::Resumed
            }
        };
        if self.live && !matches!(signal, CaptureSignal::Opened { .. }) {
            self.writer
                .gap_of_at_least(frames(silence, self.format.rate).max(1));
        }
        self.flow = Flow::Open;
        self.link.tell(signal);
    }

    /// A stream that others send had nothing for so long. Nothing of it is missing, so that what is heard goes on with what
    /// comes next.
    pub(super) fn pause(&mut self, waited: Duration) {
        if self.flow == Flow::Closed(Because::Muted) {
            say!("{} is no longer muted", self.device);
            self.flow = Flow::Closed(Because::NotYet);
            self.link.tell(CaptureSignal::Waiting);
        }
        self.nothing_for(waited);
    }

    /// An open device had nothing for so long; true when it is taken for gone.
    pub(super) fn nothing_for(&mut self, waited: Duration) -> bool {
        self.idle += waited;
        if self.idle >= STALL && self.flow != Flow::Stalled {
            say!("{} delivers nothing; it has stalled", self.device);
            // A device that was never heard has nothing to end, and one that is looked for stays so.
            if self.flow == Flow::Open && self.live {
                self.writer.end(EndReason::Gap);
            }
            if self.flow != Flow::Closed(Because::Lost) {
                self.flow = Flow::Stalled;
                self.link.tell(CaptureSignal::Stalled);
            }
        }
        self.idle >= GIVE_UP
    }

    /// The device lost samples and goes on.
    pub(super) fn xrun(&mut self, reason: &str) {
        let missing_frames = frames(self.silent_since.elapsed(), self.format.rate).max(1);
        self.idle = Duration::ZERO;
        if self.flow == Flow::Open {
            say!("{} was interrupted ({reason})", self.device);
            self.writer.gap(missing_frames);
            self.silent_since = Instant::now();
        }
        self.link.tell(CaptureSignal::Xrun { missing_frames });
    }

    /// The device is gone, and is being looked for. Said once.
    pub(super) fn lost(&mut self, reason: &str) {
        self.idle = Duration::ZERO;
        if self.flow == Flow::Closed(Because::Lost) {
            return;
        }
        say!(
            "{} is gone ({reason}); waiting for it to come back",
            self.device
        );
        self.flow = Flow::Closed(Because::Lost);
        self.writer.end(EndReason::DeviceLost);
        self.link.tell(CaptureSignal::Lost {
            reason: reason.to_owned(),
        });
    }

    /// The device is closed on purpose. Said once.
    pub(super) fn muted(&mut self, cause: MuteCause) {
        self.idle = Duration::ZERO;
        if self.flow == Flow::Closed(Because::Muted) {
            return;
        }
        let by = match cause {
            MuteCause::Command => "by command",
            MuteCause::Switch => "by its own switch",
        };
        say!("{} is muted {by}", self.device);
        self.flow = Flow::Closed(Because::Muted);
        self.writer.end(EndReason::Mute);
        self.link.tell(CaptureSignal::Muted(cause));
    }
}

fn frames(elapsed: Duration, rate: u32) -> u64 {
    u64::try_from(elapsed.as_nanos() * u128::from(rate) / 1_000_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Found, MarkKind, Mute, Reader, Selection, WhenFull, ring};
    use crate::stop::Stop;
    use std::sync::mpsc::{Receiver, channel};

    struct Bench {
        feed: Feed,
        mute: Mute,
        reader: Reader,
        signals: Receiver<CaptureSignal>,
    }

    const SLICE: Duration = Duration::from_millis(100);

    impl Bench {
        fn new() -> Self {
            let (mute, stop) = (Mute::default(), Stop::default());
            let all = Selection::all(1);
            let (writer, reader) = ring(4000, all, WhenFull::Drop, mute.clone(), stop.clone());
            let (sender, signals) = channel();
            let link = Link::new(stop, mute.clone(), move |signal| {
                sender.send(signal).unwrap();
            });
            let format = Format {
                rate: 1000,
                channels: 1,
            };
            Bench {
                feed: Feed::new(writer, link, "mic".into(), format, true),
                mute,
                reader,
                signals,
            }
        }

        fn in_flow(name: &str) -> Self {
            let mut bench = Bench::new();
            let feed = &mut bench.feed;
            if name != "new" {
                feed.samples(&[0.5]).unwrap();
            }
            match name {
                "new" | "open" => {}
                "stalled" => assert!(!(0..20).any(|_| feed.nothing_for(SLICE))),
                "lost" => feed.lost("EIO"),
                "muted" => {
                    bench.mute.command(true);
                    feed.muted(MuteCause::Command);
                    bench.mute.command(false);
                }
                other => panic!("{other}"),
            }
            bench.told();
            bench.heard();
            bench
        }

        fn told(&mut self) -> Vec<&'static str> {
            let name = |signal: CaptureSignal| match signal {
                CaptureSignal::Opened { .. } => "opened",
                CaptureSignal::Xrun { .. } => "xrun",
                CaptureSignal::Waiting => "waiting",
                CaptureSignal::Stalled => "stalled",
                CaptureSignal::Resumed => "resumed",
                CaptureSignal::Lost { .. } => "lost",
                CaptureSignal::Back { .. } => "back",
                CaptureSignal::Muted(_) => "muted",
                CaptureSignal::Unmuted => "unmuted",
            };
            self.signals.try_iter().map(name).collect()
        }

        /// What came out of the ring: samples, gaps, and reasons for an end.
        fn heard(&mut self) -> Vec<String> {
            let (mut all, mut buffer) = (Vec::new(), [0.0; 8]);
            loop {
                all.push(match self.reader.next(&mut buffer) {
                    Found::Samples(count) => format!("{count}"),
                    Found::Mark(MarkKind::Gap(_)) => "gap".into(),
                    Found::Mark(MarkKind::End(reason)) => format!("{reason:?}"),
                    Found::Nothing | Found::Abandoned => return all,
                });
            }
        }
    }

    #[test]
    fn every_flow_answers_everything_that_can_happen_as_the_table_says() {
        type Case = (
            &'static str,
            &'static str,
            &'static [&'static str],
            &'static [&'static str],
        );
        let cases: [Case; 30] = [
            ("new", "samples", &["opened"], &["1"]),
            ("open", "samples", &[], &["1"]),
            ("stalled", "samples", &["resumed"], &["gap", "1"]),
            ("lost", "samples", &["back"], &["gap", "1"]),
            ("muted", "samples", &["unmuted"], &["gap", "1"]),
            ("new", "stall", &["stalled"], &[]),
            ("open", "stall", &["stalled"], &["Gap"]),
            ("stalled", "stall", &[], &[]),
            ("lost", "stall", &[], &[]),
            ("muted", "stall", &["stalled"], &[]),
            ("new", "lost", &["lost"], &["DeviceLost"]),
            ("open", "lost", &["lost"], &["DeviceLost"]),
            ("stalled", "lost", &["lost"], &["DeviceLost"]),
            ("lost", "lost", &[], &[]),
            ("muted", "lost", &["lost"], &["DeviceLost"]),
            ("new", "mute", &["muted"], &["Mute"]),
            ("open", "mute", &["muted"], &["Mute"]),
            ("stalled", "mute", &["muted"], &["Mute"]),
            ("lost", "mute", &["muted"], &["Mute"]),
            ("muted", "mute", &[], &[]),
            ("new", "samples while muted", &["muted"], &["Mute"]),
            ("open", "samples while muted", &["muted"], &["Mute"]),
            ("stalled", "samples while muted", &["muted"], &["Mute"]),
            ("lost", "samples while muted", &["muted"], &["Mute"]),
            ("muted", "samples while muted", &[], &[]),
            ("new", "xrun", &["xrun", "opened"], &["1"]),
            ("open", "xrun", &["xrun"], &["gap", "1"]),
            ("stalled", "xrun", &["xrun", "resumed"], &["gap", "1"]),
            ("lost", "xrun", &["xrun", "back"], &["gap", "1"]),
            ("muted", "xrun", &["xrun", "unmuted"], &["gap", "1"]),
        ];
        for (flow, what, told, heard) in cases {
            let mut bench = Bench::in_flow(flow);
            let feed = &mut bench.feed;
            match what {
                "samples" => feed.samples(&[1.0]).unwrap(),
                "stall" => (0..25).for_each(|_| assert!(!feed.nothing_for(SLICE))),
                "lost" => feed.lost("EIO"),
                "mute" => feed.muted(MuteCause::Switch),
                "samples while muted" => {
                    bench.mute.command(true);
                    feed.samples(&[1.0]).unwrap();
                }
                "xrun" => {
                    feed.xrun("overrun");
                    feed.samples(&[1.0]).unwrap();
                }
                other => panic!("{other}"),
            }
            assert_eq!(bench.told(), told, "{what} when {flow}");
            assert_eq!(bench.heard(), heard, "{what} when {flow}");
        }
    }

    #[test]
    fn a_device_that_delivers_nothing_for_long_is_given_up() {
        let mut bench = Bench::in_flow("open");
        let looks = (1..).find(|_| bench.feed.nothing_for(SLICE)).unwrap();
        assert_eq!(looks, 50);
        let mut bench = Bench::in_flow("open");
        assert!((0..1000).all(|_| {
            bench.feed.samples(&[1.0]).unwrap();
            !bench.feed.nothing_for(SLICE)
        }));
        assert_eq!(bench.told(), [""; 0]);
    }
}
