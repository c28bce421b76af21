//! The control socket: one JSON object a line, a [`Command`] in and its answer out. What does not know how to behave is
//! sent away: long lines, slow readers, too many at once.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Builder;
use std::time::Duration;

use super::command::{Command, CommandError, Outcome};
use super::handle::Handle;
use super::watch::Watchers;
use crate::talk::caution;

/// The longest line, in bytes.
const MAX_LINE: u64 = 4096;
/// The most connections at a time.
const MAX_CONNECTIONS: usize = 16;
/// How long a connection may say nothing, or take nothing.
const PATIENCE: Duration = Duration::from_secs(30);
/// Owner and group may connect.
const MODE: u32 = 0o660;

/// A socket that takes commands until it is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    closed: Arc<AtomicBool>,
}

/// What a connection answers with.
#[derive(Clone)]
struct Desk {
    handle: Handle,
    watchers: Watchers,
    connections: Arc<AtomicUsize>,
}

impl ControlSocket {
    /// Takes commands at `path`. A socket that nobody listens on any more is replaced.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::AddrInUse`] when another daemon listens there,
    /// [`io::ErrorKind::AlreadyExists`] when something else than a socket is there, which stays.
    pub fn open(path: &Path, handle: Handle, watchers: Watchers) -> io::Result<Self> {
        if UnixStream::connect(path).is_ok() {
            let reason = "another daemon takes commands there";
            return Err(io::Error::new(io::ErrorKind::AddrInUse, reason));
        }
        if std::fs::symlink_metadata(path).is_ok_and(|about| !about.file_type().is_socket()) {
            let reason = "something else is there; remove it, or change control.socket";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, reason));
        }
        // Under another name first, so that it is never there with other permissions.
        let new = path.with_extension(format!("{}.new", std::process::id()));
        let _ = std::fs::remove_file(&new);
        let listener = UnixListener::bind(&new)?;
        std::fs::set_permissions(&new, std::fs::Permissions::from_mode(MODE))
            .and_then(|()| std::fs::rename(&new, path))
            .inspect_err(|_| drop(std::fs::remove_file(&new)))?;
        let closed = Arc::new(AtomicBool::new(false));
        let desk = Desk {
            handle,
            watchers,
            connections: Arc::default(),
        };
        let over = Arc::clone(&closed);
        Builder::new()
            .name("control".into())
            .spawn(move || accept(&listener, &desk, &over))?;
        Ok(ControlSocket {
            path: path.to_owned(),
            closed,
        })
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = UnixStream::connect(&self.path);
        let _ = std::fs::remove_file(&self.path);
    }
}

fn accept(listener: &UnixListener, desk: &Desk, closed: &AtomicBool) {
    loop {
        let accepted = listener.accept();
        if closed.load(Ordering::SeqCst) {
            return;
        }
        match accepted {
            Ok((stream, _)) => admit(stream, desk),
            // No descriptors left, for instance; others may end meanwhile.
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn admit(mut stream: UnixStream, desk: &Desk) {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let _ = stream.set_write_timeout(Some(PATIENCE));
    if desk.connections.fetch_add(1, Ordering::SeqCst) >= MAX_CONNECTIONS {
        desk.connections.fetch_sub(1, Ordering::SeqCst);
        let _ = stream.write_all(answer(&Err(CommandError::Busy)).as_bytes());
        return;
    }
    let desk = desk.clone();
    let count = Arc::clone(&desk.connections);
    let started = Builder::new().name("control".into()).spawn(move || {
        // A connection that breaks is no matter for the daemon.
        let _ = serve(stream, &desk);
        desk.connections.fetch_sub(1, Ordering::SeqCst);
    });
    if let Err(reason) = started {
        count.fetch_sub(1, Ordering::SeqCst);
        caution!("no thread for a command: {reason}");
    }
}

fn serve(stream: UnixStream, desk: &Desk) -> io::Result<()> {
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = (&mut input)
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(());
        }
        if length as u64 > MAX_LINE {
            let long = CommandError::Malformed(format!("it is longer than {MAX_LINE} bytes"));
            return output.write_all(answer(&Err(long)).as_bytes());
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        if is_watch(&line) {
            return desk.watchers.stream(&mut output);
        }
        let outcome = Command::read(&line).and_then(|command| desk.handle.execute(command));
        output.write_all(answer(&outcome).as_bytes())?;
    }
}

/// Watching is asked for like a command, but has no single answer.
fn is_watch(line: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(line)
        .is_ok_and(|value| value == serde_json::json!({ "command": "watch" }))
}

/// An outcome or an error as one line.
fn answer(outcome: &Result<Outcome, CommandError>) -> String {
    let line = match outcome {
        Ok(outcome) => serde_json::to_string(outcome),
        Err(error) => {
            let value = serde_json::json!({ "error": error.code(), "message": error.to_string() });
            serde_json::to_string(&value)
        }
    };
    line.unwrap_or_else(|error| format!("{{\"error\":\"unsupported\",\"message\":\"{error}\"}}"))
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::requests;

    fn desk() -> (tempfile::TempDir, PathBuf, ControlSocket) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let (handle, requests) = requests();
        std::thread::spawn(move || {
            for request in requests {
                let outcome = match request.command {
                    Command::Mute => Ok(Outcome::Muted),
                    _ => Err(CommandError::Unsupported("not here".into())),
                };
                request.answer(outcome);
            }
        });
        let socket = ControlSocket::open(&path, handle, Watchers::default()).unwrap();
        (folder, path, socket)
    }

    fn ask(path: &Path, bytes: &[u8]) -> Vec<String> {
        let mut stream = UnixStream::connect(path).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        BufReader::new(stream)
            .lines()
            .map_while(Result::ok)
            .collect()
    }

    #[test]
    fn every_line_gets_its_answer() {
        let (_folder, path, _socket) = desk();
        let answers = ask(
            &path,
            b"{\"command\":\"mute\"}\n\n{\"command\":\"status\"}\nnonsense\n\xff\n{\"command\":\"mute\"}",
        );
        assert_eq!(answers.len(), 5, "{answers:?}");
        assert_eq!(answers[0], "{\"outcome\":\"muted\"}");
        assert!(answers[1].contains("\"error\":\"unsupported\""));
        assert!(answers[2].contains("malformed") && answers[3].contains("malformed"));
        assert_eq!(answers[4], answers[0]);
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let (_folder, path, _socket) = desk();
        let mut stream = UnixStream::connect(&path).unwrap();
        // The other side closes while this is still being written.
        let _ = stream.write_all(&vec![b'x'; 1 << 20]);
        let mut text = String::new();
        let _ = stream.read_to_string(&mut text);
        assert!(text.is_empty() || text.contains("4096 bytes"), "{text}");
        assert_eq!(ask(&path, b"{\"command\":\"mute\"}\n").len(), 1);
    }

    #[test]
    fn only_owner_and_group_may_connect_and_nothing_is_left_behind() {
        let (_folder, path, socket) = desk();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        let (handle, _requests) = requests();
        let second = ControlSocket::open(&path, handle.clone(), Watchers::default());
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert!(!path.exists());
        // One that a killed daemon left is replaced.
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        drop(ControlSocket::open(&path, handle, Watchers::default()).unwrap());
    }

    #[test]
    fn a_file_or_a_link_in_its_place_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("notes"), folder.path().join("link"));
        std::fs::write(&file, "precious").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            let (handle, _requests) = requests();
            let opened = ControlSocket::open(path, handle, Watchers::default());
            assert_eq!(opened.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn too_many_at_once_are_sent_away_and_taken_again_later() {
        let (_folder, path, _socket) = desk();
        let mut idle: Vec<UnixStream> = (0..MAX_CONNECTIONS)
            .map(|_| UnixStream::connect(&path).unwrap())
            .collect();
        // Each is known to be admitted once it was answered.
        for stream in &mut idle {
            stream.write_all(b"{\"command\":\"mute\"}\n").unwrap();
            let mut line = String::new();
            BufReader::new(&*stream).read_line(&mut line).unwrap();
        }
        let mut line = String::new();
        BufReader::new(UnixStream::connect(&path).unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.contains("\"error\":\"busy\""), "{line}");
        drop(idle);
        let until = std::time::Instant::now() + Duration::from_secs(20);
        while ask(&path, b"{\"command\":\"mute\"}\n") != ["{\"outcome\":\"muted\"}"] {
            assert!(std::time::Instant::now() < until);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
