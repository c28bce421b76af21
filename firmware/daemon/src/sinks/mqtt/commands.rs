//! Commands that come as messages, and their results.
//!
//! A command is carried out on a thread of its own, since its answer may take seconds.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use serde_json::{Map, Value, json};

use crate::control::{Command, CommandError, Handle};
use crate::sinks::Waker;

/// Commands that may wait.
const WAITING: usize = 16;
/// Results that may wait. Who floods the box with commands does not get an answer to each.
const ANSWERS: usize = 64;

/// What a command's name and payload ask for.
#[derive(Debug)]
struct Asked {
    name: String,
    /// Given by whoever asks, and given back with the result.
    id: Option<Value>,
    command: Result<Command, CommandError>,
}

/// A result that is to be published.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) name: String,
    pub(super) payload: String,
}

/// Carries commands out.
#[derive(Debug)]
pub(super) struct Commands {
    asked: SyncSender<Asked>,
    refused: SyncSender<Answer>,
    answers: Receiver<Answer>,
}

impl Commands {
    /// Begins to carry out. Without a handle every command is answered, and none is carried out.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(handle: Option<Handle>, waker: Waker) -> std::io::Result<Self> {
        let (asked, requests) = sync_channel::<Asked>(WAITING);
        let (sender, answers) = sync_channel(ANSWERS);
        let refused = sender.clone();
        std::thread::Builder::new()
            .name("mqtt-commands".into())
            .spawn(move || {
                for asked in requests {
                    let outcome = asked.command.and_then(|command| match &handle {
                        Some(handle) => handle.execute(command),
                        None => Err(CommandError::NotRunning),
                    });
                    if sender.send(answer(asked.name, asked.id, outcome)).is_err() {
                        return;
                    }
                    waker.wake();
                }
            })?;
        Ok(Commands {
            asked,
            refused,
            answers,
        })
    }

    /// Takes a command. One that was retained is old, and refused.
    pub(super) fn take(&self, name: &str, payload: &[u8], retained: bool) {
        let (id, command) = read(name, payload);
        let name = name.to_owned();
        let refuse = |name, id, error| {
            // The receiver lives as long as this does; it may be full.
            let _ = self.refused.try_send(answer::<()>(name, id, Err(error)));
        };
        if retained {
            let reason = "a retained message is not taken as a command; publish it without retain";
            return refuse(name, id, CommandError::Malformed(reason.into()));
        }
        match self.asked.try_send(Asked { name, id, command }) {
            Ok(()) => {}
            Err(TrySendError::Full(asked) | TrySendError::Disconnected(asked)) => {
                refuse(asked.name, asked.id, CommandError::Busy);
            }
        }
    }

    /// The next result.
    pub(super) fn answer(&self) -> Option<Answer> {
        self.answers.try_recv().ok()
    }
}

/// The id and the command of a message. The payload is nothing, an object with the command's fields and an `id`, or
/// the one value that a command has.
fn read(name: &str, payload: &[u8]) -> (Option<Value>, Result<Command, CommandError>) {
    let text = String::from_utf8_lossy(payload);
    let text = text.trim();
    let mut name = name;
    let mut fields = match (name, text) {
        (_, "") => Map::new(),
        // What a switch sends.
        ("mute", "on" | "ON") => Map::new(),
        ("mute", "off" | "OFF") => {
            name = "unmute";
            Map::new()
        }
        _ => match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => fields,
            Ok(value @ Value::Number(_)) if name == "threshold" => {
                Map::from_iter([("value".to_owned(), value)])
            }
            Ok(_) => return (None, malformed("the payload is not a JSON object")),
            Err(error) => {
                return (
                    None,
                    malformed(&format!("the payload is not JSON: {error}")),
                );
            }
        },
    };
    let id = fields.remove("id");
    // serde lets fields pass that a command without any of its own does not have.
    if name != "threshold"
        && let Some(field) = fields.keys().next()
    {
        let reason = format!("{name} has no field {field:?}; send nothing, or an id");
        return (id, malformed(&reason));
    }
    fields.insert("command".into(), name.into());
    let command = serde_json::from_value(Value::Object(fields));
    (id, command.or_else(|error| malformed(&error.to_string())))
}

fn malformed(reason: &str) -> Result<Command, CommandError> {
    Err(CommandError::Malformed(reason.into()))
}

fn answer<T: serde::Serialize>(
    name: String,
    id: Option<Value>,
    outcome: Result<T, CommandError>,
) -> Answer {
    let mut payload = match outcome {
        Ok(result) => json!({ "ok": true, "command": name, "result": result }),
        Err(error) => json!({
            "ok": false,
            "command": name,
            "error": { "code": error.code(), "message": error.to_string() },
        }),
    };
    if let Some(id) = id {
        payload["id"] = id;
    }
    Answer {
        name,
        payload: payload.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_read_as_the_documentation_says() {
        let command = |name, payload: &str| read(name, payload.as_bytes()).1;
        assert_eq!(command("mute", ""), Ok(Command::Mute));
        assert_eq!(command("mute", "on"), Ok(Command::Mute));
        assert_eq!(command("mute", "off"), Ok(Command::Unmute));
        assert_eq!(command("reload", "{}"), Ok(Command::Reload));
        let threshold = |label: Option<&str>| Command::Threshold {
            label: label.map(str::to_owned),
            value: 0.5,
        };
        assert_eq!(command("threshold", "0.5"), Ok(threshold(None)));
        assert_eq!(
            command("threshold", r#"{"label":"sad","value":0.5,"id":7}"#),
            Ok(threshold(Some("sad")))
        );
        for (name, payload) in [
            ("mute", "maybe"),
            ("format-disk", ""),
            ("threshold", ""),
            ("mute", "[1]"),
            ("mute", "{\"command\":1,\"x\":2}"),
        ] {
            let error = command(name, payload).unwrap_err();
            assert_eq!(error.code(), "malformed", "{name} {payload}");
        }
    }

    #[test]
    fn a_flood_of_commands_is_answered_up_to_a_limit() {
        let (_sender, _inbox, waker) = crate::sinks::queue::queue(1).unwrap();
        let commands = Commands::start(None, waker).unwrap();
        for _ in 0..100_000 {
            commands.take("mute", b"", true);
        }
        let answers = std::iter::from_fn(|| commands.answer()).count();
        assert!((1..=ANSWERS).contains(&answers), "{answers}");
    }

    #[test]
    fn a_result_is_typed_and_carries_the_id_of_the_question() {
        let (id, _) = read("mute", br#"{"id":"a1"}"#);
        let answer = answer::<()>("mute".into(), id, Err(CommandError::Busy));
        let value: Value = serde_json::from_str(&answer.payload).unwrap();
        assert_eq!(value["error"]["code"], "busy");
        assert_eq!((&value["id"], &value["ok"]), (&json!("a1"), &json!(false)));
    }
}
