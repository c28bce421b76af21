//! A live capture: what the microphone hears gives the events of the file, and losing the microphone is survived.
//!
//! The microphone is a private PulseAudio server that ALSA captures at real-time pace (see `undertone_tests::pulse`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use undertone_tests::daemon::{Daemon, Run, run};
use undertone_tests::pulse::{DEVICE, Rig};
use undertone_tests::speech;

/// One hop: the model answers every half second of speech.
const HOP_MS: f64 = 500.0;
/// The analysis of a shifted recording may differ by as much: a hop of the voice detector, rounded up.
const SHIFT_MS: f64 = 100.0;

fn alsa() -> String {
    format!("alsa:{DEVICE}")
}

/// Plays the clip to a daemon with these arguments until two utterances have ended.
fn hear(rig: &Rig, args: &[&str]) -> Run {
    let mut daemon = Daemon::start(args, &rig.env());
    daemon.wait_for_talk("listening");
    // The first samples come a second or so after opening.
    std::thread::sleep(Duration::from_millis(1500));
    rig.play(&speech());
    daemon.wait_for_lines("\"end\"", 2);
    daemon.signal("INT");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    run
}

fn ms(event: &Value, field: &str) -> f64 {
    event[field].as_f64().unwrap()
}

fn of_kind(events: &[Value], kind: &str) -> Vec<Value> {
    events
        .iter()
        .filter(|event| event["kind"] == kind)
        .cloned()
        .collect()
}

/// The same utterances with the same labels, shifted by a constant time.
fn same_events(live: &[Value], file: &[Value]) {
    let shape = |events: &[Value]| -> Vec<(Value, Value)> {
        let ends_and_starts = events.iter().filter(|event| event["kind"] != "update");
        ends_and_starts
            .map(|event| (event["kind"].clone(), event["label"].clone()))
            .collect()
    };
    assert_eq!(shape(live), shape(file));
    let shift = ms(&live[0], "start_ms") - ms(&file[0], "start_ms");
    for (kind, field) in [("start", "start_ms"), ("start", "at_ms"), ("end", "at_ms")] {
        for (live, file) in of_kind(live, kind).iter().zip(of_kind(file, kind)) {
            let off = ms(live, field) - ms(&file, field) - shift;
            assert!(
                off.abs() <= SHIFT_MS,
                "{field} of {live} is off by {off} ms"
            );
        }
    }
    // A change of the label within an utterance comes at the same answer of the model, or at the next one.
    let changes = |events: &[Value]| -> Vec<(Value, f64)> {
        let mut label = Value::Null;
        let mut changes = Vec::new();
        for event in events {
            if event["label"] != label {
                label = event["label"].clone();
                changes.push((label.clone(), ms(event, "at_ms")));
            }
        }
        changes
    };
    let (live, file) = (changes(live), changes(file));
    assert_eq!(live.len(), file.len(), "{live:?} {file:?}");
    for (live, file) in live.iter().zip(&file) {
        assert_eq!(live.0, file.0);
        assert!(
            (live.1 - file.1 - shift).abs() <= HOP_MS + SHIFT_MS,
            "{live:?} {file:?}"
        );
    }
}

fn of_file() -> Vec<Value> {
    let file = run(&[
        "--fast",
        "--source",
        &format!("file:{}", speech().display()),
    ]);
    assert_eq!(of_kind(&file.events(), "end").len(), 2);
    file.events()
}

#[test]
fn a_real_time_capture_gives_the_events_of_the_file_within_one_hop() {
    let Some(rig) = Rig::start() else { return };
    let live = hear(&rig, &["--source", &alsa()]);
    let events = live.events();
    same_events(&events, &of_file());
    assert!(events.iter().all(|event| {
        event["wall_ms"]
            .as_u64()
            .is_some_and(|ms| ms > 1_600_000_000_000)
    }));
    assert!(!live.talk.contains("gap"), "{}", live.talk);
}

#[test]
fn a_device_of_another_rate_and_two_channels_gives_the_same_events() {
    let Some(rig) = Rig::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config: PathBuf = folder.path().join("device.toml");
    std::fs::write(
        &config,
        "[source]\ndevice_rate = 48000\ndevice_channels = 2\n",
    )
    .unwrap();
    let live = hear(
        &rig,
        &["--source", &alsa(), "--config", config.to_str().unwrap()],
    );
    assert!(
        live.talk.contains("48000 Hz, 2 channel(s)"),
        "{}",
        live.talk
    );
    same_events(&live.events(), &of_file());
}

#[test]
fn the_default_input_of_the_system_gives_the_same_events() {
    let Some(rig) = Rig::start() else { return };
    same_events(
        &hear(&rig, &["--source", &format!("cpal:{DEVICE}")]).events(),
        &of_file(),
    );
}

#[test]
fn an_unplugged_microphone_ends_the_utterance_and_is_found_again() {
    let Some(mut rig) = Rig::start() else { return };
    let mut daemon = Daemon::start(&["--source", &alsa()], &rig.env());
    daemon.wait_for_talk("listening");
    std::thread::sleep(Duration::from_millis(1500));
    let mut player = rig.begin_to_play(&speech());
    daemon.wait_for_lines("\"start\"", 1);
    rig.unplug();
    player.wait().unwrap();
    daemon.wait_for_talk("is gone");
    daemon.wait_for_lines("device_lost", 1);
    rig.plug();
    daemon.wait_for_talk("is back");
    std::thread::sleep(Duration::from_millis(1500));
    rig.play(&speech());
    daemon.wait_for_lines("\"silence\"", 2);
    daemon.signal("TERM");
    let run = daemon.wait();
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let reasons: Vec<Value> = of_kind(&run.events(), "end")
        .into_iter()
        .map(|event| event["reason"].clone())
        .collect();
    assert_eq!(reasons, ["device_lost", "silence", "silence"]);
}

#[test]
fn a_microphone_whose_server_is_not_there_is_missing() {
    let Some(mut rig) = Rig::start() else { return };
    rig.unplug();
    let run = Daemon::start(&["--source", &alsa()], &rig.env()).finish();
    assert_eq!(run.code, Some(5), "{}", run.talk);
    assert!(
        run.talk.contains(DEVICE) && run.talk.contains("refused"),
        "{}",
        run.talk
    );
    assert!(!run.talk.contains("ALSA lib"), "{}", run.talk);
}
