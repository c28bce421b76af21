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

/// The analysis of a shifted recording may differ by as much: a few hops of the voice detector, far less than the half
/// second between two answers of the model.
const SHIFT_MS: f64 = 100.0;
/// How far apart (total variation) the distributions over the same sound may be, when it is cut into other frames.
const APART: f64 = 0.2;
/// Two labels whose scores are so close are a tie.
const TIE: f64 = 0.1;

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

/// The same utterances and decisions, shifted by a constant time.
fn same_events(live: &[Value], file: &[Value]) {
    let shift = ms(&live[0], "start_ms") - ms(&file[0], "start_ms");
    for kind in ["start", "end"] {
        let (live, file) = (of_kind(live, kind), of_kind(file, kind));
        assert_eq!(live.len(), file.len(), "{live:?} instead of {file:?}");
        for (live, file) in live.iter().zip(&file) {
            for field in ["start_ms", "at_ms"] {
                let off = ms(live, field) - ms(file, field) - shift;
                assert!(
                    off.abs() <= SHIFT_MS,
                    "{field} of {live} is off by {off} ms"
                );
            }
            same_decision(live, file);
        }
    }
    // In between, a change of the label may come at the next answer of the model, and so one interval later.
    let updates = |events: &[Value]| of_kind(events, "update").len() as f64;
    assert!(
        (updates(live) - updates(file)).abs() <= 2.0,
        "{live:?} instead of {file:?}"
    );
}

/// Nearly the same distribution, and the same label unless the file's decision was a tie.
fn same_decision(live: &Value, file: &Value) {
    let score = |event: &Value, label: &str| event["scores"][label].as_f64();
    let labels = file["scores"].as_object().unwrap().keys();
    let apart = labels
        .map(|label| (score(live, label).unwrap() - score(file, label).unwrap()).abs())
        .sum::<f64>()
        / 2.0;
    eprintln!(
        "{} {}: the distributions are {apart:.3} apart",
        file["kind"], file["id"]
    );
    assert!(apart <= APART, "{live} is {apart} from {file}");
    if live["label"] != file["label"] {
        // The score of `unknown` is the confidence that was too low.
        let of = |label: &Value| {
            score(file, label.as_str().unwrap()).unwrap_or(file["confidence"].as_f64().unwrap())
        };
        let lead = (of(&file["label"]) - of(&live["label"])).abs();
        assert!(lead <= TIE, "{live} decides otherwise than {file}");
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

/// What becomes of a source whose microphone is unplugged in the middle of a sentence, and plugged in again.
fn survives_unplugging(source: &str) {
    let Some(mut rig) = Rig::start() else { return };
    let mut daemon = Daemon::start(&["--source", source], &rig.env());
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
fn an_unplugged_microphone_ends_the_utterance_and_is_found_again() {
    survives_unplugging(&alsa());
}

#[test]
fn so_does_one_of_the_system_whose_server_dies_without_an_error() {
    survives_unplugging(&format!("cpal:{DEVICE}"));
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
