//! `undertone analyze` as a scheduler, a script or a data analyst meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use serde_json::Value;
use tempfile::TempDir;
use undertone_page::browser::open;

const SPEECH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/assets/speech.wav");

struct Answer {
    code: Option<i32>,
    rows: Vec<Value>,
    talk: String,
}

impl Answer {
    fn of(&self, kind: &str) -> Vec<&Value> {
        self.rows.iter().filter(|row| row["kind"] == kind).collect()
    }

    fn files(&self, kind: &str) -> BTreeSet<String> {
        let file = |row: &&Value| row["file"].as_str().unwrap().to_owned();
        self.of(kind).iter().map(file).collect()
    }
}

fn rows(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

fn bare(folder: &Path, words: &[&str]) -> Answer {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_undertone"))
        .current_dir(folder)
        .arg("analyze")
        .args(words)
        .output()
        .unwrap();
    Answer {
        code: status.code(),
        rows: rows(&String::from_utf8(stdout).unwrap()),
        talk: String::from_utf8(stderr).unwrap(),
    }
}

fn analyze(folder: &Path, words: &[&str]) -> Answer {
    bare(folder, &[words, &["--purpose", "evaluation"]].concat())
}

fn samples() -> Vec<i16> {
    let mut reader = hound::WavReader::open(SPEECH).unwrap();
    reader.samples().map(Result::unwrap).collect()
}

/// A 16 kHz recording with these channels.
fn record(path: &Path, channels: &[&[i16]]) {
    let spec = hound::WavSpec {
        channels: channels.len() as u16,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for at in 0..channels[0].len() {
        for channel in channels {
            writer.write_sample(channel[at]).unwrap();
        }
    }
    writer.finalize().unwrap();
}

/// `calls/`: two good recordings, one deeper down, a text file, and a recording that is none.
fn calls() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("calls/deep")).unwrap();
    let place = |name: &str| folder.path().join("calls").join(name);
    fs::copy(SPEECH, place("a.wav")).unwrap();
    record(&place("deep/b.wav"), &[&samples()[..60_000]]);
    fs::write(place("notes.txt"), "no sound").unwrap();
    fs::write(place("broken.wav"), "no sound either").unwrap();
    folder
}

#[test]
fn a_bad_recording_is_told_with_its_reason_and_stops_nothing() {
    let folder = calls();
    let answer = analyze(folder.path(), &["calls", "nowhere.wav"]);
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.rows[0]["kind"], "run");
    let good = BTreeSet::from(["calls/a.wav".to_owned(), "calls/deep/b.wav".to_owned()]);
    assert_eq!(answer.files("file"), good);
    assert_eq!(answer.files("utterance"), good);
    let bad = BTreeSet::from(["calls/broken.wav".to_owned(), "nowhere.wav".to_owned()]);
    assert_eq!(answer.files("error"), bad);
    for row in answer.of("error") {
        assert!(
            row["reason"]
                .as_str()
                .unwrap()
                .contains(row["file"].as_str().unwrap()),
            "{row}"
        );
    }
    assert!(answer.talk.contains("2 of 4 recordings"), "{}", answer.talk);
}

#[test]
fn what_was_heard_of_a_damaged_recording_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.wav");
    let bytes = fs::read(SPEECH).unwrap();
    fs::write(&cut, &bytes[..bytes.len() * 2 / 3]).unwrap();
    let answer = analyze(folder.path(), &["cut.wav"]);
    assert_eq!((answer.code, answer.of("utterance").len()), (Some(1), 2));
    let error = &answer.of("error")[0];
    assert!(error["seconds"].as_f64().unwrap() > 4.0, "{error}");
    assert_eq!(error["utterances"], 2);
}

#[test]
fn without_a_purpose_or_with_a_prohibited_one_nothing_is_heard() {
    let folder = calls();
    for words in [
        &["calls"][..],
        &["calls", "--purpose", "appraisal", "--subjects", "employees"],
        &[
            "calls",
            "--purpose",
            "quality",
            "--subjects",
            "customers",
            "--roles",
            "customer,agent",
        ],
    ] {
        let answer = bare(folder.path(), words);
        assert_eq!((answer.code, answer.rows.len()), (Some(1), 0), "{words:?}");
    }
}

#[test]
fn a_channel_that_is_left_out_has_no_part_in_anything() {
    let folder = tempfile::tempdir().unwrap();
    let speech = samples();
    let loud: Vec<i16> = speech
        .iter()
        .rev()
        .map(|sample| sample.saturating_mul(3))
        .collect();
    record(&folder.path().join("call.wav"), &[&loud, &speech]);
    record(&folder.path().join("alone.wav"), &[&speech]);
    let stereo = analyze(
        folder.path(),
        &["call.wav", "--roles", "-,caller", "--updates"],
    );
    let mono = analyze(folder.path(), &["alone.wav", "--updates"]);
    let comparable = |answer: &Answer| -> Vec<Value> {
        let mut rows = answer.rows[1..].to_vec();
        for row in &mut rows {
            row.as_object_mut().unwrap().retain(|field, _| {
                !["file", "channel", "role", "channels"].contains(&field.as_str())
            });
        }
        rows
    };
    assert!(!stereo.of("update").is_empty() && !stereo.of("utterance").is_empty());
    assert_eq!(comparable(&stereo), comparable(&mono));
    for row in [
        stereo.of("start"),
        stereo.of("update"),
        stereo.of("utterance"),
    ]
    .concat()
    {
        assert_eq!(
            (&row["channel"], &row["role"]),
            (&1.into(), &"caller".into())
        );
    }
    let wrong = analyze(folder.path(), &["alone.wav", "--roles", "-,caller"]);
    assert_eq!(
        (wrong.code, wrong.of("error").len()),
        (Some(1), 1),
        "{}",
        wrong.talk
    );
}

#[test]
fn parts_together_hold_every_recording_once() {
    let folder = calls();
    for number in 0..6 {
        fs::copy(SPEECH, folder.path().join(format!("calls/{number}.wav"))).unwrap();
    }
    let mut all = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        all.extend(analyze(folder.path(), &["calls", "--shard", part]).files("file"));
    }
    let once: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!((all.len(), once.len()), (8, 8));
}

#[test]
fn resuming_does_again_only_what_is_not_complete() {
    let folder = calls();
    let out = folder.path().join("out.jsonl");
    let words = ["calls", "--output", "out.jsonl", "--jobs", "2"];
    let resume = [&words[..], &["--resume"]].concat();
    assert_eq!(analyze(folder.path(), &words).code, Some(1));
    let sorted = || -> BTreeSet<String> {
        fs::read_to_string(&out)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let whole = sorted();

    // Stopped in the middle of a row of the last recording.
    let text = fs::read_to_string(&out).unwrap();
    let position = text
        .find(r#"{"kind":"file","file":"calls/deep/b.wav""#)
        .unwrap();
    fs::write(&out, &text[..position + 20]).unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o640)).unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "mine").unwrap();
    symlink(&other, folder.path().join("out.jsonl.resuming")).unwrap();
    let again = analyze(folder.path(), &words);
    assert!(again.talk.contains("--resume"), "{}", again.talk);
    let answer = analyze(folder.path(), &resume);
    assert!(answer.talk.contains("torn"), "{}", answer.talk);
    // Who may read the rows is as it was, and a link that lay beside them was not followed.
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(fs::read_to_string(&other).unwrap(), "mine");
    assert_eq!(sorted(), whole);

    // The broken recording was copied again, whole.
    fs::copy(SPEECH, folder.path().join("calls/broken.wav")).unwrap();
    let answer = analyze(folder.path(), &resume);
    assert_eq!(answer.code, Some(0), "{}", answer.talk);
    assert!(answer.talk.contains("2 were complete"), "{}", answer.talk);
    let found = rows(&fs::read_to_string(&out).unwrap());
    let count = |kind: &str| found.iter().filter(|row| row["kind"] == kind).count();
    assert_eq!((count("run"), count("file"), count("error")), (1, 3, 0));

    let answer = analyze(folder.path(), &[&resume[..], &["--updates"]].concat());
    assert_eq!(answer.code, Some(1));
    assert!(answer.talk.contains("--updates"), "{}", answer.talk);
}

#[test]
fn resuming_leaves_a_file_that_is_no_output_of_it_as_it_is() {
    let folder = calls();
    let notes = folder.path().join("calls/notes.txt");
    let answer = analyze(
        folder.path(),
        &["calls", "--resume", "--output", "calls/notes.txt"],
    );
    assert_eq!(answer.code, Some(1));
    assert!(answer.talk.contains("calls/notes.txt"), "{}", answer.talk);
    assert_eq!(fs::read_to_string(notes).unwrap(), "no sound");
}

fn parquet_rows(path: &PathBuf) -> Vec<Vec<(String, Field)>> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let rows = reader.get_row_iter(None).unwrap();
    rows.map(|row| {
        row.unwrap()
            .get_column_iter()
            .map(|(name, field)| (name.clone(), field.clone()))
            .collect()
    })
    .collect()
}

#[test]
fn parquet_holds_the_utterances_of_the_json_lines() {
    let folder = calls();
    let words = [
        "calls",
        "--format",
        "parquet",
        "--output",
        "out.parquet",
        "--updates",
    ];
    assert_eq!(analyze(folder.path(), &words).code, Some(1));
    let journal = rows(&fs::read_to_string(folder.path().join("out.parquet.jsonl")).unwrap());
    let expected: Vec<&Value> = journal
        .iter()
        .filter(|row| row.get("scores").is_some())
        .collect();
    let path = folder.path().join("out.parquet");
    let found = parquet_rows(&path);
    assert!(found.len() > 4);
    assert_eq!(found.len(), expected.len());
    for (row, expected) in found.iter().zip(&expected) {
        for (name, field) in row {
            let wanted = match name.strip_prefix("score_") {
                Some(label) => &expected["scores"][label],
                None => &expected[name.as_str()],
            };
            let found = match field {
                Field::Str(text) => Value::from(text.as_str()),
                Field::Long(number) => Value::from(*number),
                Field::Double(number) => Value::from(*number),
                Field::Null => Value::Null,
                other => panic!("{name} is {other:?}"),
            };
            assert_eq!(&found, wanted, "{name}");
        }
        assert_eq!(
            row.len(),
            10 + expected["scores"].as_object().unwrap().len()
        );
    }

    let answer = analyze(folder.path(), &[&words[..], &["--resume"]].concat());
    assert!(answer.talk.contains("2 were complete"), "{}", answer.talk);
    assert_eq!(parquet_rows(&path).len(), found.len());
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let folder = calls();
    let mut child = Command::new(env!("CARGO_BIN_EXE_undertone"))
        .current_dir(folder.path())
        .args(["analyze", "calls/a.wav", "--purpose", "evaluation"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_page_shows_both_sides_of_a_call_what_was_heard_and_nothing_of_a_side_that_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let speech = samples();
    let quiet = vec![0; speech.len()];
    let name = "<img src=x onerror=alert(1)>.wav";
    record(&folder.path().join(name), &[&speech, &quiet]);
    let report = |words: &[&str]| {
        let answer = analyze(
            folder.path(),
            &[&[name, "--report", "call.html"], words].concat(),
        );
        assert_eq!(
            (answer.code, answer.rows.len()),
            (Some(0), 0),
            "{}",
            answer.talk
        );
        fs::read_to_string(folder.path().join("call.html")).unwrap()
    };
    let html = report(&["--roles", "customer,-"]);
    assert!(html.contains("Channel 0, customer") && !html.contains("Channel 1"));

    let html = report(&["--channels", "each"]);
    assert!(
        html.contains("Channel 1: <strong>no speech was found"),
        "{html}"
    );
    assert!(!html.contains("<audio"));
    let rows = analyze(folder.path(), &[name, "--channels", "each"]);
    assert!(!rows.of("utterance").is_empty());
    for row in rows.of("utterance") {
        let clock = |field: &str| {
            let tenths = (row[field].as_f64().unwrap() / 100.0).round() as u64;
            format!("{}:{:02}.{}", tenths / 600, tenths / 10 % 60, tenths % 10)
        };
        let told = format!(
            "utterance {}, {} to {}: as a whole {}, {:.0} %",
            row["id"],
            clock("start_ms"),
            clock("end_ms"),
            row["label"].as_str().unwrap(),
            100.0 * row["confidence"].as_f64().unwrap()
        );
        assert_eq!(html.matches(&told).count(), 1, "{told}\n{html}");
    }
    let Some(opened) = open(&folder.path().join("call.html")) else {
        return;
    };
    assert!(opened.console.is_empty(), "{:#?}", opened.console);
    assert!(!opened.dom.contains("<img"));
    // A timeline of each side, and how much of the speech had which label of the one that spoke.
    assert_eq!(opened.figures(), 3);
    let table = opened.dom.split("<tbody").last().unwrap();
    assert_eq!(table.matches("<tr").count(), rows.of("utterance").len());
}

#[test]
fn a_page_is_about_one_recording_that_is_one_and_keeps_what_was_heard_of_a_damaged_one() {
    let folder = calls();
    for (words, reason) in [
        (["calls", "--report", "page.html"], "name one file"),
        (["calls/broken.wav", "--report", "page.html"], "broken.wav"),
        (["calls/a.wav", "--report", "no/page.html"], "no/page.html"),
    ] {
        let answer = analyze(folder.path(), &words);
        assert_eq!(answer.code, Some(1));
        assert!(answer.talk.contains(reason), "{}", answer.talk);
        assert!(!folder.path().join("page.html").exists());
    }
    let bytes = fs::read(SPEECH).unwrap();
    fs::write(folder.path().join("cut.wav"), &bytes[..bytes.len() * 2 / 3]).unwrap();
    let answer = analyze(folder.path(), &["cut.wav", "--report", "page.html"]);
    assert_eq!(answer.code, Some(1));
    let html = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(html.contains("It was heard only in part"));
}
