//! One line of JSON for each message.

use std::io::{ErrorKind, Write as _};

use anyhow::{Context as _, Result};

use super::feed::{Input, Messages};

/// Prints messages until the reader has had enough, or `count` of them came. What becomes of the connection is said on
/// standard error; without a first connection it ends with the reason, unless it is to `wait`.
pub(crate) fn run(messages: &Messages, wait: bool, count: Option<u64>) -> Result<()> {
    let (mut was_up, mut seen) = (wait, 0);
    let mut said = String::new();
    while count.is_none_or(|count| seen < count) {
        let Ok(input) = messages.receiver.recv() else {
            return Ok(());
        };
        match input {
            Input::Up => {
                was_up = true;
                said.clear();
                eprintln!("monitor: connected");
            }
            Input::Down { refused, .. } if !was_up => return Err(refused),
            Input::Down { why, .. } => {
                // The same reason again is no news.
                if why != said {
                    eprintln!("monitor: {}", crate::clean::short(&why, 500));
                    said = why;
                }
            }
            Input::Message(message) => {
                seen += 1;
                let line = message.line() + "\n";
                match std::io::stdout().write_all(line.as_bytes()) {
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                    outcome => outcome.context("cannot write to standard output")?,
                }
            }
        }
    }
    Ok(())
}
