//! The ways to boxes. Each has a thread of its own, connects again with growing waits, and ends when nobody listens.

pub(crate) mod mqtt;
pub(crate) mod serial;
pub(crate) mod socket;

use std::time::Duration;

use anyhow::{Context as _, Result};
use undertone_mqtt::{Backoff, random};

use super::feed::{Feed, Gone, Input};
use crate::failure::Failure;

/// The longest wait between two tries.
const LONGEST: Duration = Duration::from_secs(10);

/// Why a way is closed: nobody listens, or it broke.
enum End {
    Gone,
    Broke(std::io::Error),
}

impl From<Gone> for End {
    fn from(_: Gone) -> Self {
        End::Gone
    }
}

impl From<std::io::Error> for End {
    fn from(error: std::io::Error) -> Self {
        End::Broke(error)
    }
}

/// Runs `once` again and again on a thread: it opens, tells that it is up, and reads to the end.
fn again(
    name: &'static str,
    place: String,
    advice: fn(&std::io::Error) -> &'static str,
    feed: Feed,
    mut once: impl FnMut(&Feed, &mut Backoff) -> Result<(), End> + Send + 'static,
) -> Result<()> {
    let work = move || {
        let mut backoff = Backoff::new(LONGEST);
        loop {
            let error = match once(&feed, &mut backoff) {
                Ok(()) => std::io::ErrorKind::UnexpectedEof.into(),
                Err(End::Gone) => return,
                Err(End::Broke(error)) => error,
            };
            let why = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => format!("{place}: the other side has ended"),
                _ => format!("{place}: {error}"),
            };
            let refused = Failure::error(format!("monitor-{name}"), why.clone(), advice(&error));
            if feed.tell(Input::Down { why, refused }).is_err() {
                return;
            }
            std::thread::sleep(backoff.wait(random()));
        }
    };
    std::thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .context("the system refuses a thread")?;
    Ok(())
}
