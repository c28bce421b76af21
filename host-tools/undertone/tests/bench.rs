//! `undertone bench` as continuous integration and a curious person meet it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

use serde_json::Value;

fn bench(words: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_undertone"))
        .arg("bench")
        .args(words)
        .env_remove("UNDERTONE_PYTHON")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

fn median(report: &Value, id: &str) -> f64 {
    let figures = report["figures"].as_array().unwrap();
    let figure = figures
        .iter()
        .find(|figure| figure["id"] == id)
        .unwrap_or_else(|| panic!("{id} is not in {report:#}"));
    let [lowest, median, highest] =
        ["lowest", "median", "highest"].map(|field| figure[field].as_f64().unwrap());
    assert!(lowest <= median && median <= highest, "{figure}");
    median
}

#[test]
fn every_part_is_measured_and_the_parts_explain_the_whole() {
    let (code, data, talk) = bench(&["--quick", "--json"]);
    assert_eq!(code, Some(0), "{talk}");
    let report: Value = serde_json::from_str(&data).unwrap();
    assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
    assert_eq!(report["quick"], true);
    let of = |id| median(&report, id);
    for id in [
        "head_answer",
        "model_load",
        "network_3s",
        "channels_10_time",
        "length_60s_time",
    ] {
        assert!(of(id) > 0.0, "{id}");
    }
    // Milliseconds per second of audio: features, voice activity and 100 frames through the encoder.
    let parts = of("features_60s") / 60.0 + of("vad_60s") / 60.0 + of("encoder_frame") * 0.1;
    let whole = of("live_channel");
    assert!((0.5..2.0).contains(&(whole / parts)), "{parts} and {whole}");
    let per_core = of("channels_per_core");
    assert!((per_core * whole / 1000.0 - 1.0).abs() < 0.1, "{per_core}");
    let what = report["figures"].to_string();
    assert!(
        what.contains("100 % speech"),
        "the audio has pauses: {what}"
    );
}

#[test]
fn what_cannot_be_measured_is_refused_with_what_to_do() {
    let (code, data, talk) = bench(&["--quick", "--peers", "--python", "/nowhere/python3"]);
    assert_eq!((code, data.as_str()), (Some(1), ""));
    assert!(
        talk.contains("/nowhere/python3") && talk.contains("--python"),
        "{talk}"
    );
    let (code, _, talk) = bench(&["--audio", "/nowhere/call.wav"]);
    assert_eq!(code, Some(1));
    assert!(talk.contains("/nowhere/call.wav"), "{talk}");
    for program in ["/bin/true", "/nowhere/undertoned"] {
        let (code, data, talk) = bench(&["--quick", "--daemon", program]);
        assert_eq!((code, data.as_str()), (Some(1), ""));
        let first = talk.lines().next().unwrap();
        assert!(
            first.starts_with("error[bench-daemon]: ") && first.contains(program),
            "{talk}"
        );
        assert!(
            talk.contains("\nnext: ") && talk.contains("undertoned"),
            "{talk}"
        );
    }
    let (code, _, talk) = bench(&["--quick", "--long"]);
    assert_eq!(code, Some(2), "{talk}");
}

#[test]
fn peers_that_are_missing_are_named_with_the_command_that_installs_them() {
    let Some(python) = std::env::var_os("UNDERTONE_PYTHON") else {
        eprintln!("skipped: UNDERTONE_PYTHON names no Python with onnxruntime");
        return;
    };
    let python = python.to_str().unwrap();
    let (code, data, talk) = bench(&["--quick", "--peers", "--json", "--python", python]);
    assert_eq!(code, Some(0), "{talk}");
    assert!(talk.contains("onnxruntime gives the same logits"), "{talk}");
    let report: Value = serde_json::from_str(&data).unwrap();
    assert!(median(&report, "onnxruntime_ratio") > 0.0);
    for (peer, package) in [
        ("librosa", "librosa"),
        ("opensmile", "opensmile"),
        ("kaldi_mfcc", "kaldi-native-fbank"),
    ] {
        let there = report["figures"]
            .as_array()
            .unwrap()
            .iter()
            .any(|figure| figure["id"] == peer);
        let told = talk.contains(&format!("{peer} is left out"))
            && talk.contains("pip install")
            && talk.contains(package);
        assert_ne!(there, told, "{peer}: {talk}");
    }
}
