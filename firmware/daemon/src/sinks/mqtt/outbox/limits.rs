//! How much is kept, and what goes when it is more.

use std::time::Duration;

use super::entry::OVERHEAD;
use super::{Now, Outbox};

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sinks::mqtt) struct Limits {
    pub(in crate::sinks::mqtt) events: usize,
    pub(in crate::sinks::mqtt) bytes: usize,
    pub(in crate::sinks::mqtt) age: Duration,
}

impl Outbox {
    /// Gives up what is too old, or too much.
    pub(super) fn keep_limits(&mut self, now: Now) {
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

    pub(super) fn forget_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= entry.stored.payload.len() + OVERHEAD;
            self.cursor = self.cursor.saturating_sub(1);
            if let (Some(journal), true) = (&mut self.journal, entry.written) {
                journal.gone(entry.stored.position);
            }
        }
    }
}
