//! Writing to the journal, and writing again after the disk has failed.

use std::time::Duration;

use super::{Now, Outbox};

/// Between two tries to write what could not be written.
pub(super) const AGAIN: Duration = Duration::from_secs(10);

impl Outbox {
    pub(super) fn write_notices(&mut self, gone_through: u64) {
        if let Some(journal) = &mut self.journal {
            let outcome = journal.notices(gone_through, &self.notices);
            note(&mut self.fault, outcome);
        }
    }

    /// Writes what is in memory only. Recovery puts it back into its place.
    pub(super) fn write_again(&mut self, now: Now) {
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
}

/// Notes why the disk failed; true when it did not.
pub(super) fn note(fault: &mut Option<String>, outcome: std::io::Result<()>) -> bool {
    match outcome {
        Ok(()) => true,
        Err(error) => {
            *fault = Some(error.to_string());
            false
        }
    }
}
