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
mod entry;
mod journal;
mod limits;
mod notice;
mod open;
mod record;
mod take_over;
mod writing;

use std::collections::VecDeque;
use std::time::Instant;

use disk::Folder;
use entry::{Entry, OVERHEAD};
use journal::{Journal, SEGMENT_BYTES};
pub(super) use limits::Limits;
pub(super) use notice::Notice;
use notice::Notices;
pub(super) use open::{Opened, open};
use record::Stored;
pub(super) use take_over::Rest;
use writing::{AGAIN, note};

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
        outbox.recover(now);
        outbox.keep_limits(now);
        outbox
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

    fn find(&self, position: u64) -> Result<usize, usize> {
        self.entries
            .binary_search_by_key(&position, |entry| entry.stored.position)
    }
}

#[cfg(test)]
mod tests;
