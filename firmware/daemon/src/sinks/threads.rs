//! The threads of the sinks.

use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::fan_out::Outgoing;
use super::queue::{Found, Inbox, queue};
use super::{FanOut, Sink, SinkError};
use crate::error::DaemonError;
use crate::health::{Progress, Stage};
use crate::stop::Stop;
use crate::talk::say;

/// How long beyond its good-bye the end waits for a thread that is stuck in the operating system.
const PATIENCE: Duration = Duration::from_millis(1000);
/// Reports that are taken between two turns, at most.
const BATCH: usize = 64;

/// The sinks that are running.
#[derive(Debug)]
pub struct Sinks {
    threads: Vec<(&'static str, JoinHandle<Result<(), SinkError>>)>,
    good_bye: Duration,
}

impl Sinks {
    /// Starts a thread for each sink, and has its progress watched. `live`: rather lose reports than wait for a sink.
    ///
    /// # Errors
    /// When the system refuses a thread or a descriptor.
    pub fn start(
        sinks: Vec<Box<dyn Sink>>,
        live: bool,
        stop: &Stop,
        progress: &Progress,
    ) -> Result<(Self, FanOut), DaemonError> {
        let (mut threads, mut senders) = (Vec::new(), Vec::new());
        let longest = sinks.iter().map(|sink| sink.good_bye()).max();
        let good_bye = longest.unwrap_or_default();
        for mut sink in sinks {
            let (name, capacity, link) = (sink.name(), sink.capacity(), sink.condition());
            let (sender, inbox, waker) = queue(capacity).map_err(system)?;
            sink.wakes(waker);
            // Whoever reads standard output may take as long as they like.
            let stage = (name != "stdout").then(|| progress.stage(name));
            let thread = Builder::new()
                .name(name.to_owned())
                .spawn(move || run(sink, inbox, stage));
            threads.push((name, thread.map_err(system)?));
            senders.push(Outgoing {
                sink: name,
                capacity,
                queue: sender,
                link,
            });
        }
        let fan_out = FanOut::new(senders, live, stop.clone());
        Ok((Sinks { threads, good_bye }, fan_out))
    }

    /// What became of a sink that has ended by itself, once for each.
    pub fn ended(&mut self) -> Option<Result<(), DaemonError>> {
        let place = self
            .threads
            .iter()
            .position(|(_, thread)| thread.is_finished())?;
        let (name, thread) = self.threads.swap_remove(place);
        Some(outcome(name, thread.join().map_err(|_| ())))
    }

    /// The sinks that are running, by name.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.threads.iter().map(|(name, _)| *name)
    }

    /// Waits for the end of every sink, after the last [`FanOut`] is gone.
    ///
    /// # Errors
    /// The first sink that failed. A reader that has had enough is no failure.
    pub fn join(self) -> Result<(), DaemonError> {
        let given_up = Instant::now() + self.good_bye + PATIENCE;
        let mut whole = Ok(());
        for (name, thread) in self.threads {
            let ended = match ended(thread, given_up) {
                None => {
                    say!("{name} is stuck and left behind");
                    Ok(())
                }
                Some(answered) => outcome(name, answered),
            };
            whole = whole.and(ended);
        }
        whole
    }
}

/// What the end of a thread means. A reader that has had enough is no failure.
fn outcome(
    name: &'static str,
    answered: Result<Result<(), SinkError>, ()>,
) -> Result<(), DaemonError> {
    match answered {
        Err(()) => Err(DaemonError::Thread(name)),
        Ok(Ok(()) | Err(SinkError::Closed(_))) => Ok(()),
        Ok(Err(error)) => Err(DaemonError::Sink(error)),
    }
}

fn run(mut sink: Box<dyn Sink>, mut inbox: Inbox, stage: Option<Stage>) -> Result<(), SinkError> {
    let mut open = true;
    while open {
        if let Some(stage) = &stage {
            stage.mark();
        }
        let mut idle = false;
        for _ in 0..BATCH {
            match inbox.look() {
                Found::Report(report) => sink.take(&report)?,
                Found::Nothing => {
                    idle = true;
                    break;
                }
                Found::Closed => {
                    open = false;
                    break;
                }
            }
        }
        let until = sink.turn(Instant::now())?;
        if idle {
            inbox.wait(until, sink.interest());
        }
    }
    sink.close(Instant::now() + sink.good_bye());
    Ok(())
}

/// What a thread answered; `None` when it is still stuck at the given time.
fn ended<T>(thread: JoinHandle<T>, given_up: Instant) -> Option<Result<T, ()>> {
    while !thread.is_finished() {
        if Instant::now() > given_up {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Some(thread.join().map_err(|_| ()))
}

fn system(reason: io::Error) -> DaemonError {
    DaemonError::System {
        action: "start a sink",
        reason,
    }
}
