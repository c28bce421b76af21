//! `undertoned ctl`: asks a running daemon through its socket.

use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Command;
use crate::error::DaemonError;

/// Where a service of the system has its socket.
const SYSTEM_SOCKET: &str = "/run/undertone/control.sock";
/// Bytes of an answer, at most.
const MAX_ANSWER: u64 = 1 << 20;
/// How long an answer may take; longer than the daemon's own deadline.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks a running daemon.
#[derive(Debug, Clone, Args)]
pub struct CtlArgs {
    /// The daemon's socket [default: $UNDERTONE_SOCKET, or /run/undertone/control.sock]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// Print the daemon's answer as it is
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, Subcommand)]
enum What {
    /// How it is
    Status,
    /// Close the microphones
    Mute,
    /// Open them again
    Unmute,
    /// Read the configuration again
    Reload,
    /// Tell a label as unknown below this confidence, until the next start or reload
    Threshold {
        /// From 0 to 1
        value: f32,
        /// The label; all of them when left out
        #[arg(long)]
        label: Option<String>,
    },
    /// Say which box this is
    Identify,
    /// Every report as a line of JSON, until interrupted
    Watch,
}

impl What {
    /// The command; watching is none, because it has no single answer.
    fn command(&self) -> Option<Command> {
        Some(match self {
            What::Status => Command::Status,
            What::Mute => Command::Mute,
            What::Unmute => Command::Unmute,
            What::Reload => Command::Reload,
            What::Threshold { value, label } => Command::Threshold {
                label: label.clone(),
                value: *value,
            },
            What::Identify => Command::Identify,
            What::Watch => return None,
        })
    }
}

/// Asks, and prints the answer.
///
/// # Errors
/// [`DaemonError::Control`] when the daemon cannot be reached or does not carry it out.
pub fn ctl(args: &CtlArgs) -> Result<(), DaemonError> {
    let path = socket_path(args);
    let unreachable = |reason: io::Error| {
        let hint = match reason.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                "is undertoned running, and does control.socket name this path?"
            }
            io::ErrorKind::PermissionDenied => "only root and the group undertone may ask",
            _ => "look at its log",
        };
        DaemonError::Control(format!("{}: {reason}; {hint}", path.display()))
    };
    let Some(command) = args.what.command() else {
        let watched = UnixStream::connect(&path).and_then(watch);
        return watched.map_err(unreachable);
    };
    let value = ask(&path, &command).map_err(unreachable)?;
    if let Some(message) = value["message"]
        .as_str()
        .filter(|_| value["error"].is_string())
    {
        if args.json {
            print(&value.to_string())?;
        }
        return Err(DaemonError::Control(message.to_owned()));
    }
    print(&if args.json {
        value.to_string()
    } else {
        for_people(&value)
    })
}

/// Asks the daemon behind a socket; its answer, which may be that it does not do it.
///
/// # Errors
/// When it cannot be reached, or what comes back is no answer.
pub(crate) fn ask(path: &Path, command: &Command) -> io::Result<Value> {
    let line = serde_json::to_string(command)?;
    let mut stream = UnixStream::connect(path)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{line}\n").as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream.take(MAX_ANSWER)).read_line(&mut answer)?;
    if answer.len() as u64 == MAX_ANSWER && !answer.ends_with('\n') {
        let reason = format!(
            "the daemon's answer is longer than {} KiB",
            MAX_ANSWER >> 10
        );
        return Err(io::Error::other(reason));
    }
    serde_json::from_str(&answer)
        .map_err(|error| io::Error::other(format!("the daemon's answer is not JSON: {error}")))
}

fn socket_path(args: &CtlArgs) -> PathBuf {
    let named = args.socket.clone();
    named
        .or_else(|| std::env::var_os("UNDERTONE_SOCKET").map(PathBuf::from))
        .unwrap_or_else(|| Path::new(SYSTEM_SOCKET).to_owned())
}

fn watch(mut stream: UnixStream) -> io::Result<()> {
    let line = json!({ "command": "watch" });
    stream.write_all(format!("{line}\n").as_bytes())?;
    let mut output = io::stdout().lock();
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line.is_empty() {
            continue;
        }
        match writeln!(output, "{line}") {
            // A reader that has had enough is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

fn print(text: &str) -> Result<(), DaemonError> {
    writeln!(io::stdout(), "{text}").map_err(|reason| DaemonError::System {
        action: "write to standard output",
        reason,
    })
}

/// One field a line; of a status what people ask for first.
fn for_people(value: &Value) -> String {
    let Value::Object(fields) = value else {
        return value.to_string();
    };
    let mut lines = Vec::new();
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("outcome", Value::String(text)) if fields.len() == 1 => lines.push(text.clone()),
            ("outcome", _) | (_, Value::Null) => {}
            ("sources", Value::Array(sources)) => {
                for source in sources {
                    let text = |field: &str| source[field].as_str().unwrap_or_default().to_owned();
                    let (name, state, signal) = (text("name"), text("state"), text("signal"));
                    let dead = if source["dead"] == true { ", dead" } else { "" };
                    lines.push(format!(
                        "source      {name}: {state}, signal {signal}{dead}"
                    ));
                }
            }
            (_, Value::Array(items)) => {
                let items: Vec<String> = items.iter().map(plain).collect();
                let text = if items.is_empty() {
                    "nothing".to_owned()
                } else {
                    items.join(", ")
                };
                lines.push(format!("{name:<11} {text}"));
            }
            (_, value) => lines.push(format!("{name:<11} {}", plain(value))),
        }
    }
    lines.join("\n")
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said when something else answers.
    fn told(answer: &'static [u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sock");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = String::new();
            BufReader::new(&stream).read_line(&mut asked).unwrap();
            // The client may have had enough of it.
            let _ = stream.write_all(answer);
        });
        let told = ask(&path, &Command::Status).unwrap_err().to_string();
        other.join().unwrap();
        told
    }

    #[test]
    fn an_answer_that_is_none_is_told_and_not_read_for_ever() {
        assert!(told(b"").starts_with("the daemon's answer is not JSON: "));
        assert!(told(b"hello\n").starts_with("the daemon's answer is not JSON: "));
        static LONG: [u8; 2 << 20] = [b' '; 2 << 20];
        assert_eq!(told(&LONG), "the daemon's answer is longer than 1024 KiB");
    }

    #[test]
    fn an_answer_is_printed_for_people() {
        let status = json!({
            "outcome": "status", "state": "mic-lost", "since_ms": 7, "label": null,
            "sources": [{"name": "alsa:x", "state": "mic-lost", "signal": "none"}],
        });
        let text = for_people(&status);
        for part in [
            "state       mic-lost",
            "source      alsa:x: mic-lost, signal none",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("label"), "{text}");
        assert_eq!(for_people(&json!({"outcome": "muted"})), "muted");
        let reloaded = json!({"outcome": "reloaded", "changed": []});
        assert_eq!(for_people(&reloaded), "changed     nothing");
    }
}
