//! The supervisor: starts every thread, knows what each source is doing, carries out commands, and brings all to an end.
//!
//! In: [`Notice`]s of its threads, [`Command`](crate::control::Command)s from outside, signals. Out: the state of the box
//! ([`Status`]) and its health, to every sink and to systemd.
//!
//! - A microphone that is gone is never `listening`: the state follows from what capture says ([`Doing`]), and from nothing
//!   else.
//! - Every utterance gets its end, also on mute, loss, reload, shutdown and when the model fails.
//! - A thread that dies ends the daemon with an error, so that it is started again rather than deaf.
//! - The watchdog of systemd is fed only while every stage of the pipeline goes round.

mod analysis;
mod carry_out;
mod end;
mod lane;
mod machine;
mod message;
mod numbers;
mod plan;
mod pulse;
mod reload;
mod reporter;
mod signals;
mod source;
mod start;
mod state;
mod thread;
mod tick;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use undertone_analysis::Load;

pub use machine::{Doing, Happened, overall};
pub use message::{Input, Notice, Order, SourceId};

use self::plan::Plan;
use self::reporter::Latest;
use self::source::{Hub, Running};
use crate::capture::CaptureSignal;
use crate::config::{Configuration, Layers};
use crate::control::{ControlSocket, Handle, Request, Requests, Watchers};
use crate::error::DaemonError;
use crate::health::{Gatherer, MetricsServer};
use crate::notify::Notifier;
use crate::sinks::{FanOut, Sinks};
use crate::status::{Info, Status};
use crate::stop::Stop;
use crate::talk::{caution, complain, say};

/// The longest time without a look at health, watchdog and the threads.
const TICK: Duration = Duration::from_millis(100);
/// How long a command to mute or unmute may wait for the devices.
const MUTE_DEADLINE: Duration = Duration::from_secs(8);

/// Runs until the audio ends or the end is asked for. Events that are open then get their end.
///
/// # Errors
/// The first thing that failed.
pub fn run(
    layers: Layers,
    configuration: Configuration,
    model: undertone_model::Model,
    boot_id: &str,
) -> Result<(), DaemonError> {
    Supervisor::start(layers, configuration, Arc::new(model), boot_id)?.supervise()
}

/// A daemon that is running.
struct Supervisor {
    layers: Layers,
    configuration: Configuration,
    boot_id: Arc<str>,
    started: Instant,
    hub: Hub,
    inputs: Receiver<Input>,
    requests: Requests,
    handle: Handle,
    plan: Plan,
    sources: Vec<Running>,
    /// Sources that a reload has closed and that have not ended yet.
    closing: Vec<Running>,
    next_source: SourceId,
    analysis: std::thread::JoinHandle<()>,
    sinks: Sinks,
    fan_out: FanOut,
    watchers: Watchers,
    control: Option<ControlSocket>,
    metrics: Option<MetricsServer>,
    gatherer: Gatherer,
    latest: Latest,
    notifier: Notifier,
    ending: Stop,
    info: Arc<Info>,
    /// What is shown to whoever asks; also to the thread of the metrics.
    shown: Shown,
    load: Load,
    warm: bool,
    heard: bool,
    ready: bool,
    muted: bool,
    /// The command that waits for the devices to be closed, or opened.
    waiting: Option<(Request, Instant)>,
    stuck: Vec<String>,
    next_health: Instant,
    hot: bool,
    throttled: bool,
    /// What each sink has lost so far, and since when it counts as slow.
    slow_sinks: HashMap<&'static str, (u64, Option<Instant>)>,
    /// What kept a recording from being heard to its end, while others went on.
    failed_recording: Option<DaemonError>,
    outcome: Option<Result<(), DaemonError>>,
}

/// The latest info and status.
type Shown = Arc<std::sync::Mutex<(Arc<Info>, Arc<Status>)>>;

impl Supervisor {
    fn supervise(mut self) -> Result<(), DaemonError> {
        while self.outcome.is_none() {
            match self.inputs.recv_timeout(TICK) {
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tick(Instant::now());
        }
        self.end()
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Notice(notice) => self.notice(notice),
            Input::Requested => {
                while let Ok(request) = self.requests.try_recv() {
                    self.carry_out(request);
                }
            }
            Input::Reload => match self.reload() {
                Ok(changed) if changed.is_empty() => say!("reloaded: nothing has changed"),
                Ok(changed) => say!("reloaded: {} changed", changed.join(", ")),
                Err(error) => complain!("not reloaded: {error}"),
            },
            Input::Stop => self.outcome = Some(Ok(())),
        }
    }

    fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Capture(id, signal) => self.captured(id, &signal),
            Notice::CaptureEnded(_, Ok(())) => {}
            Notice::CaptureEnded(id, Err(error)) => self.source_failed(id, error.into()),
            Notice::Unusable(id, error) => self.source_failed(id, error.into()),
            Notice::Signal(id, signal) => {
                if let Some(source) = self.source(id) {
                    source.signal = signal;
                }
            }
            Notice::Dead(id, dead) => self.lives(id, !dead),
            Notice::Speech(id, speech) => {
                if let Some(source) = self.source(id) {
                    source.speech = speech;
                }
                self.happened(
                    id,
                    match speech {
                        true => Happened::SpeechBegan,
                        false => Happened::SpeechEnded,
                    },
                );
            }
            Notice::Drained(id) => self.drained(id),
            Notice::Load(load) => self.loaded(load),
            Notice::Warm => self.warm = true,
            Notice::ModelFailed(reason) => self.fail(DaemonError::Model {
                name: "while running".into(),
                reason,
            }),
            Notice::Died(name) => {
                complain!("the {name} thread died");
                self.fail(DaemonError::Thread(name));
            }
        }
    }

    fn captured(&mut self, id: SourceId, signal: &CaptureSignal) {
        let happened = match signal {
            CaptureSignal::Opened { .. }
            | CaptureSignal::Resumed
            | CaptureSignal::Back { .. }
            | CaptureSignal::Unmuted => {
                self.heard = true;
                Happened::Heard
            }
            CaptureSignal::Xrun { .. } => {
                self.gatherer.counters.xruns.add(1);
                return;
            }
            CaptureSignal::Stalled => Happened::Stalled,
            CaptureSignal::Lost { .. } => {
                let lost = |source: &Running| source.doing == Doing::Lost;
                if self.source(id).is_some_and(|source| !lost(source)) {
                    self.gatherer.counters.losses.add(1);
                }
                Happened::Lost
            }
            CaptureSignal::Waiting => Happened::Waiting,
            CaptureSignal::Muted(cause) => Happened::Muted(*cause),
        };
        self.happened(id, happened);
        // A pipe that pauses ends no utterance.
        let goes_on = |source: &mut Running| source.speech && !source.live;
        if happened == Happened::Heard && self.source(id).is_some_and(goes_on) {
            self.happened(id, Happened::SpeechBegan);
        }
    }

    fn happened(&mut self, id: SourceId, happened: Happened) {
        if let Some(source) = self.source(id) {
            source.doing = source.doing.after(happened);
        }
    }

    fn lives(&mut self, id: SourceId, lives: bool) {
        let Some(source) = self.source(id) else {
            return;
        };
        source.dead = !lives;
        let name = Arc::clone(&source.name);
        if lives {
            say!("{name} delivers sound again");
        } else {
            caution!(
                "{name} delivers one value forever: the microphone is dead or muted, or nothing is plugged into it"
            );
        }
    }

    /// A device that fails for good ends the daemon, so that it is started again rather than deaf; a recording only after the
    /// others. What was heard up to there still counts.
    fn source_failed(&mut self, id: SourceId, error: DaemonError) {
        let others = self.sources.len() > 1;
        match self.source(id) {
            Some(source) if source.live || !others => self.fail(error),
            Some(source) => {
                complain!("{}: {error}", source.name);
                self.failed_recording.get_or_insert(error);
            }
            // A reload has closed it already.
            None => {}
        }
    }

    fn drained(&mut self, id: SourceId) {
        self.closing.retain(|source| source.id != id);
        self.happened(id, Happened::Ended);
        if let Some(source) = self.source(id) {
            source.drained = true;
        }
        if self.sources.iter().all(|source| source.drained) && self.outcome.is_none() {
            self.outcome = Some(self.failed_recording.take().map_or(Ok(()), Err));
        }
    }

    fn source(&mut self, id: SourceId) -> Option<&mut Running> {
        self.sources.iter_mut().find(|source| source.id == id)
    }

    /// Remembers the first failure, which ends the daemon.
    fn fail(&mut self, error: DaemonError) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(error));
        }
    }
}
