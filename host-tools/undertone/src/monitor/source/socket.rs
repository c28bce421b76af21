//! The control socket of the daemon on this machine: reports as lines of JSON.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use undertone_mqtt::Backoff;

use super::End;
use crate::monitor::feed::{Feed, Input};
use crate::monitor::message::{Message, Topic};

/// The longest line that is read.
const LONGEST: u64 = 64 * 1024;
/// The daemon sends an empty line when it has had nothing to say for 5 s; after so long it is gone or hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The name of a box that has none here.
const LOCAL: &str = "local";

/// Watches the daemon behind a socket.
pub(crate) fn start(path: PathBuf, feed: Feed) -> Result<()> {
    let place = path.display().to_string();
    super::again("socket", place, advice, feed, move |feed, backoff| {
        watch(&path, feed, backoff)
    })
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            "start undertoned, see whether its control.socket names this path, or give --broker or --serial"
        }
        ErrorKind::PermissionDenied => {
            "only root and the group undertone may ask: sudo, or usermod -aG undertone USER"
        }
        _ => "look at the daemon's log: journalctl -u undertoned",
    }
}

fn watch(path: &Path, feed: &Feed, backoff: &mut Backoff) -> Result<(), End> {
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"{\"command\":\"watch\"}\n")?;
    let mut input = BufReader::new(stream);
    let mut line = Vec::new();
    let mut up = false;
    loop {
        line.clear();
        let length = (&mut input).take(LONGEST).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return Err(std::io::Error::other("it sends no lines, or one that is too long").into());
        }
        let Some(message) = read(&line) else {
            // A daemon that is too busy for one more says so in another form, and closes.
            continue;
        };
        if !up {
            up = true;
            backoff.reset();
            feed.tell(Input::Up)?;
        }
        feed.message(message)?;
    }
}

fn read(line: &[u8]) -> Option<Message> {
    let body: Value = serde_json::from_slice(line).ok()?;
    let topic = Topic::of_kind(body["kind"].as_str()?)?;
    Some(Message::new(LOCAL, topic, body))
}
