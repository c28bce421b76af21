//! What an outbox takes over from a journal and from others, and what it leaves at its end.

use std::time::Duration;

use super::entry::{Entry, OVERHEAD};
use super::journal::Journal;
use super::{Notice, Now, Outbox};

/// Before this moment (2024-01-01) a clock has not been set, and says nothing about the age of an event.
pub(super) const CLOCK_IS_SET: u64 = 1_704_067_200_000;

/// What an outbox leaves that ends: notices, and events by the id of their run and their number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sinks::mqtt) struct Rest {
    pub(in crate::sinks::mqtt) notices: Vec<Notice>,
    pub(in crate::sinks::mqtt) events: Vec<(String, u64, String)>,
}

impl Outbox {
    /// Puts in what the journal held.
    pub(super) fn recover(&mut self, now: Now) {
        if let Some(recovered) = self.journal.as_mut().map(Journal::take_recovered) {
            self.next = recovered.next;
            self.notices = recovered.notices;
            for stored in recovered.events {
                // A clock that was not set, then or now, says nothing; the age then counts from now on.
                let known = stored.wall_ms >= CLOCK_IS_SET;
                let age = known.then(|| now.wall_ms.saturating_sub(stored.wall_ms));
                let age = Duration::from_millis(age.unwrap_or(0));
                self.bytes += stored.payload.len() + OVERHEAD;
                self.entries.push_back(Entry {
                    stored,
                    since: now.instant.checked_sub(age).unwrap_or(now.instant),
                    historical: true,
                    sent: false,
                    acknowledged: false,
                    written: true,
                });
            }
        }
    }

    /// Goes on with a journal that could not be had before and with what others have left: what the journal holds first,
    /// then that, then what was put in meanwhile, which was not sent yet.
    pub(in crate::sinks::mqtt) fn adopt(
        &mut self,
        journal: Option<Journal>,
        left: Vec<Rest>,
        now: Now,
    ) {
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
    pub(in crate::sinks::mqtt) fn rest(&mut self) -> Rest {
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
}
