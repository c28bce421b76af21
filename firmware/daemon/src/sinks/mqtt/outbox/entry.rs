//! One event that waits.

use std::time::Instant;

use super::record::Stored;

/// What an event costs beside its payload.
pub(super) const OVERHEAD: usize = 64;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) stored: Stored,
    /// Since when it counts as old.
    pub(super) since: Instant,
    /// Not of now: it waited for a connection, or was sent on one that is gone.
    pub(super) historical: bool,
    pub(super) sent: bool,
    pub(super) acknowledged: bool,
    pub(super) written: bool,
}
