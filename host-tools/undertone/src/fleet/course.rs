//! The phases of a simulation, one after the other: connect, speak, be quiet, leave; and what is measured meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::counts::{Counts, Phase, of};
use super::process::{self, Taken};
use super::report::{Connections, Events, Latency, Process, Report, rounded};
use super::simulate::Args;
use crate::failure::Failure;

/// How long what was said may be on its way.
const DRAIN: Duration = Duration::from_secs(30);
/// From one look at the processes to the next.
const LOOK: Duration = Duration::from_millis(500);

/// The phases of one run.
pub(super) struct Course<'a> {
    pub(super) args: &'a Args,
    pub(super) counts: &'a Counts,
    /// Somebody wants it to end.
    pub(super) end: &'a AtomicBool,
    /// The broker's process.
    pub(super) pid: Option<u32>,
}

impl Course<'_> {
    /// Goes through all of them; the report lacks what the threads alone know.
    ///
    /// # Errors
    /// Boxes that do not connect, an end before the end.
    pub(super) fn run(&self, is_over: impl Fn() -> bool) -> Result<Report> {
        let (args, counts) = (self.args, self.counts);
        let boxes = u64::from(args.boxes);
        eprintln!("fleet: connecting {boxes} boxes");
        let began = Instant::now();
        let patience = Duration::from_secs_f64(60.0 + 2.0 * boxes as f64 / args.connect_rate);
        self.wait(patience, &is_over, || of(&counts.up) >= boxes)?;
        if of(&counts.up) < boxes {
            return Err(Failure::error(
                "fleet-connect",
                format!(
                    "{} of {boxes} boxes are connected after {:.0} s",
                    of(&counts.up),
                    began.elapsed().as_secs_f64()
                ),
                "look at the broker's log; mosquitto: ulimit -n and max_connections; a lower --connect-rate",
            ));
        }
        let connected_in_s = rounded(began.elapsed().as_secs_f64(), 1);
        // What the boxes said on connecting must have arrived before anything is measured.
        self.wait(DRAIN, &is_over, || of(&counts.heard) >= of(&counts.sent))?;

        eprintln!(
            "fleet: connected in {connected_in_s} s; measuring for {} s",
            args.duration
        );
        let before = [of(&counts.sent), of(&counts.heard)];
        let own = std::process::id();
        let taken = [self.pid, Some(own)].map(|pid| pid.and_then(process::taken));
        let measured = Instant::now();
        counts.enter(Phase::Speaking);
        let mut most = taken.map(|taken| taken.map_or(0, |taken| taken.resident));
        let until = measured + Duration::from_secs(args.duration);
        while Instant::now() < until {
            self.wait(
                LOOK.min(until.saturating_duration_since(Instant::now())),
                &is_over,
                || false,
            )?;
            let now = [self.pid, Some(own)].map(|pid| pid.and_then(process::taken));
            for (most, now) in most.iter_mut().zip(now) {
                *most = (*most).max(now.map_or(0, |now| now.resident));
            }
        }
        let seconds = measured.elapsed().as_secs_f64();
        let after = [of(&counts.sent), of(&counts.heard)];
        let now = [self.pid, Some(own)].map(|pid| pid.and_then(process::taken));
        let processes: [Option<Process>; 2] =
            [(self.pid, 0), (Some(own), 1)].map(|(pid, place)| {
                let (before, after) = (taken[place]?, now[place]?);
                Some(used(pid?, before, after, most[place], seconds))
            });
        let [broker_process, own_process] = processes;

        counts.enter(Phase::Quiet);
        self.wait(DRAIN, &is_over, || {
            counts.reached() >= Phase::Quiet
                && of(&counts.acknowledged) >= of(&counts.events)
                && of(&counts.heard_events) >= of(&counts.events)
        })?;
        let (sent, delivered) = (of(&counts.events), of(&counts.heard_events));
        let up = of(&counts.up);
        eprintln!("fleet: {delivered} of {sent} events arrived; the boxes leave");
        counts.enter(Phase::Leaving);
        self.wait(DRAIN, &is_over, || {
            of(&counts.left) + of(&counts.lost) >= up
                && of(&counts.wills) >= of(&counts.lost)
                && of(&counts.stopped) >= of(&counts.left)
        })?;
        let (sent, delivered) = (of(&counts.events), of(&counts.heard_events));
        let rate = |place: usize| rounded((after[place] - before[place]) as f64 / seconds, 1);
        Ok(Report {
            broker: String::new(),
            boxes: args.boxes as usize,
            seed: args.seed,
            utterances_per_box_and_minute: args.rate,
            connected_in_s,
            measured_s: rounded(seconds, 1),
            sent_per_s: rate(0),
            delivered_per_s: rate(1),
            events: Events {
                sent,
                acknowledged: of(&counts.acknowledged),
                delivered,
                lost: sent.saturating_sub(delivered),
                delivered_again: of(&counts.again),
            },
            latency_ms: Latency {
                p50: None,
                p99: None,
                most: None,
            },
            late_p99_ms: None,
            connections: Connections {
                broken: of(&counts.broken),
                refused: of(&counts.refused),
                lost: of(&counts.lost),
                wills: of(&counts.wills),
                left: of(&counts.left),
                stopped: of(&counts.stopped),
            },
            broker_process,
            own_process,
        })
    }

    /// Waits until something holds, or for so long.
    fn wait(
        &self,
        most: Duration,
        is_over: &impl Fn() -> bool,
        holds: impl Fn() -> bool,
    ) -> Result<()> {
        let until = Instant::now() + most;
        while Instant::now() < until && !holds() {
            if self.end.load(Ordering::Relaxed) {
                return Err(Failure::error(
                    "fleet-interrupted",
                    "interrupted",
                    "start it again",
                ));
            }
            if is_over() {
                return Err(Failure::error(
                    "fleet-boxes",
                    "the boxes have ended",
                    "start it again",
                ));
            }
            sleep(Duration::from_millis(10).min(until.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }
}

fn used(pid: u32, before: Taken, after: Taken, resident: u64, seconds: f64) -> Process {
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
    Process {
        pid,
        name: process::name(pid).unwrap_or_default(),
        cpu_percent: rounded(100.0 * cpu / seconds, 1),
        resident_mb: rounded(resident as f64 / 1e6, 1),
    }
}
