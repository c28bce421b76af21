//! What is wrong is told clearly, with the right exit code, and never by a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

use undertone_tests::daemon::{Daemon, bytes_of, run, run_fed};
use undertone_tests::{root, speech};

#[track_caller]
fn refused(args: &[&str], code: i32, parts: &[&str]) {
    let run = Daemon::start_bare(args).finish();
    assert_eq!(run.code, Some(code), "{args:?}: {}", run.talk);
    assert!(run.lines.is_empty(), "{args:?}: {:?}", run.lines);
    for part in parts {
        assert!(
            run.talk.contains(part),
            "{args:?}: {part:?} is not in: {}",
            run.talk
        );
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn without_a_lawful_purpose_nothing_starts() {
    let source = format!("file:{}", speech().display());
    refused(
        &["--source", &source],
        3,
        &["no purpose", "--purpose evaluation"],
    );
    refused(
        &["--source", &source, "--purpose", "call quality"],
        3,
        &["call quality", "--subjects"],
    );
    for subjects in ["employees", "students"] {
        let args = [
            "--source",
            &source,
            "--purpose",
            "evaluation",
            "--subjects",
            subjects,
        ];
        refused(&args, 3, &["2024/1689", "medical or safety"]);
        let consent = [&args[..], &["--legal-basis", "consent"]].concat();
        refused(&consent, 3, &["2024/1689"]);
        let safety = [&args[..], &["--legal-basis", "safety", "--fast"]].concat();
        assert_eq!(Daemon::start_bare(&safety).finish().code, Some(0));
    }
}

#[test]
fn a_source_that_cannot_be_named_is_a_matter_of_usage() {
    refused(
        &["--purpose", "evaluation", "--source", "microphone"],
        2,
        &["microphone", "alsa:NAME"],
    );
    refused(
        &[
            "--purpose",
            "evaluation",
            "--source",
            "stdin",
            "--format",
            "xml",
        ],
        2,
        &["xml"],
    );
    refused(&["--nonsense"], 2, &["--nonsense"]);
}

#[test]
fn audio_that_cannot_be_read_is_told_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let wav = bytes_of(&speech());
    let mut no_rate = wav.clone();
    no_rate[24..28].fill(0);
    let cases = [
        folder.path().join("missing.wav").display().to_string(),
        folder.path().display().to_string(),
        write(folder.path(), "empty.wav", &[]),
        write(
            folder.path(),
            "text.wav",
            b"this is no audio at all, whatever its name says\n",
        ),
        write(folder.path(), "header.wav", &wav[..20]),
        write(folder.path(), "norate.wav", &no_rate),
        write(
            folder.path(),
            "noise.mp3",
            &(0..20_000u32)
                .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect::<Vec<_>>(),
        ),
    ];
    for path in &cases {
        let source = format!("file:{path}");
        refused(
            &["--purpose", "evaluation", "--fast", "--source", &source],
            5,
            &[path, "error"],
        );
    }
}

#[test]
fn a_file_that_is_cut_off_is_heard_up_to_there_and_then_told() {
    let folder = tempfile::tempdir().unwrap();
    let wav = bytes_of(&speech());
    let path = write(folder.path(), "cut.wav", &wav[..64_000]);
    let run = run(&["--fast", "--source", &format!("file:{path}")]);
    assert_eq!(run.code, Some(5), "{}", run.talk);
    assert!(
        run.talk.contains("cut.wav") && run.talk.contains("cut off"),
        "{}",
        run.talk
    );
    let events = run.events();
    assert_eq!(
        events.last().expect("the sentence was heard")["reason"],
        "shutdown"
    );
}

#[test]
fn standard_input_without_audio_is_told() {
    let empty = run_fed(&["--source", "stdin"], vec![]);
    assert_eq!(empty.code, Some(5));
    assert!(
        empty.talk.contains("standard input is empty"),
        "{}",
        empty.talk
    );
    let broken = run_fed(
        &["--source", "stdin"],
        b"RIFF\0\0\0\0WAVEfmt nonsense".to_vec(),
    );
    assert_eq!(broken.code, Some(5), "{}", broken.talk);
}

#[test]
fn a_damaged_or_hostile_model_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let shipped = bytes_of(&root().join("models/undertone-research.onnx"));
    let length = shipped.len();
    let source = format!("file:{}", speech().display());
    let check = |path: &str| {
        refused(
            &[
                "--purpose",
                "evaluation",
                "--fast",
                "--source",
                &source,
                "--model",
                path,
            ],
            4,
            &[path],
        )
    };

    check(&folder.path().join("missing.onnx").display().to_string());
    check(&folder.path().display().to_string());
    for (number, kept) in [
        0,
        1,
        7,
        100,
        length / 3,
        length / 2,
        length - 100,
        length - 1,
    ]
    .into_iter()
    .enumerate()
    {
        check(&write(
            folder.path(),
            &format!("cut{number}.onnx"),
            &shipped[..kept],
        ));
    }
    for number in 0..24 {
        let mut damaged = shipped.clone();
        damaged[number * (length - 1) / 23] ^= 1 << (number % 8);
        check(&write(
            folder.path(),
            &format!("flip{number}.onnx"),
            &damaged,
        ));
    }
    // A field that claims to be almost 16 EiB long.
    let claim = [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    check(&write(folder.path(), "claim.onnx", &claim));
    check(&write(folder.path(), "zeros.onnx", &[0; 100_000]));
    let huge = folder.path().join("huge.onnx");
    fs::File::create(&huge).unwrap().set_len(10 << 30).unwrap();
    check(&huge.display().to_string());
}

#[test]
fn a_missing_device_is_told_with_those_that_exist() {
    for source in [
        "alsa:no_such_device",
        "alsa:hw:CARD=Nowhere",
        "cpal:no such device",
    ] {
        let name = source.split_once(':').unwrap().1;
        refused(
            &["--purpose", "evaluation", "--source", source],
            5,
            &["no capture device", name, "exist"],
        );
    }
}

#[test]
fn a_device_name_that_no_system_has_is_refused_and_never_aborts() {
    let start = ["--purpose", "evaluation", "--source"];
    let long = format!("alsa:{}", "x".repeat(9000));
    refused(&[&start[..], &[&long]].concat(), 2, &["9000 bytes"]);
    for name in [
        "x".repeat(150),
        format!("hw:{}", "9".repeat(147)),
        "hw:99".into(),
    ] {
        let source = format!("alsa:{name}");
        refused(&[&start[..], &[&source]].concat(), 5, &[&name, "exist"]);
    }
}

#[test]
fn a_configuration_without_end_is_refused_in_little_memory() {
    let args = ["--purpose", "evaluation", "--config", "/dev/zero"];
    refused(&args, 3, &["/dev/zero", "64 KiB"]);
}

#[test]
fn a_recording_without_speech_says_that_it_was_heard() {
    let folder = tempfile::tempdir().unwrap();
    let header = &bytes_of(&speech())[..44];
    let mut wav = header.to_vec();
    wav[40..44].copy_from_slice(&64_000u32.to_le_bytes());
    wav[4..8].copy_from_slice(&64_036u32.to_le_bytes());
    wav.resize(44 + 64_000, 0);
    let path = write(folder.path(), "silence.wav", &wav);
    let run = run(&["--fast", "--source", &format!("file:{path}")]);
    assert_eq!((run.code, run.lines.len()), (Some(0), 0), "{}", run.talk);
    assert!(
        run.talk.contains("2.0 s of audio heard, 0 utterance(s)"),
        "{}",
        run.talk
    );
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_file_field_and_range() {
    let folder = tempfile::tempdir().unwrap();
    let base = "[deployment]\npurpose = \"evaluation\"\n[source]\nname = \"stdin\"\n";
    let cases = [
        ("[source", "TOML"),
        ("[source]\nnmae = \"stdin\"", "nmae"),
        ("[source]\nname = \"telephone\"", "telephone"),
        (
            "[segments]\nonset_threshold = 7.0",
            "segments.onset_threshold is 7",
        ),
        ("[segments]\nhangover_ms = -1", "hangover_ms"),
        ("[thresholds]\nsad = 1.5", "thresholds.sad is 1.5"),
        (
            "[thresholds]\nbored = 0.5",
            "thresholds.bored is 0.5: the model has no such label; it has neutral",
        ),
        (
            "[events]\nchallenge_updates = 0",
            "events.challenge_updates is 0",
        ),
        (
            "[output]\nlevel_interval_ms = 1",
            "output.level_interval_ms is 1",
        ),
    ];
    for (number, (text, part)) in cases.into_iter().enumerate() {
        let text = if text.starts_with("[source]") || text == "[source" {
            text.to_owned()
        } else {
            format!("{base}{text}")
        };
        let path = write(folder.path(), &format!("{number}.toml"), text.as_bytes());
        refused(&["--config", &path, "--purpose", "evaluation"], 3, &[part]);
    }
    let missing = folder.path().join("missing.toml").display().to_string();
    refused(&["--config", &missing], 3, &[&missing]);
}
