//! The daemon's control socket, from outside.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connects, as soon as the socket is there.
///
/// # Panics
/// When it does not come.
pub fn connect(path: &Path) -> UnixStream {
    let until = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            Err(error) => assert!(Instant::now() < until, "{}: {error}", path.display()),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends one line and gives the answer.
///
/// # Panics
/// When there is none.
pub fn ask(path: &Path, command: &Value) -> Value {
    let mut stream = connect(path);
    stream.write_all(format!("{command}\n").as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
}

/// Asks for the status until it is what is wanted.
///
/// # Panics
/// When it does not become so.
pub fn wait_for_state(path: &Path, wanted: &[&str]) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let status = ask(path, &json!({"command": "status"}));
        let state = status["state"].as_str().unwrap_or_default();
        if wanted.contains(&state) {
            return status;
        }
        assert!(Instant::now() < until, "not {wanted:?}: {status}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends bytes, closes the sending side, and gives whatever comes back; a connection that is cut is no failure.
pub fn throw(path: &Path, bytes: &[u8]) -> String {
    let mut stream = connect(path);
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}
