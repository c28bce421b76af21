//! What the threads of a simulation share: counts, and when each event was sent.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Instant;

/// Events of one box whose time of sending is kept; more are never on their way.
const KEPT: usize = 64;
/// Of an entry, the bits of the number of the event; the others are microseconds, enough for 12 days.
const NUMBER_BITS: u32 = 24;

/// Where a simulation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Phase {
    /// Boxes connect and say how they are.
    Connecting,
    /// People speak, and it is measured.
    Speaking,
    /// Nobody speaks any more; what was said is on its way.
    Quiet,
    /// Boxes say good-bye, or are lost.
    Leaving,
    /// Everything ends.
    Over,
}

const PHASES: [Phase; 5] = [
    Phase::Connecting,
    Phase::Speaking,
    Phase::Quiet,
    Phase::Leaving,
    Phase::Over,
];

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    phase: AtomicU8,
    /// The phase that every box has entered.
    reached: AtomicU8,
    /// Connections that the broker has accepted and that still hold.
    pub(crate) up: AtomicU64,
    /// Connections that broke.
    pub(crate) broken: AtomicU64,
    /// Tries to connect that failed.
    pub(crate) refused: AtomicU64,
    /// Messages that were handed to a connection.
    pub(crate) sent: AtomicU64,
    /// Events, each once.
    pub(crate) events: AtomicU64,
    /// Events that the broker has acknowledged.
    pub(crate) acknowledged: AtomicU64,
    /// Boxes that have left as they should.
    pub(crate) left: AtomicU64,
    /// Boxes that were lost without a word.
    pub(crate) lost: AtomicU64,
    /// Messages that the listener got, apart from retained ones of before.
    pub(crate) heard: AtomicU64,
    /// Events that it got, each once.
    pub(crate) heard_events: AtomicU64,
    /// Events that it got again.
    pub(crate) again: AtomicU64,
    /// Last wills that it got.
    pub(crate) wills: AtomicU64,
    /// Good-byes that it got.
    pub(crate) stopped: AtomicU64,
    /// Retained messages that were removed.
    pub(crate) removed: AtomicU64,
}

impl Counts {
    pub(crate) fn phase(&self) -> Phase {
        phase(&self.phase)
    }

    /// The phase that every box has entered: what it made them say is counted.
    pub(crate) fn reached(&self) -> Phase {
        phase(&self.reached)
    }

    pub(crate) fn reach(&self, phase: Phase) {
        self.reached.store(phase as u8, Ordering::SeqCst);
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }
}

fn phase(number: &AtomicU8) -> Phase {
    PHASES[usize::from(number.load(Ordering::SeqCst)).min(PHASES.len() - 1)]
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// As far as it has come.
pub(crate) fn of(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// When each event was sent.
#[derive(Debug)]
pub(crate) struct Times {
    start: Instant,
    entries: Vec<AtomicU64>,
}

impl Times {
    pub(crate) fn new(boxes: usize) -> Self {
        let mut entries = Vec::new();
        entries.resize_with(boxes * KEPT, AtomicU64::default);
        Times {
            start: Instant::now(),
            entries,
        }
    }

    /// An event of a box is sent now.
    pub(crate) fn sent(&self, number: usize, seq: u64) {
        if let Some(entry) = self.entries.get(place(number, seq)) {
            entry.store(self.now() << NUMBER_BITS | low(seq), Ordering::Relaxed);
        }
    }

    /// Microseconds since it was sent; `None` when that is not known any more.
    pub(crate) fn since(&self, number: usize, seq: u64) -> Option<u64> {
        let entry = self
            .entries
            .get(place(number, seq))?
            .load(Ordering::Relaxed);
        let known = entry != 0 && entry & ((1 << NUMBER_BITS) - 1) == low(seq);
        known.then(|| self.now().saturating_sub(entry >> NUMBER_BITS))
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }
}

fn place(number: usize, seq: u64) -> usize {
    number * KEPT + seq as usize % KEPT
}

fn low(seq: u64) -> u64 {
    seq & ((1 << NUMBER_BITS) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_its_event_or_not_known() {
        let times = Times::new(2);
        times.sent(1, 5);
        assert!(times.since(1, 5).is_some_and(|since| since < 60_000_000));
        assert_eq!(
            (times.since(1, 5 + 64), times.since(0, 5), times.since(9, 5)),
            (None, None, None)
        );
        times.sent(1, 5 + 64);
        assert_eq!(times.since(1, 5), None);
    }
}
