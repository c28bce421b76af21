//! From what analysis tells to reports: numbers, positions in milliseconds, and the time of day.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use undertone_events::EventKind;

use crate::sinks::FanOut;
use crate::status::{EventReport, LevelReport, Report, Stamp};
use undertone_analysis::Told;

/// Samples per second of what is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rates {
    /// Of the positions in events, in Hz.
    pub(super) event: u32,
    /// Of the positions in levels, in Hz.
    pub(super) source: u32,
}

/// Numbers events and gives them to the sinks.
pub(super) struct Reporter {
    fan_out: FanOut,
    rates: Rates,
    live: bool,
    started: Instant,
    seq: u64,
    utterances: u64,
}

impl Reporter {
    /// `live`: the audio is of now, so that the time of day means something.
    pub(super) fn new(fan_out: FanOut, rates: Rates, live: bool) -> Self {
        Reporter {
            fan_out,
            rates,
            live,
            started: Instant::now(),
            seq: 0,
            utterances: 0,
        }
    }

    /// False once nobody takes what is reported.
    pub(super) fn is_open(&self) -> bool {
        self.fan_out.is_open()
    }

    /// How many events were lost because a sink was too slow.
    pub(super) fn lost(&self) -> u64 {
        self.fan_out.lost()
    }

    /// How many utterances began so far.
    pub(super) fn utterances(&self) -> u64 {
        self.utterances
    }

    /// Reports what is told about a channel.
    pub(super) fn put(&mut self, channel: usize, told: Told) {
        let report = match told {
            Told::Event(event) => {
                self.seq += 1;
                self.utterances += u64::from(event.kind == EventKind::Start);
                Report::Event(EventReport {
                    channel,
                    role: None,
                    seq: self.seq,
                    stamp: self.stamp(),
                    start_ms: milliseconds(event.start_sample, self.rates.event),
                    at_ms: milliseconds(event.at_sample, self.rates.event),
                    event,
                })
            }
            Told::Level(level) => Report::Level(LevelReport {
                channel,
                role: None,
                at_ms: milliseconds(level.at_frame, self.rates.source),
                level,
            }),
        };
        self.fan_out.report(&report);
    }

    fn stamp(&self) -> Stamp {
        let since = self.started.elapsed().as_millis();
        Stamp {
            monotonic_ms: u64::try_from(since).unwrap_or(u64::MAX),
            wall_ms: if self.live { now_ms() } else { None },
            clock_synced: false,
        }
    }
}

/// A position in samples as milliseconds, rounded to the nearest.
fn milliseconds(position: u64, rate: u32) -> u64 {
    let rate = u128::from(rate.max(1));
    u64::try_from((u128::from(position) * 1000 + rate / 2) / rate).unwrap_or(u64::MAX)
}

fn now_ms() -> Option<u64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}
