//! `undertone analyze` and the daemon: two programs, the same decisions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use undertone_tests::{daemon, program, root, speech};

/// The rows about utterances, with the fields that an event of the daemon has too, by its names.
fn analysed(file: &Path, more: &[&str]) -> Vec<Value> {
    let output = Command::new(program::built("undertone"))
        .args(["analyze", "--purpose", "evaluation", "--updates"])
        .args(more)
        .arg(file)
        .output()
        .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{talk}");
    let rows = String::from_utf8(output.stdout).unwrap();
    let rows = rows
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.filter(|row| row.get("scores").is_some())
        .map(|row| {
            let kind = if row["kind"] == "utterance" { "end" } else { row["kind"].as_str().unwrap() };
            json!({
                "kind": kind, "id": row["id"], "channel": row["channel"], "label": row["label"],
                "confidence": row["confidence"], "scores": row["scores"], "start_ms": row["start_ms"],
                "at_ms": row["end_ms"], "reason": row.get("reason"),
            })
        })
        .collect()
}

/// The daemon's events with the same fields.
fn heard(file: &Path, more: &[&str]) -> Vec<Value> {
    let source = format!("file:{}", file.display());
    let run = daemon::run(&[&["--source", &source, "--fast"], more].concat());
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let fields = [
        "kind",
        "id",
        "channel",
        "label",
        "confidence",
        "scores",
        "start_ms",
        "at_ms",
    ];
    run.events()
        .iter()
        .map(|event| {
            let mut kept: serde_json::Map<String, Value> = fields
                .iter()
                .map(|&field| (field.to_owned(), event[field].clone()))
                .collect();
            kept.insert("reason".into(), json!(event.get("reason")));
            kept.into()
        })
        .collect()
}

/// Speech on the left, the same later on the right, at 44.1 kHz as far as the header says.
fn stereo(path: &Path) {
    let mono = daemon::bytes_of(&speech())[44..].to_vec();
    let silence = vec![0; 30_000];
    let (left, right) = (
        [mono.clone(), silence.clone()].concat(),
        [silence, mono].concat(),
    );
    let frames: Vec<u8> = left
        .chunks_exact(2)
        .zip(right.chunks_exact(2))
        .flat_map(|(left, right)| [left, right].concat())
        .collect();
    let rate = 44_100u32;
    let mut wav = Vec::new();
    wav.extend_from_slice(b"RIFF");
    wav.extend_from_slice(&(36 + frames.len() as u32).to_le_bytes());
    wav.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    wav.extend_from_slice(&rate.to_le_bytes());
    wav.extend_from_slice(&(rate * 4).to_le_bytes());
    wav.extend_from_slice(b"\x04\0\x10\0data");
    wav.extend_from_slice(&(frames.len() as u32).to_le_bytes());
    wav.extend_from_slice(&frames);
    std::fs::write(path, wav).unwrap();
}

#[test]
fn a_recording_gives_the_same_decisions_in_both() {
    for file in [speech(), root().join("models/demo/speech.wav")] {
        let events = heard(&file, &[]);
        assert!(events.len() > 4);
        assert_eq!(analysed(&file, &[]), events);
    }
}

#[test]
fn channels_of_another_rate_give_the_same_decisions_in_both() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("call.wav");
    stereo(&file);
    for channels in ["each", "mix"] {
        let words = ["--channels", channels];
        let by_channel = |mut events: Vec<Value>| {
            events.sort_by_key(|event| event["channel"].as_u64());
            events
        };
        let events = by_channel(heard(&file, &words));
        assert!(events.len() > 1, "{channels}");
        assert_eq!(by_channel(analysed(&file, &words)), events, "{channels}");
    }
}
