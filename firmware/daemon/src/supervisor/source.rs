//! One source as the supervisor knows it, and the thread that captures it.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

use undertone_analysis::{Channels, Signal};

use super::lane::Lane;
use super::machine::Doing;
use super::message::{Input, Notice, Order, SourceId};
use super::numbers::{Kept, Numbers};
use super::plan::Plan;
use super::thread::spawn;
use crate::capture::{
    self, CaptureError, CaptureSignal, Link, Mute, Selection, Source, SourceSpec, WhenFull,
};
use crate::config::SourceSettings;
use crate::error::DaemonError;
use crate::health::Progress;
use crate::status::SourceStatus;
use crate::stop::Stop;
use crate::talk::{caution, say};

/// How much audio the ring holds; analysis may be late by so much before samples of a device are lost.
const RING_SECONDS: usize = 4;
/// Samples that the ring holds at most (32 MiB), whatever rate and channels a header claims.
const RING_SAMPLES: usize = 8 << 20;
/// From one look at a source that is not there to the next, at first and at last.
const SEEK: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(2));
/// From one look at the requests to stop and mute to the next.
const LOOK: Duration = Duration::from_millis(20);

/// What the threads of all sources share.
#[derive(Clone)]
pub(super) struct Hub {
    pub(super) inputs: Sender<Input>,
    pub(super) orders: Sender<Order>,
    /// The analysis thread, to be woken.
    pub(super) analysis: Thread,
    pub(super) progress: Progress,
    pub(super) numbers: Numbers,
}

impl Hub {
    pub(super) fn notify(&self, notice: Notice) {
        // Once the supervisor is gone, nobody wants to know.
        let _ = self.inputs.send(Input::Notice(notice));
    }

    /// Gives an order; false once the analysis has ended.
    pub(super) fn order(&self, order: Order) -> bool {
        let sent = self.orders.send(order).is_ok();
        self.analysis.unpark();
        sent
    }
}

/// A source that is running.
pub(super) struct Running {
    pub(super) id: SourceId,
    pub(super) name: Arc<str>,
    pub(super) doing: Doing,
    pub(super) signal: Signal,
    /// What it delivers is always the same value.
    pub(super) dead: bool,
    /// Somebody speaks in what was analysed last.
    pub(super) speech: bool,
    /// A device, or something that is waited for.
    pub(super) live: bool,
    /// All of its audio has been analysed.
    pub(super) drained: bool,
    pub(super) mute: Mute,
    stop: Stop,
    thread: JoinHandle<()>,
}

impl Running {
    /// Starts the thread of a source that is open, or of one that is waited for: a device, or the first bytes of a pipe.
    pub(super) fn start(
        id: SourceId,
        settings: &SourceSettings,
        source: Option<Box<dyn Source>>,
        (plan, muted): (&Plan, bool),
        hub: &Hub,
    ) -> Result<Self, DaemonError> {
        let name: Arc<str> = settings.spec.to_string().into();
        let mute = Mute::default();
        mute.command(muted);
        let live = settings.spec.is_live();
        let stop = match live {
            // A thread that asks whether it is to stop is alive. Reading a pipe may take forever.
            true => Stop::watched(hub.progress.stage(format!("capture of {name}"))),
            false => Stop::default(),
        };
        let capture = Capture {
            id,
            numbers: hub.numbers.keep(settings, source.as_deref()),
            settings: settings.clone(),
            plan: plan.clone(),
            hub: hub.clone(),
            mute: mute.clone(),
            stop: stop.clone(),
        };
        let thread = spawn("capture", hub.inputs.clone(), move || capture.run(source))?;
        Ok(Running {
            id,
            name,
            doing: Doing::Opening,
            signal: Signal::None,
            dead: false,
            speech: false,
            live,
            drained: false,
            mute,
            stop,
            thread,
        })
    }

    /// Asks it to end.
    pub(super) fn stop(&self) {
        self.stop.request();
    }

    /// Waits for its end until a time; a thread that is stuck in the system is left behind.
    pub(super) fn join(self, until: Instant) {
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        if self.thread.is_finished() {
            let _ = self.thread.join();
        }
    }

    pub(super) fn status(&self) -> Option<SourceStatus> {
        Some(SourceStatus {
            name: Arc::clone(&self.name),
            state: self.doing.state()?,
            signal: self.signal,
            dead: self.dead && matches!(self.doing, Doing::Listening | Doing::Speech),
        })
    }
}

/// What the thread of a source works with.
struct Capture {
    id: SourceId,
    numbers: Option<Kept>,
    settings: SourceSettings,
    plan: Plan,
    hub: Hub,
    mute: Mute,
    stop: Stop,
}

impl Capture {
    fn run(self, source: Option<Box<dyn Source>>) {
        let (hub, id) = (self.hub.clone(), self.id);
        let mut attached = false;
        let outcome = self.capture(source, &mut attached);
        hub.notify(Notice::CaptureEnded(id, outcome));
        if !attached {
            // Nobody will ever analyse it.
            hub.notify(Notice::Drained(id));
        }
    }

    fn capture(
        self,
        source: Option<Box<dyn Source>>,
        attached: &mut bool,
    ) -> Result<(), CaptureError> {
        let (hub, id) = (self.hub.clone(), self.id);
        let told = hub.clone();
        let mut link = Link::new(self.stop.clone(), self.mute.clone(), move |signal| {
            told.notify(Notice::Capture(id, signal));
        });
        let source = match source {
            Some(source) => source,
            None if self.settings.spec == SourceSpec::Stdin => {
                if !capture::await_stdin(&mut link) {
                    return Ok(());
                }
                capture::open(&self.settings.spec, &self.settings.capture)?
            }
            None => match self.seek(&mut link) {
                Some(source) => source,
                None => return Ok(()),
            },
        };
        let mut format = source.format();
        say!(
            "listening to {}, {} Hz, {} channel(s)",
            source.describe(),
            format.rate,
            format.channels
        );
        let selection = Selection::of(&self.settings.capture.pick, format.channels)?;
        format.channels = selection.channels();
        let roles = match self.settings.channels {
            Channels::Each => selection
                .roles()
                .iter()
                .map(|role| role.map(|role| role.name().into()))
                .collect(),
            Channels::Mix => Vec::new(),
        };
        let analysed = match self.settings.channels {
            Channels::Each => format.channels,
            Channels::Mix => 1,
        };
        let when_full = if source.is_live() {
            WhenFull::Drop
        } else {
            WhenFull::Wait
        };
        let frames =
            (format.rate as usize * RING_SECONDS).min(RING_SAMPLES / format.channels.max(1));
        let (mut writer, reader) = capture::ring(
            frames,
            selection,
            when_full,
            self.mute.clone(),
            self.stop.clone(),
        );
        writer.wakes(hub.analysis.clone());
        let first = hub.numbers.first(self.numbers, analysed);
        let lane = Lane::new(
            id,
            source.is_live(),
            (format, self.settings.channels),
            (first, roles),
            reader,
            &self.plan,
        );
        match lane {
            Ok(lane) => {
                if !hub.order(Order::Attach(Box::new(lane))) {
                    return Ok(());
                }
                *attached = true;
                source.run(writer, link)
            }
            Err(error) => {
                hub.notify(Notice::Unusable(id, error));
                Ok(())
            }
        }
    }

    /// Tries until the source is there, whatever keeps it away; `None` when the end is asked for. While muted it is not even
    /// looked for.
    fn seek(&self, link: &mut Link) -> Option<Box<dyn Source>> {
        let (mut wait, mut due) = (SEEK.0, Instant::now());
        let mut told: Option<CaptureSignal> = None;
        let mut tell = |signal: CaptureSignal| {
            if told.as_ref() != Some(&signal) {
                if let CaptureSignal::Lost { reason } = &signal {
                    caution!("{reason}; waiting for it");
                }
                told = Some(signal.clone());
                link.tell(signal);
            }
        };
        while !self.stop.requested() {
            if let Some(cause) = self.mute.cause() {
                tell(CaptureSignal::Muted(cause));
                due = Instant::now();
            } else if Instant::now() >= due {
                match capture::open(&self.settings.spec, &self.settings.capture) {
                    Ok(source) => return Some(source),
                    Err(error) => tell(CaptureSignal::Lost {
                        reason: error.to_string(),
                    }),
                }
                due = Instant::now() + wait;
                wait = (wait * 2).min(SEEK.1);
            }
            std::thread::sleep(LOOK);
        }
        None
    }
}

/// What may heal by itself: a device that is not there, or that another program has.
pub(super) fn is_waited_for(error: &CaptureError) -> bool {
    matches!(
        error,
        CaptureError::Missing { .. } | CaptureError::Busy { .. }
    )
}
