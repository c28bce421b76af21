//! A file, or a pipe, through the whole daemon.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use undertone_tests::daemon::{Daemon, Run, bytes_of, run, run_fed};
use undertone_tests::speech;

fn source() -> String {
    format!("file:{}", speech().display())
}

/// The events without what differs from run to run.
fn comparable(run: &Run) -> Vec<Value> {
    let mut events = run.events();
    for event in &mut events {
        event.as_object_mut().unwrap().remove("boot_id");
    }
    events
}

fn near(value: &Value, expected: f64) -> bool {
    (value.as_f64().unwrap() - expected).abs() < 200.0
}

#[test]
fn two_sentences_give_two_utterances_with_everything_an_event_must_have() {
    let run = run(&["--source", &source(), "--fast"]);
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let events = run.events();
    let (mut open, mut ended, mut last_at) = (None, Vec::new(), 0);
    for (event, seq) in events.iter().zip(1u64..) {
        assert_eq!(event["seq"], seq);
        assert_eq!(event["channel"], 0);
        assert_eq!(event["boot_id"].as_str().unwrap().len(), 16);
        assert!(event.get("wall_ms").is_none(), "a recording is not of now");
        let scores = event["scores"].as_object().unwrap();
        assert!(
            (scores
                .values()
                .map(|score| score.as_f64().unwrap())
                .sum::<f64>()
                - 1.0)
                .abs()
                < 1e-3
        );
        let label = event["label"].as_str().unwrap();
        assert!(
            label == "unknown" || scores[label] == event["confidence"],
            "{event}"
        );
        let at = event["at_ms"].as_u64().unwrap();
        assert!(at >= last_at && at > event["start_ms"].as_u64().unwrap());
        last_at = at;
        match event["kind"].as_str().unwrap() {
            "start" => assert_eq!(open.replace(event["id"].clone()), None),
            "update" => assert_eq!(open.as_ref(), Some(&event["id"])),
            "end" => {
                assert_eq!(open.take().as_ref(), Some(&event["id"]));
                assert_eq!(event["reason"], "silence");
                ended.push(event);
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(open, None);
    assert_eq!(ended.len(), 2);
    for (end, (start_ms, at_ms)) in ended.iter().zip([(300.0, 2600.0), (3400.0, 6100.0)]) {
        assert!(
            near(&end["start_ms"], start_ms) && near(&end["at_ms"], at_ms),
            "{end}"
        );
    }
}

#[test]
fn real_time_pace_gives_exactly_the_events_of_fast() {
    let fast = run(&["--source", &source(), "--fast"]);
    let began = std::time::Instant::now();
    let paced = run(&["--source", &source()]);
    assert!(began.elapsed().as_secs_f64() > 7.0);
    assert!(!fast.events().is_empty());
    assert_eq!(comparable(&fast), comparable(&paced));
}

#[test]
fn standard_input_gives_the_events_of_the_file_with_and_without_a_header() {
    let file = comparable(&run(&["--source", &source(), "--fast"]));
    let wav = bytes_of(&speech());
    assert_eq!(
        comparable(&run_fed(&["--source", "stdin"], wav.clone())),
        file
    );
    let raw = wav[44..].to_vec();
    assert_eq!(
        comparable(&run_fed(&["--source", "stdin"], raw.clone())),
        file
    );
    let stereo: Vec<u8> = raw
        .chunks(2)
        .flat_map(|sample| [sample, sample].concat())
        .collect();
    let args = [
        "--source",
        "stdin",
        "--stdin-channels",
        "2",
        "--stdin-rate",
        "16000",
    ];
    assert_eq!(comparable(&run_fed(&args, stereo)), file);
}

#[test]
fn each_channel_by_itself_has_its_own_utterances_and_ids() {
    let raw: Vec<u8> = bytes_of(&speech())[44..]
        .chunks(2)
        .flat_map(|sample| [sample, sample].concat())
        .collect();
    let run = run_fed(
        &[
            "--source",
            "stdin",
            "--stdin-channels",
            "2",
            "--channels",
            "each",
        ],
        raw,
    );
    let of = |channel| -> Vec<Value> {
        let mut events = comparable(&run);
        events.retain(|event| event["channel"] == channel);
        for event in &mut events {
            let event = event.as_object_mut().unwrap();
            event.retain(|field, _| !["channel", "id", "seq"].contains(&field.as_str()));
        }
        events
    };
    assert!(!of(0).is_empty());
    assert_eq!(of(0), of(1));
    let ids: std::collections::BTreeSet<_> = run
        .events()
        .iter()
        .map(|event| event["id"].as_u64().unwrap())
        .collect();
    assert_eq!(ids.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn levels_are_told_where_asked_for_and_silence_is_at_the_floor() {
    let run = run(&["--source", &source(), "--fast", "--with-levels"]);
    let levels: Vec<Value> = run
        .json()
        .into_iter()
        .filter(|line| line["kind"] == "level")
        .collect();
    assert_eq!(levels.len(), 14);
    assert_eq!(
        (&levels[0]["rms_dbfs"], &levels[0]["signal"]),
        (&Value::from(-120.0), &Value::from("none"))
    );
    assert_eq!(levels[2]["signal"], "ok");
    assert!(
        levels
            .iter()
            .all(|level| level["rms_dbfs"].as_f64().unwrap() >= -120.0)
    );
}

#[test]
fn a_signal_in_mid_speech_gives_the_open_event_its_end() {
    for signal in ["INT", "TERM"] {
        let mut daemon = Daemon::start(&["--source", &source()], &[]);
        daemon.wait_for_lines("\"start\"", 1);
        daemon.signal(signal);
        let run = daemon.wait();
        assert_eq!(run.code, Some(0), "{}", run.talk);
        let last = run.events().pop().unwrap();
        assert_eq!(
            (&last["kind"], &last["reason"]),
            (&Value::from("end"), &Value::from("shutdown"))
        );
    }
}

#[test]
fn a_signal_while_standard_input_is_silent_ends_the_daemon() {
    let mut daemon = Daemon::start(&["--source", "stdin"], &[]);
    daemon.feed(&[0; 4000]);
    daemon.wait_for_talk("listening");
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code, Some(0));
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let command = format!(
        "{} --purpose evaluation --fast --source '{}' | head -n 1",
        undertone_tests::daemon::program().display(),
        source()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &command])
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !talk.contains("error") && !talk.contains("panicked"),
        "{talk}"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
}

#[test]
fn a_configuration_file_does_what_the_command_line_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("undertoned.toml");
    let text = format!(
        "[deployment]\npurpose = \"call quality\"\nsubjects = \"customers\"\n[source]\nname = {:?}\nfast = true\n",
        source()
    );
    std::fs::write(&path, text).unwrap();
    let run_file = Daemon::start_bare(&["--config".as_ref(), path.as_os_str()]).finish();
    assert_eq!(
        comparable(&run_file),
        comparable(&run(&["--source", &source(), "--fast"]))
    );
    let checked =
        Daemon::start_bare(&["--config".as_ref(), path.as_os_str(), "--check".as_ref()]).finish();
    assert_eq!(
        (checked.code, checked.lines.len()),
        (Some(0), 0),
        "{}",
        checked.talk
    );
}

#[test]
fn the_first_lines_of_talk_say_which_model_runs() {
    let run = run(&["--source", &source(), "--fast"]);
    for part in [
        "model embedded",
        "hash ",
        "licence class",
        "labels: ",
        "listening to",
    ] {
        assert!(run.talk.contains(part), "{part} is not in {}", run.talk);
    }
}

#[test]
fn the_open_model_is_run_in_place_of_the_embedded_one_and_tells_its_six_labels() {
    let model = undertone_tests::root().join("models/undertone-open.onnx");
    let model = model.to_str().unwrap();
    let run = run(&["--source", &source(), "--fast", "--model", model]);
    assert_eq!(run.code, Some(0), "{}", run.talk);
    assert!(run.talk.contains("licence class open"), "{}", run.talk);
    let events = run.events();
    assert!(events.iter().any(|event| event["kind"] == "end"));
    for event in events {
        let scores = event["scores"].as_object().unwrap();
        assert_eq!(scores.len(), 6, "{event}");
        assert!(!scores.contains_key("surprise"));
    }
}
