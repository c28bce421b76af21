//! The way of a command to the supervisor, and of its answer back.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use super::command::{Command, CommandError, Outcome};

/// Commands that may wait.
const WAITING: usize = 16;
/// How long an answer is waited for; opening a device and loading a model are the longest that a command does.
const DEADLINE: Duration = Duration::from_secs(10);

/// Whoever holds one may ask. Clones ask the same supervisor.
#[derive(Clone)]
pub struct Handle {
    requests: SyncSender<Request>,
    wake: Arc<dyn Fn() + Send + Sync>,
    deadline: Duration,
}

impl fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Handle").finish_non_exhaustive()
    }
}

/// A command that waits for its answer.
#[derive(Debug)]
pub struct Request {
    /// What is asked.
    pub command: Command,
    reply: SyncSender<Result<Outcome, CommandError>>,
}

/// The supervisor's end.
pub type Requests = Receiver<Request>;

/// A handle, and what it asks.
pub fn requests() -> (Handle, Requests) {
    requests_that_wake(|| {})
}

/// A handle that calls `wake` after it has asked, and what it asks.
pub fn requests_that_wake(wake: impl Fn() + Send + Sync + 'static) -> (Handle, Requests) {
    let (requests, receiver) = sync_channel(WAITING);
    let handle = Handle {
        requests,
        wake: Arc::new(wake),
        deadline: DEADLINE,
    };
    (handle, receiver)
}

impl Handle {
    /// Has a command carried out, and waits for the answer.
    ///
    /// # Errors
    /// Why it was not; [`CommandError::Busy`] when too many wait, [`CommandError::Timeout`] when the answer does not
    /// come in time, [`CommandError::NotRunning`] when nobody is there to answer.
    pub fn execute(&self, command: Command) -> Result<Outcome, CommandError> {
        let (reply, answer) = sync_channel(1);
        self.requests
            .try_send(Request { command, reply })
            .map_err(|error| match error {
                TrySendError::Full(_) => CommandError::Busy,
                TrySendError::Disconnected(_) => CommandError::NotRunning,
            })?;
        (self.wake)();
        answer
            .recv_timeout(self.deadline)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => {
                    let waited = u64::try_from(self.deadline.as_millis());
                    CommandError::Timeout(waited.unwrap_or(u64::MAX))
                }
                RecvTimeoutError::Disconnected => CommandError::NotRunning,
            })?
    }
}

impl Request {
    /// Answers. Who asked may have given up by now, which is no failure.
    pub fn answer(self, outcome: Result<Outcome, CommandError>) {
        let _ = self.reply.try_send(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_the_one_who_asked() {
        let (handle, requests) = requests();
        let supervisor = std::thread::spawn(move || {
            for request in requests {
                let answer = match request.command {
                    Command::Mute => Ok(Outcome::Muted),
                    _ => Err(CommandError::Unsupported("not here".into())),
                };
                request.answer(answer);
            }
        });
        assert_eq!(handle.execute(Command::Mute), Ok(Outcome::Muted));
        assert_eq!(
            handle.execute(Command::Unmute).unwrap_err().code(),
            "unsupported"
        );
        drop(handle);
        supervisor.join().unwrap();
    }

    #[test]
    fn nobody_waits_for_ever() {
        let (mut handle, requests) = requests();
        handle.deadline = Duration::from_millis(10);
        assert_eq!(
            handle.execute(Command::Status),
            Err(CommandError::Timeout(10))
        );
        let busy = (0..WAITING).find_map(|_| match handle.execute(Command::Status) {
            Err(CommandError::Busy) => Some(()),
            _ => None,
        });
        assert_eq!(busy, Some(()));
        // Who gave up is not waited for either.
        requests.recv().unwrap().answer(Ok(Outcome::Muted));
        drop(requests);
        assert_eq!(
            handle.execute(Command::Status),
            Err(CommandError::NotRunning)
        );
    }
}
