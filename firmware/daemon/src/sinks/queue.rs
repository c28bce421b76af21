//! A bounded queue whose reader can wait for it and for a descriptor at the same time.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::status::Report;

/// Wakes the reader of a queue.
#[derive(Debug, Clone)]
pub struct Waker(Arc<UnixStream>);

impl Waker {
    /// Wakes it. A full pipe has a wake in it already.
    pub fn wake(&self) {
        let _ = (&*self.0).write(&[1]);
    }
}

/// Nobody reads the queue any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

/// The end that reports are put in.
#[derive(Debug)]
pub(super) struct Sender {
    /// `None` only while it is dropped.
    queue: Option<SyncSender<Report>>,
    depth: Arc<AtomicUsize>,
    waker: Waker,
}

impl Sender {
    /// Puts a report in, without waiting; gives it back when there is no room.
    ///
    /// # Errors
    /// When there is no reader any more.
    pub(super) fn try_send(&self, report: Report) -> Result<Option<Report>, Gone> {
        let Some(queue) = &self.queue else {
            return Err(Gone);
        };
        // Counted first: the reader must not count down before.
        self.depth.fetch_add(1, Ordering::Relaxed);
        let back = match queue.try_send(report) {
            Ok(()) => {
                self.waker.wake();
                return Ok(None);
            }
            Err(TrySendError::Full(report)) => Ok(Some(report)),
            Err(TrySendError::Disconnected(_)) => Err(Gone),
        };
        self.depth.fetch_sub(1, Ordering::Relaxed);
        back
    }

    /// How many reports wait.
    pub(super) fn depth(&self) -> usize {
        self.depth.load(Ordering::Relaxed)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // The reader must find it closed when it wakes.
        self.queue = None;
        self.waker.wake();
    }
}

/// What a look into the queue found.
#[derive(Debug)]
pub(super) enum Found {
    Report(Report),
    Nothing,
    Closed,
}

/// The end that a sink reads.
#[derive(Debug)]
pub(super) struct Inbox {
    queue: Receiver<Report>,
    depth: Arc<AtomicUsize>,
    wakes: UnixStream,
}

/// The longest wait; a wake that was missed costs no more.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

impl Inbox {
    /// Looks, without waiting.
    pub(super) fn look(&self) -> Found {
        match self.queue.try_recv() {
            Ok(report) => {
                self.depth.fetch_sub(1, Ordering::Relaxed);
                Found::Report(report)
            }
            Err(TryRecvError::Empty) => Found::Nothing,
            Err(TryRecvError::Disconnected) => Found::Closed,
        }
    }

    /// Waits for a report, for the descriptor, or for the time, whichever comes first.
    pub(super) fn wait(
        &mut self,
        until: Option<Instant>,
        interest: Option<(BorrowedFd<'_>, PollFlags)>,
    ) {
        let most = until.map_or(LOOK_AGAIN, |until| {
            until
                .saturating_duration_since(Instant::now())
                .min(LOOK_AGAIN)
        });
        let timeout = Timespec {
            tv_sec: most.as_secs() as i64,
            tv_nsec: i64::from(most.subsec_nanos()),
        };
        let wakes = PollFd::from_borrowed_fd(self.wakes.as_fd(), PollFlags::IN);
        // An interrupted wait is an early end of it.
        let _ = match interest {
            Some((descriptor, flags)) => {
                let other = PollFd::from_borrowed_fd(descriptor, flags);
                poll(&mut [wakes, other], Some(&timeout))
            }
            None => poll(&mut [wakes], Some(&timeout)),
        };
        let mut bytes = [0; 64];
        while matches!(self.wakes.read(&mut bytes), Ok(64)) {}
    }
}

/// A queue for so many reports, and what wakes its reader.
///
/// # Errors
/// When the system has no descriptors left.
pub(super) fn queue(capacity: usize) -> io::Result<(Sender, Inbox, Waker)> {
    let (sender, receiver) = sync_channel(capacity);
    let (writes, wakes) = UnixStream::pair()?;
    writes.set_nonblocking(true)?;
    wakes.set_nonblocking(true)?;
    let waker = Waker(Arc::new(writes));
    let depth = Arc::new(AtomicUsize::new(0));
    let sender = Sender {
        queue: Some(sender),
        depth: Arc::clone(&depth),
        waker: waker.clone(),
    };
    let inbox = Inbox {
        queue: receiver,
        depth,
        wakes,
    };
    Ok((sender, inbox, waker))
}
