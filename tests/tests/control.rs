//! Commands to a running daemon: through its socket, by signal, and by `undertoned ctl`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use undertone_tests::control::{ask, connect, throw, wait_for_state};
use undertone_tests::daemon::{Daemon, program, run};
use undertone_tests::pulse::{DEVICE, Rig};
use undertone_tests::{long_speech, speech};

const HEARS: [&str; 2] = ["listening", "speech"];

/// A folder with a configuration that listens to a recording of more than a minute, in real time.
struct Setup {
    folder: tempfile::TempDir,
    text: String,
}

impl Setup {
    fn new(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("control.sock");
        let text = format!(
            "[deployment]\npurpose = \"evaluation\"\n[source]\nname = \"{source}\"\n[control]\nsocket = \"{}\"\n",
            socket.display()
        );
        let setup = Setup { folder, text };
        setup.configure("");
        setup
    }

    fn of_a_recording() -> Self {
        let mut setup = Self::new("stdin");
        let recording = long_speech(setup.folder.path(), 15);
        setup.text = setup
            .text
            .replace("stdin", &format!("file:{}", recording.display()));
        setup.configure("");
        setup
    }

    fn configure(&self, more: &str) {
        std::fs::write(self.config(), format!("{}{more}", self.text)).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("undertoned.toml")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("control.sock")
    }

    fn start(&self, env: &[(&str, PathBuf)]) -> Daemon {
        Daemon::start_with(&["--config", self.config().to_str().unwrap()], env)
    }
}

fn ctl(socket: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(program())
        .args(["ctl", "--socket"])
        .arg(socket)
        .args(args)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn every_command_is_answered_with_what_was_done_or_why_not() {
    let setup = Setup::of_a_recording();
    let daemon = setup.start(&[]);
    let socket = setup.socket();
    let status = wait_for_state(&socket, &HEARS);
    assert_eq!(status["sources"].as_array().unwrap().len(), 1);

    let boot = ask(&socket, &json!({"command": "identify"}));
    assert_eq!(boot["boot_id"].as_str().unwrap().len(), 16, "{boot}");
    let set = ask(
        &socket,
        &json!({"command": "threshold", "label": "sad", "value": 0.9}),
    );
    assert_eq!(set["outcome"], "threshold");
    for (command, code, part) in [
        (
            json!({"command": "threshold", "value": 7}),
            "range",
            "between 0 and 1",
        ),
        (
            json!({"command": "threshold", "label": "bored", "value": 0.5}),
            "label",
            "neutral",
        ),
        (json!({"command": "format"}), "malformed", "format"),
        (json!({"command": "mute", "now": true}), "malformed", ""),
        (json!([1, 2]), "malformed", ""),
    ] {
        let answer = ask(&socket, &command);
        assert_eq!(answer["error"], code, "{command}: {answer}");
        assert!(
            answer["message"].as_str().unwrap().contains(part),
            "{answer}"
        );
    }

    let (code, printed, _) = ctl(&socket, &["status"]);
    assert!(code == Some(0) && printed.contains("state"), "{printed}");
    let (code, printed, _) = ctl(&socket, &["status", "--json"]);
    let value: Value = serde_json::from_str(&printed).unwrap();
    assert!(code == Some(0) && value["outcome"] == "status");
    let (code, _, said) = ctl(&socket, &["threshold", "0.5", "--label", "bored"]);
    assert!(code == Some(6) && said.contains("bored"), "{said}");
    daemon.signal("TERM");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    assert!(!socket.exists());
    let (code, _, said) = ctl(&socket, &["status"]);
    assert!(
        code == Some(6) && said.contains("is undertoned running"),
        "{said}"
    );
}

#[test]
fn a_reload_changes_what_differs_and_a_wrong_one_changes_nothing() {
    let setup = Setup::of_a_recording();
    let mut daemon = setup.start(&[]);
    let socket = setup.socket();
    wait_for_state(&socket, &HEARS);
    let reload = || ask(&socket, &json!({"command": "reload"}));
    assert_eq!(reload()["changed"], json!([]));

    setup.configure("[segments]\nhangover_ms = 900\n[output]\nlevels = true\n");
    assert_eq!(
        reload()["changed"],
        json!(["output.levels", "segments.hangover_ms"])
    );
    daemon.wait_for_lines("\"kind\":\"level\"", 1);
    wait_for_state(&socket, &HEARS);

    for (wrong, part) in [
        ("[segments]\nhangover_ms = 1\n", "segments.hangover_ms is 1"),
        ("[thresholds]\nbored = 0.5\n", "thresholds.bored is 0.5"),
        ("[output]\nlevels = 3\n", "output.levels is 3"),
        ("[model]\npath = \"/nowhere.onnx\"\n", "/nowhere.onnx"),
        ("[metrics]\nlisten = \"10.0.0.1:1\"\n", "metrics.listen"),
        ("[output", "not valid"),
    ] {
        setup.configure(wrong);
        let answer = reload();
        assert_eq!(answer["error"], "configuration", "{answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(part), "{part}: {message}");
        assert!(message.contains("stays in use"), "{message}");
    }
    daemon.signal("HUP");
    daemon.wait_for_talk("not reloaded");
    wait_for_state(&socket, &HEARS);

    // Another source: the old one ends, the new one is heard.
    let other = Setup::new(&format!("file:{}", speech().display()));
    let text = other
        .text
        .replace(other.socket().to_str().unwrap(), socket.to_str().unwrap());
    std::fs::write(setup.config(), text).unwrap();
    daemon.signal("HUP");
    daemon.wait_for_talk("source.name");
    let status = ask(&socket, &json!({"command": "status"}));
    let name = status["sources"][0]["name"].as_str().unwrap_or_default();
    assert!(name.contains("speech.wav"), "{status}");
    // It is seven seconds long, and with it the daemon ends by itself.
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let events = run.events();
    let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert!(of("start") > 1, "{events:?}");
    assert_eq!(of("start"), of("end"), "{events:?}");
    let sequence: Vec<_> = events
        .iter()
        .map(|event| event["seq"].as_u64().unwrap())
        .collect();
    assert!(
        sequence.windows(2).all(|two| two[0] < two[1]),
        "{sequence:?}"
    );
}

#[test]
fn nothing_that_comes_through_the_socket_harms_the_daemon() {
    let setup = Setup::of_a_recording();
    let daemon = setup.start(&[]);
    let socket = setup.socket();
    wait_for_state(&socket, &HEARS);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for round in 0..100 {
        let length = (random() % 6000) as usize;
        let noise: Vec<u8> = (0..length).map(|_| random() as u8).collect();
        throw(&socket, &noise);
        let mut cut = b"{\"command\":\"threshold\",\"label\":\"sad\",\"value\":1e999}\n".to_vec();
        cut.truncate((random() as usize % cut.len()).max(1));
        throw(&socket, &cut);
        if round % 10 == 0 {
            let deep = throw(&socket, &[b"[".repeat(4000), b"\n".to_vec()].concat());
            assert!(deep.contains("malformed"), "{deep}");
        }
    }
    // Connections that say nothing, and one that never reads its answers.
    let idle: Vec<_> = (0..10).map(|_| connect(&socket)).collect();
    let mut deaf = connect(&socket);
    deaf.set_write_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    for _ in 0..20_000 {
        if deaf.write_all(b"{\"command\":\"status\"}\n").is_err() {
            break;
        }
    }
    wait_for_state(&socket, &HEARS);
    drop((idle, deaf));
    daemon.signal("INT");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
}

#[test]
fn who_watches_sees_every_report() {
    let setup = Setup::of_a_recording();
    let daemon = setup.start(&[]);
    let mut stream = connect(&setup.socket());
    stream.write_all(b"{\"command\":\"watch\"}\n").unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    for line in lines.filter(|line| !line.is_empty()) {
        let value: Value = serde_json::from_str(&line).unwrap();
        kinds.insert(value["kind"].as_str().unwrap().to_owned());
        if [
            "start", "update", "end", "level", "info", "status", "health",
        ]
        .iter()
        .all(|kind| kinds.contains(*kind))
        {
            break;
        }
    }
    assert!(kinds.len() >= 7, "{kinds:?}");
    daemon.signal("INT");
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn muting_closes_the_microphone_and_ends_what_is_said() {
    let Some(rig) = Rig::start() else { return };
    let setup = Setup::new(&format!("alsa:{DEVICE}"));
    let mut daemon = setup.start(&rig.env());
    let socket = setup.socket();
    wait_for_state(&socket, &HEARS);
    let recorders = || {
        let mut command = Command::new("pactl");
        command
            .args(["list", "short", "source-outputs"])
            .envs(rig.env());
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).lines().count()
    };
    assert_eq!(recorders(), 1);
    let mut player = rig.begin_to_play(&speech());
    daemon.wait_for_lines("\"start\"", 1);
    let muted = ask(&socket, &json!({"command": "mute"}));
    assert_eq!(muted["outcome"], "muted", "{muted}");
    // The server drops the stream of a client that has closed it a little later.
    let until = Instant::now() + Duration::from_secs(10);
    while recorders() != 0 {
        assert!(Instant::now() < until, "the microphone is open");
        std::thread::sleep(Duration::from_millis(20));
    }
    daemon.wait_for_lines("\"reason\":\"mute\"", 1);
    let status = ask(&socket, &json!({"command": "status"}));
    assert_eq!(status["state"], "muted", "{status}");
    let _ = player.wait();
    // What was said meanwhile was not heard.
    let unmuted = ask(&socket, &json!({"command": "unmute"}));
    assert_eq!(unmuted["outcome"], "unmuted", "{unmuted}");
    assert_eq!(recorders(), 1);
    wait_for_state(&socket, &HEARS);
    daemon.signal("TERM");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let starts = run
        .events()
        .iter()
        .filter(|event| event["kind"] == "start")
        .count();
    assert_eq!(starts, 1, "{:?}", run.events());
}

#[test]
fn a_microphone_that_is_gone_is_never_listened_to() {
    let Some(mut rig) = Rig::start() else { return };
    rig.unplug();
    let setup = Setup::new(&format!("alsa:{DEVICE}"));
    let daemon = setup.start(&rig.env());
    let socket = setup.socket();
    wait_for_state(&socket, &["mic-lost"]);
    rig.plug();
    wait_for_state(&socket, &HEARS);
    rig.unplug();
    // From the loss on, every answer until the microphone is back says so.
    wait_for_state(&socket, &["mic-lost", "stalled"]);
    let until = Instant::now() + Duration::from_secs(2);
    while Instant::now() < until {
        let status = ask(&socket, &json!({"command": "status"}));
        let state = status["state"].as_str().unwrap_or_default();
        assert!(["mic-lost", "stalled"].contains(&state), "{status}");
        std::thread::sleep(Duration::from_millis(20));
    }
    rig.plug();
    wait_for_state(&socket, &HEARS);
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn several_sources_are_heard_each_as_if_it_were_alone() {
    let folder = tempfile::tempdir().unwrap();
    let twice = long_speech(folder.path(), 2);
    let sources = [
        format!("file:{}", speech().display()),
        format!("file:{}", twice.display()),
    ];
    let decisions = |events: &[Value], channel: u64| -> Vec<Value> {
        let of = events.iter().filter(|event| event["channel"] == channel);
        of.map(|event| {
            json!([
                event["kind"],
                event["label"],
                event["scores"],
                event["start_ms"],
                event["at_ms"]
            ])
        })
        .collect()
    };
    let together = run(&["--fast", "--source", &sources[0], "--source", &sources[1]]);
    assert_eq!(together.code, Some(0), "{}", together.talk);
    let events = together.events();
    for (channel, source) in (0..).zip(&sources) {
        let alone = run(&["--fast", "--source", source]).events();
        let alone = decisions(&alone, 0);
        assert!(alone.len() > 4);
        // Numbers follow the order in which sources are named, whichever is opened first.
        assert_eq!(decisions(&events, channel), alone);
    }
    let ids: std::collections::BTreeSet<_> = events
        .iter()
        .filter(|event| event["kind"] == "start")
        .map(|event| event["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.len(), 6);
}

#[test]
fn a_recording_that_fails_does_not_keep_another_from_being_heard_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let wav = undertone_tests::daemon::bytes_of(&speech());
    let cut = folder.path().join("cut.wav");
    std::fs::write(&cut, &wav[..64_000]).unwrap();
    let sources = [
        format!("file:{}", cut.display()),
        format!("file:{}", long_speech(folder.path(), 3).display()),
    ];
    let run = run(&["--fast", "--source", &sources[0], "--source", &sources[1]]);
    assert_eq!(run.code, Some(5), "{}", run.talk);
    assert!(
        run.talk.contains("cut.wav") && run.talk.contains("cut off"),
        "{}",
        run.talk
    );
    let events = run.events();
    let of = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert!(of("start") >= 7, "{events:?}");
    assert_eq!(of("start"), of("end"));
}
