//! Events until somebody has acknowledged them.
//!
//! In: events in order, and what the broker acknowledged. Out: what to send next, in order. Nothing is forgotten but on an
//! acknowledgement, or because a limit (events, bytes, age) is reached: then the oldest goes, and a notice says which.
//!
//! - With a [`Journal`] behind it, an event that was put in survives the end of the process, whichever way it comes; see
//!   there for the end of the power.
//! - An event may be sent more than once, each time with the same boot id and number.
//! - Without room on the disk, or with a disk that fails, events are kept in memory, and written when that works again.

mod disk;
mod journal;
mod notice;
mod open;
mod record;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use disk::Folder;
use journal::{Journal, SEGMENT_BYTES};
pub(super) use notice::Notice;
use notice::Notices;
pub(super) use open::{Opened, open};
use record::Stored;

/// What an event costs beside its payload.
const OVERHEAD: usize = 64;
/// Before this moment (2024-01-01) a clock has not been set, and says nothing about the age of an event.
const CLOCK_IS_SET: u64 = 1_704_067_200_000;
/// Between two tries to write what could not be written.
const AGAIN: Duration = Duration::from_secs(10);

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) events: usize,
    pub(super) bytes: usize,
    pub(super) age: Duration,
}

/// The time, by the clock that never jumps and by the one that people read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) wall_ms: u64,
}

/// What is sent next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// An event by its position; `historical` when it is not of now.
    Event {
        position: u64,
        payload: String,
        historical: bool,
    },
    /// What was given up, at the place where it stood.
    Notice(Notice),
}

#[derive(Debug)]
struct Entry {
    stored: Stored,
    /// Since when it counts as old.
    since: Instant,
    /// Not of now: it waited for a connection, or was sent on one that is gone.
    historical: bool,
    sent: bool,
    acknowledged: bool,
    written: bool,
}

/// What an outbox leaves that ends: notices, and events by the id of their run and their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rest {
    pub(super) notices: Vec<Notice>,
    pub(super) events: Vec<(String, u64, String)>,
}

/// The outbox.
#[derive(Debug)]
pub(super) struct Outbox {
    limits: Limits,
    entries: VecDeque<Entry>,
    bytes: usize,
    next: u64,
    /// Events before this index are sent or acknowledged.
    cursor: usize,
    notices: Notices,
    journal: Option<Journal>,
    fault: Option<String>,
    try_again: Option<Instant>,
}

impl Outbox {
    /// An outbox with what the journal held.
    pub(super) fn new(limits: Limits, journal: Option<Journal>, now: Now) -> Self {
        let mut outbox = Outbox {
            limits,
            entries: VecDeque::new(),
            bytes: 0,
            next: 1,
            cursor: 0,
            notices: Notices::default(),
            journal,
            fault: None,
            try_again: None,
        };
        if let Some(recovered) = outbox.journal.as_mut().map(Journal::take_recovered) {
            outbox.next = recovered.next;
            outbox.notices = recovered.notices;
            for stored in recovered.events {
                // A clock that was not set, then or now, says nothing; the age then counts from now on.
                let known = stored.wall_ms >= CLOCK_IS_SET;
                let age = known.then(|| now.wall_ms.saturating_sub(stored.wall_ms));
                let age = Duration::from_millis(age.unwrap_or(0));
                outbox.bytes += stored.payload.len() + OVERHEAD;
                outbox.entries.push_back(Entry {
                    stored,
                    since: now.instant.checked_sub(age).unwrap_or(now.instant),
                    historical: true,
                    sent: false,
                    acknowledged: false,
                    written: true,
                });
            }
        }
        outbox.keep_limits(now);
        outbox
    }

    /// Goes on with a journal that could not be had before and with what others have left: what the journal holds first,
    /// then that, then what was put in meanwhile, which was not sent yet.
    pub(super) fn adopt(&mut self, journal: Option<Journal>, left: Vec<Rest>, now: Now) {
        let mut before = std::mem::replace(self, Outbox::new(self.limits, journal, now));
        for rest in left.into_iter().chain([before.rest()]) {
            self.take_in(rest, now);
        }
    }

    fn take_in(&mut self, rest: Rest, now: Now) {
        for notice in rest.notices {
            let dropped = crate::status::Dropped {
                count: notice.count,
                first_seq: notice.first_seq,
                last_seq: notice.last_seq,
            };
            self.lost(&notice.boot_id, dropped);
        }
        for (boot_id, seq, payload) in rest.events {
            self.push((&boot_id, seq), payload, true, now);
        }
    }

    /// Takes out what is nowhere but in this outbox's memory; it is at its end then.
    pub(super) fn rest(&mut self) -> Rest {
        let on_disk = self.journal.is_some();
        let notices = std::mem::take(&mut self.notices).into_runs();
        let entries = std::mem::take(&mut self.entries);
        self.bytes = 0;
        Rest {
            notices: if on_disk { Vec::new() } else { notices },
            events: entries
                .into_iter()
                .filter(|entry| !(entry.acknowledged || on_disk && entry.written))
                .map(|Entry { stored, .. }| (stored.boot_id, stored.seq, stored.payload))
                .collect(),
        }
    }

    /// How many events wait for their acknowledgement.
    pub(super) fn waiting(&self) -> usize {
        self.entries.len()
    }

    /// Events given up that nobody has been told of.
    pub(super) fn given_up(&self) -> u64 {
        self.notices.count()
    }

    /// Why events are in memory only, if they are.
    pub(super) fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Puts an event in; `historical` when it cannot be sent at once.
    pub(super) fn push(
        &mut self,
        (boot_id, seq): (&str, u64),
        payload: String,
        historical: bool,
        now: Now,
    ) {
        let stored = Stored {
            position: self.next,
            wall_ms: now.wall_ms,
            seq,
            boot_id: boot_id.into(),
            payload,
        };
        self.next += 1;
        self.bytes += stored.payload.len() + OVERHEAD;
        let written = match &mut self.journal {
            Some(journal) => {
                let outcome = journal.event(&stored);
                note(&mut self.fault, outcome)
            }
            None => true,
        };
        if !written {
            self.try_again.get_or_insert(now.instant + AGAIN);
        }
        self.entries.push_back(Entry {
            stored,
            since: now.instant,
            historical,
            sent: false,
            acknowledged: false,
            written,
        });
        self.keep_limits(now);
    }

    /// Events that a sink before this one lost: told like those that are given up here.
    pub(super) fn lost(&mut self, boot_id: &str, dropped: crate::status::Dropped) {
        self.notices.add(boot_id, dropped);
        self.write_notices(0);
    }

    /// What is to be sent next; it counts as sent. Notices first: what they speak of was before everything else.
    pub(super) fn next(&mut self) -> Option<Next> {
        if let Some(notice) = self.notices.next() {
            return Some(Next::Notice(notice));
        }
        while let Some(entry) = self.entries.get_mut(self.cursor) {
            self.cursor += 1;
            if !entry.sent && !entry.acknowledged {
                entry.sent = true;
                return Some(Next::Event {
                    position: entry.stored.position,
                    payload: entry.stored.payload.clone(),
                    historical: entry.historical,
                });
            }
        }
        None
    }

    /// The event at this position has arrived.
    pub(super) fn acknowledge(&mut self, position: u64) {
        let Ok(index) = self.find(position) else {
            return;
        };
        let Some(entry) = self.entries.get_mut(index) else {
            return;
        };
        if std::mem::replace(&mut entry.acknowledged, true) {
            return;
        }
        let written = entry.written;
        if let (Some(journal), true) = (&mut self.journal, written) {
            note(&mut self.fault, journal.acknowledged(position));
        }
        while self.entries.front().is_some_and(|entry| entry.acknowledged) {
            self.forget_first();
        }
    }

    /// This notice has arrived.
    pub(super) fn acknowledge_notice(&mut self, notice: &Notice) {
        if self.notices.acknowledge(notice) {
            self.write_notices(0);
        }
    }

    /// The connection is gone: what is not acknowledged is sent again, as something that is not of now.
    pub(super) fn rewind(&mut self) {
        self.cursor = 0;
        self.notices.rewind();
        for entry in &mut self.entries {
            entry.sent = false;
            entry.historical = true;
        }
    }

    /// Gives up what is too old, writes to the disk what is due, and says when to come again.
    pub(super) fn turn(&mut self, now: Now) -> Option<Instant> {
        self.keep_limits(now);
        if self.try_again.is_some_and(|at| at <= now.instant) {
            self.write_again(now);
        }
        let sync = self.journal.as_mut().and_then(|journal| {
            let outcome = journal.sync_if_due(now.instant);
            note(&mut self.fault, outcome);
            journal.next_sync()
        });
        if self.fault.is_some() {
            // Also when no event is affected: it is found out when the disk works again.
            self.try_again.get_or_insert(now.instant + AGAIN);
        }
        let expiry = self
            .entries
            .front()
            .map(|first| first.since + self.limits.age);
        [sync, self.try_again, expiry].into_iter().flatten().min()
    }

    /// Everything onto the disk, now.
    pub(super) fn close(&mut self) {
        if let Some(journal) = &mut self.journal {
            note(&mut self.fault, journal.sync());
        }
    }

    fn keep_limits(&mut self, now: Now) {
        let (mut count, mut bytes, mut through) = (0, self.bytes, 0);
        for entry in &self.entries {
            let old = now.instant.saturating_duration_since(entry.since) > self.limits.age;
            let full = self.entries.len() - count > self.limits.events || bytes > self.limits.bytes;
            if !old && !full {
                break;
            }
            count += 1;
            bytes -= entry.stored.payload.len() + OVERHEAD;
            through = entry.stored.position;
            if !entry.acknowledged {
                self.notices
                    .add_one(&entry.stored.boot_id, entry.stored.seq);
            }
        }
        if count > 0 {
            // Before what they speak of is gone from the disk.
            self.write_notices(through);
            (0..count).for_each(|_| self.forget_first());
        }
    }

    fn forget_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.stored.payload.len() + OVERHEAD;
            self.cursor = self.cursor.saturating_sub(1);
            if let (Some(journal), true) = (&mut self.journal, entry.written) {
                journal.gone(entry.stored.position);
            }
        }
    }

    fn write_notices(&mut self, gone_through: u64) {
        if let Some(journal) = &mut self.journal {
            let outcome = journal.notices(gone_through, &self.notices);
            note(&mut self.fault, outcome);
        }
    }

    /// Writes what is in memory only. Recovery puts it back into its place.
    fn write_again(&mut self, now: Now) {
        self.try_again = None;
        let Some(journal) = &mut self.journal else {
            return;
        };
        for entry in self.entries.iter_mut().filter(|entry| !entry.written) {
            if let Err(error) = journal.event(&entry.stored) {
                self.fault = Some(error.to_string());
                self.try_again = Some(now.instant + AGAIN);
                return;
            }
            entry.written = true;
        }
        // Whatever failed before, this is the whole state of the notices, and says whether the disk works.
        let outcome = journal
            .notices(0, &self.notices)
            .and_then(|()| journal.sync());
        self.fault = None;
        if !note(&mut self.fault, outcome) {
            self.try_again = Some(now.instant + AGAIN);
        }
    }

    fn find(&self, position: u64) -> Result<usize, usize> {
        self.entries
            .binary_search_by_key(&position, |entry| entry.stored.position)
    }
}

/// Notes why the disk failed; true when it did not.
fn note(fault: &mut Option<String>, outcome: std::io::Result<()>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(error) => {
            *fault = Some(error.to_string());
            false
        }
    }
}

#[cfg(test)]
mod tests;
