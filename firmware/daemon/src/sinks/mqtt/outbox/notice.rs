//! What was given up, run by run.

use serde::{Deserialize, Serialize};

use crate::status::Dropped;

/// Runs that are kept apart; what was given up of still older ones is no longer told.
const RUNS: usize = 64;

/// Events of one run that were given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) boot_id: String,
    pub(crate) count: u64,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

/// The notices that nobody has acknowledged, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    waiting: Vec<Notice>,
    sent: usize,
}

impl Notices {
    pub(super) fn from_runs(waiting: Vec<Notice>) -> Self {
        Notices { waiting, sent: 0 }
    }

    pub(super) fn runs(&self) -> &[Notice] {
        &self.waiting
    }

    pub(super) fn into_runs(self) -> Vec<Notice> {
        self.waiting
    }

    pub(super) fn count(&self) -> u64 {
        self.waiting.iter().map(|notice| notice.count).sum()
    }

    pub(super) fn add_one(&mut self, boot_id: &str, seq: u64) {
        let (count, first_seq, last_seq) = (1, seq, seq);
        self.add(
            boot_id,
            Dropped {
                count,
                first_seq,
                last_seq,
            },
        );
    }

    pub(super) fn add(&mut self, boot_id: &str, dropped: Dropped) {
        // One that is on its way is not changed: its acknowledgement is for what it said.
        let open = self.waiting.iter_mut().skip(self.sent);
        if let Some(notice) = open.into_iter().find(|notice| notice.boot_id == boot_id) {
            notice.count = notice.count.saturating_add(dropped.count);
            notice.first_seq = notice.first_seq.min(dropped.first_seq);
            notice.last_seq = notice.last_seq.max(dropped.last_seq);
            return;
        }
        self.waiting.push(Notice {
            boot_id: boot_id.into(),
            count: dropped.count,
            first_seq: dropped.first_seq,
            last_seq: dropped.last_seq,
        });
        if self.waiting.len() > RUNS {
            self.waiting.remove(0);
            self.sent = self.sent.saturating_sub(1);
        }
    }

    pub(super) fn next(&mut self) -> Option<Notice> {
        let notice = self.waiting.get(self.sent).cloned();
        self.sent += usize::from(notice.is_some());
        notice
    }

    pub(super) fn rewind(&mut self) {
        self.sent = 0;
    }

    /// True when there was such a notice.
    pub(super) fn acknowledge(&mut self, notice: &Notice) -> bool {
        let place = self.waiting.iter().position(|waiting| waiting == notice);
        if let Some(place) = place {
            self.waiting.remove(place);
            self.sent -= usize::from(place < self.sent);
        }
        place.is_some()
    }
}
