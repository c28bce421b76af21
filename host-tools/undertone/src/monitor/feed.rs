//! From the threads of the sources to the one that shows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use super::message::Message;

/// What waits at most. A message may have 64 KiB, though those of boxes have less than one.
const WAITING: usize = 1024;

/// What a source tells.
#[derive(Debug)]
pub(crate) enum Input {
    /// There is a connection.
    Up,
    /// There is none, and why; `refused` says what to do when it never comes up.
    Down { why: String, refused: anyhow::Error },
    /// A box says something.
    Message(Message),
}

/// The end of the sources.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    sender: SyncSender<Input>,
    lossy: bool,
    missed: Arc<AtomicU64>,
}

/// Nobody shows it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// The end of who shows.
#[derive(Debug)]
pub(crate) struct Messages {
    pub(crate) receiver: Receiver<Input>,
    missed: Arc<AtomicU64>,
}

impl Messages {
    /// How many messages found no room since the last call.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.swap(0, Ordering::Relaxed)
    }
}

/// A channel. One that is `lossy` counts what finds no room, as a picture can; else the source waits, as lines must.
pub(crate) fn feed(lossy: bool) -> (Feed, Messages) {
    let (sender, receiver) = sync_channel(WAITING);
    let missed = Arc::new(AtomicU64::new(0));
    let feed = Feed {
        sender,
        lossy,
        missed: Arc::clone(&missed),
    };
    (feed, Messages { receiver, missed })
}

impl Feed {
    /// Tells a message.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(crate) fn message(&self, message: Message) -> Result<(), Gone> {
        if !self.lossy {
            return self.tell(Input::Message(message));
        }
        match self.sender.try_send(Input::Message(message)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(_)) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(Gone),
        }
    }

    /// Tells what must not be lost.
    ///
    /// # Errors
    /// As [`Feed::message`].
    pub(crate) fn tell(&self, input: Input) -> Result<(), Gone> {
        self.sender.send(input).map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::message::Topic;

    #[test]
    fn a_flood_takes_bounded_memory_and_what_was_missed_is_counted() {
        let (feed, messages) = feed(true);
        for _ in 0..WAITING + 500 {
            let message = Message::new("box", Topic::Level, serde_json::Value::Null);
            feed.message(message).unwrap();
        }
        assert_eq!(messages.missed(), 500);
        assert_eq!(messages.receiver.try_iter().count(), WAITING);
        drop(messages);
        let message = Message::new("box", Topic::Level, serde_json::Value::Null);
        assert_eq!(feed.message(message), Err(Gone));
    }
}
