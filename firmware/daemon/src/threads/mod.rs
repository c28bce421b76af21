//! The threads: capture -> ring -> analysis -> queues -> sinks.

mod analyse;
mod reporter;

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use undertone_model::{Licence, Model};

use crate::capture::{self, CaptureError, Link, Mute, Selection, Source, WhenFull};
use crate::config::Settings;
use crate::error::DaemonError;
use crate::sinks::{FanOut, Lines, Sinks};
use crate::status::{Info, Report};
use crate::stop::Stop;
use crate::talk::say;
use analyse::analyse;
use reporter::{Rates, Reporter};
use undertone_analysis::{Analyser, AnalysisSettings, Scorer, ScorerError, analyser};

/// How much audio the ring holds; analysis may be late by so much before samples of a device are lost.
const RING_SECONDS: usize = 4;
/// Samples that the ring holds at most (32 MiB), whatever rate and channels a header claims.
const RING_SAMPLES: usize = 8 << 20;
/// Frames that analysis takes at once, at most.
const BLOCK: usize = 1024;
/// How long the end waits for a thread that is stuck in the operating system.
const PATIENCE: Duration = Duration::from_millis(1000);

/// Runs until the audio ends or the end is asked for. Events that are open then get their end.
///
/// # Errors
/// The first thing that failed, in the order source, model, output.
pub fn run(
    settings: &Settings,
    model: &Model,
    boot_id: &str,
    stop: &Stop,
) -> Result<(), DaemonError> {
    let [named] = &settings.sources[..] else {
        return Err(DaemonError::Usage("this version hears one source".into()));
    };
    let source = capture::open(&named.spec, &named.capture)?;
    let mut format = source.format();
    say!(
        "listening to {}, {} Hz, {} channel(s)",
        source.describe(),
        format.rate,
        format.channels
    );
    let selection = Selection::of(&named.capture.pick, format.channels)?;
    format.channels = selection.channels();
    // Only now: while the source is being opened, the default action of a signal is the right one.
    stop.on_signals()?;

    let analyser = analyser(
        model,
        &AnalysisSettings {
            format,
            channels: named.channels,
            segments: settings.segments,
            events: settings.events,
            level_interval_ms: settings
                .output
                .levels
                .then_some(settings.output.level_interval_ms),
            block_frames: BLOCK,
        },
    )?;
    let metadata = model.metadata();
    let info = Info {
        version: env!("CARGO_PKG_VERSION"),
        boot_id: boot_id.into(),
        model_hash: metadata.content_hash.to_string(),
        licence: licence(metadata.provenance.licence),
        labels: metadata.labels.clone(),
        purpose: settings.deployment.purpose.clone(),
        live: source.is_live(),
    };
    let rates = Rates {
        event: metadata.frontend.sample_rate,
        source: format.rate,
    };
    let lines = Lines::new(io::stdout(), settings.output.format);
    let (sinks, fan_out) = Sinks::start(vec![Box::new(lines)], source.is_live(), stop)?;
    fan_out.report(&Report::Info(Arc::new(info)));
    Threads::start((source, selection), analyser, (fan_out, rates), stop)?.join(stop, sinks)
}

fn licence(licence: Licence) -> &'static str {
    match licence {
        Licence::Open => "open",
        Licence::Research => "research",
    }
}

struct Threads {
    capture: JoinHandle<Result<(), CaptureError>>,
    analysis: JoinHandle<Result<(), ScorerError>>,
}

impl Threads {
    fn start<S: Scorer + Send + 'static>(
        (source, selection): (Box<dyn Source>, Selection),
        analyser: Analyser<S>,
        (fan_out, rates): (FanOut, Rates),
        stop: &Stop,
    ) -> Result<Self, DaemonError> {
        let (mut format, live) = (source.format(), source.is_live());
        format.channels = selection.channels();
        let mute = Mute::default();
        let when_full = if live { WhenFull::Drop } else { WhenFull::Wait };
        let frames =
            (format.rate as usize * RING_SECONDS).min(RING_SAMPLES / format.channels.max(1));
        let (mut writer, reader) =
            capture::ring(frames, selection, when_full, mute.clone(), stop.clone());

        let reporter = Reporter::new(fan_out, rates, live);
        let analysis = spawn("analysis", {
            let stop = stop.clone();
            move || analyse(reader, analyser, reporter, (format, BLOCK), &stop)
        })?;
        writer.wakes(analysis.thread().clone());
        let capture = spawn("capture", {
            let link = Link::new(stop.clone(), mute, |_| {});
            move || source.run(writer, link)
        })?;
        Ok(Threads { capture, analysis })
    }

    fn join(self, stop: &Stop, sinks: Sinks) -> Result<(), DaemonError> {
        let analysed = self
            .analysis
            .join()
            .map_err(|_| DaemonError::Thread("analysis"));
        // From here on nobody reads what is captured.
        stop.request();
        let captured = ended("capture", self.capture);
        let written = sinks.join();
        captured?.transpose()?;
        analysed?.map_err(|error| DaemonError::Model {
            name: "while running".into(),
            reason: error.to_string(),
        })?;
        written
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, DaemonError> {
    let started = Builder::new().name(name.to_owned()).spawn(run);
    started.map_err(|reason| DaemonError::System {
        action: "start a thread",
        reason,
    })
}

/// What a thread answered; `None` when it is stuck in the operating system, for instance reading a silent pipe.
fn ended<T>(name: &'static str, thread: JoinHandle<T>) -> Result<Option<T>, DaemonError> {
    let given_up = Instant::now() + PATIENCE;
    while !thread.is_finished() {
        if Instant::now() > given_up {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    thread
        .join()
        .map(Some)
        .map_err(|_| DaemonError::Thread(name))
}
