//! Listening to a microphone for a moment, with the code that the daemon captures with. Of the audio only levels are kept.

use std::sync::mpsc::channel;
use std::thread::Builder;
use std::time::{Duration, Instant};

use undertone_analysis::{Level, LevelMeter};

use crate::capture::{
    self, CaptureError, CaptureOptions, CaptureSignal, Format, Found, Link, Mute, Selection,
    SourceSpec, WhenFull, ring,
};
use crate::stop::Stop;

/// What a device delivers at first may be a switching noise of its own.
const SETTLING: Duration = Duration::from_millis(200);
/// How long a device may take beyond what is listened to: a sound server takes a second to begin, and a device that
/// delivers nothing is given up by the capture code after five.
const PATIENCE: Duration = Duration::from_secs(7);
/// How long the thread may take to close the device.
const CLOSING: Duration = Duration::from_secs(3);
/// Between two looks at the ring.
const LOOK: Duration = Duration::from_millis(5);

/// What was heard.
pub(super) struct Heard {
    /// What the device delivers, before channels are picked.
    pub(super) format: Format,
    /// How it is read.
    pub(super) device: String,
    /// The level of each channel that is analysed; empty when nothing came.
    pub(super) levels: Vec<Level>,
    /// What ended it before its time.
    pub(super) ended: Option<CaptureSignal>,
    /// Times that the device lost samples.
    pub(super) xruns: usize,
}

/// Listens for so long.
///
/// # Errors
/// Why the source cannot be opened or read.
pub(super) fn listen(
    spec: &SourceSpec,
    options: &CaptureOptions,
    time: Duration,
) -> Result<Heard, CaptureError> {
    let source = capture::open(spec, options)?;
    let (format, device) = (source.format(), source.describe());
    let selection = Selection::of(&options.pick, format.channels)?;
    let channels = selection.channels().max(1);
    let (stop, mute) = (Stop::default(), Mute::default());
    let (writer, mut reader) = ring(
        format.rate as usize,
        selection,
        WhenFull::Drop,
        mute.clone(),
        stop.clone(),
    );
    let (sender, signals) = channel();
    let link = Link::new(stop.clone(), mute, move |signal| {
        // Whoever has heard enough does not listen to what happens then.
        let _ = sender.send(signal);
    });
    let thread = Builder::new()
        .name("doctor".into())
        .spawn(move || source.run(writer, link))
        .map_err(|reason| CaptureError::Device {
            name: spec.to_string(),
            action: "be given a thread",
            reason: reason.to_string(),
        })?;
    let frames = |time: Duration| (time.as_secs_f64() * f64::from(format.rate)) as usize;
    let mut meter = Meters::new(channels, frames(SETTLING), frames(time));
    let (mut ended, mut xruns) = (None, 0);
    let mut buffer = vec![0.0; 1024 * channels];
    let until = Instant::now() + time + PATIENCE;
    while !meter.is_done() && ended.is_none() && Instant::now() < until {
        match reader.next(&mut buffer) {
            Found::Samples(count) => meter.take(&buffer[..count]),
            Found::Mark(_) => {}
            Found::Abandoned => break,
            Found::Nothing => std::thread::sleep(LOOK),
        }
        for signal in signals.try_iter() {
            match signal {
                CaptureSignal::Xrun { .. } => xruns += 1,
                CaptureSignal::Lost { .. } | CaptureSignal::Muted(_) => ended = Some(signal),
                // It is given up, or goes on.
                _ => {}
            }
        }
    }
    stop.request();
    let closing = Instant::now() + CLOSING;
    while !thread.is_finished() && Instant::now() < closing {
        std::thread::sleep(LOOK);
    }
    // A driver that hangs keeps its thread; the process does not wait for it.
    if thread.is_finished()
        && let Ok(outcome) = thread.join()
    {
        outcome?;
    }
    Ok(Heard {
        format,
        device,
        levels: meter.levels,
        ended,
        xruns,
    })
}

/// A meter for each channel, over one interval.
struct Meters {
    meters: Vec<LevelMeter>,
    skip: usize,
    /// Frames that were measured.
    position: u64,
    levels: Vec<Level>,
}

impl Meters {
    fn new(channels: usize, skip: usize, frames: usize) -> Self {
        let meter = || LevelMeter::new(u64::try_from(frames).unwrap_or(u64::MAX));
        Meters {
            meters: std::iter::repeat_with(meter).take(channels).collect(),
            skip,
            position: 0,
            levels: Vec::new(),
        }
    }

    fn is_done(&self) -> bool {
        !self.levels.is_empty()
    }

    fn take(&mut self, interleaved: &[f32]) {
        let channels = self.meters.len();
        for frame in interleaved.chunks_exact(channels) {
            if self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            if self.is_done() {
                return;
            }
            let Meters {
                meters,
                position,
                levels,
                ..
            } = self;
            for (meter, sample) in meters.iter_mut().zip(frame) {
                meter.push(&[*sample], *position, |level| levels.push(level));
            }
            self.position += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use undertone_analysis::Signal;

    #[test]
    fn each_channel_is_measured_by_itself_after_what_comes_first() {
        let mut meters = Meters::new(2, 3, 100);
        let click = [1.0; 6];
        meters.take(&click);
        let tone: Vec<f32> = (0..150)
            .flat_map(|at| [0.5 * (at as f32).sin(), 0.0])
            .collect();
        meters.take(&tone);
        assert!(meters.is_done());
        let signals: Vec<Signal> = meters.levels.iter().map(|level| level.signal).collect();
        assert_eq!(signals, [Signal::Ok, Signal::None]);
        assert!(meters.levels[1].dead && !meters.levels[0].dead);
    }

    #[test]
    fn a_recording_is_heard_like_a_microphone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tone.wav");
        std::fs::write(&path, wav(32_000)).unwrap();
        let options = CaptureOptions {
            fast: true,
            ..CaptureOptions::default()
        };
        let spec = SourceSpec::File(path);
        let heard = listen(&spec, &options, Duration::from_millis(500)).unwrap();
        assert_eq!(heard.levels.len(), 1);
        let level = heard.levels[0];
        assert!((level.peak_dbfs - -12.2).abs() < 0.3, "{level:?}");
        let missing = SourceSpec::File("/nowhere.wav".into());
        assert!(listen(&missing, &options, Duration::from_millis(500)).is_err());
    }

    fn wav(count: u32) -> Vec<u8> {
        let mut bytes = b"RIFF".to_vec();
        bytes.extend((36 + 2 * count).to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        bytes.extend(16_000u32.to_le_bytes());
        bytes.extend(32_000u32.to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data");
        bytes.extend((2 * count).to_le_bytes());
        for at in 0..count {
            let sample = (f64::from(at) * 0.3).sin() * 8000.0;
            bytes.extend((sample as i16).to_le_bytes());
        }
        bytes
    }
}
