//! The classic network on windows, from clips to events: trained, exported, looked at, heard and measured by the programs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use undertone_tests::{daemon, program, speech, tool};
use undertone_train::features::Extractor;
use undertone_train::training::checkpoint::RunFolder;
use undertone_train::training::classes::Classes;
use undertone_train::training::device::Place;
use undertone_train::training::kept_out::KeptOut;
use undertone_train::training::prepare::{clips, examples};
use undertone_train::training::split::split;
use undertone_train::training::validate::{logits, score};

const RATE: u32 = 16_000;

/// A voice of a kind: its pitch by the speaker, what sounds above it by the emotion.
fn voice(file: &Path, speaker: u32, emotion: u32, seconds: f32) {
    let samples = (0..(RATE as f32 * seconds) as u32).flat_map(|i| {
        let time = i as f32 / RATE as f32;
        let tone = |hz: f32| (std::f32::consts::TAU * hz * time).sin();
        let own = 110.0 + 5.0 * speaker as f32;
        let above = 250.0 * (1 + emotion) as f32 + 2.0 * speaker as f32;
        let sound = tone(own) + tone(above) + 0.5 * tone(own * 20.0);
        ((6_000.0 * sound) as i16).to_le_bytes()
    });
    let samples: Vec<u8> = samples.collect();
    let length = u32::try_from(samples.len()).unwrap();
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + length).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(RATE.to_le_bytes());
    wav.extend((2 * RATE).to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(length.to_le_bytes());
    wav.extend(samples);
    fs::write(file, wav).unwrap();
}

/// RAVDESS of 24 speakers: clips shorter and longer than a window, and some too short for any answer.
fn corpus(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for speaker in 1..=24 {
        for emotion in 1..=8 {
            let name = format!("03-01-{emotion:02}-01-01-01-{speaker:02}.wav");
            let seconds = 0.8 + 0.17 * ((speaker * 5 + emotion) % 9) as f32;
            voice(&folder.join(name), speaker, emotion, seconds);
        }
        let name = format!("03-01-03-01-02-01-{speaker:02}.wav");
        voice(&folder.join(name), speaker, 3, 0.4);
    }
}

#[track_caller]
fn said(program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {talk}");
    String::from_utf8(output.stdout).unwrap()
}

/// What all tests look at: corpus, run and its two model files.
struct Made {
    folder: tempfile::TempDir,
    corpus: String,
    run: String,
    exact: String,
    small: String,
}

impl Made {
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

fn trainer() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| program::built("undertone-train"))
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name).display().to_string();
        let [corpus_dir, run, cache] = ["ravdess", "run", "cache"].map(name);
        let [exact, small] = ["exact.onnx", "small.onnx"].map(name);
        corpus(Path::new(&corpus_dir));
        let sizes = ["classic.filters=[16,16,8]", "classic.hidden=[64,16]"];
        let [filters, hidden] = sizes;
        said(
            trainer(),
            &[
                "train",
                &corpus_dir,
                "--run",
                &run,
                "--fold",
                "1",
                "--network",
                "windowed",
                "--set",
                filters,
                "--set",
                hidden,
                "--epochs",
                "4",
                "--batch",
                "16",
                "--learning-rate",
                "0.003",
                "--cache",
                &cache,
            ],
        );
        for (file, weights) in [(&exact, "f32"), (&small, "int8")] {
            said(
                trainer(),
                &[
                    "export",
                    &run,
                    &corpus_dir,
                    "--output",
                    file,
                    "--weights",
                    weights,
                    "--cache",
                    &cache,
                ],
            );
        }
        Made {
            folder,
            corpus: corpus_dir,
            run,
            exact,
            small,
        }
    })
}

#[test]
fn the_tool_shows_and_verifies_the_file_and_finds_its_two_forms_alike() {
    let made = made();
    let shown = said(tool(), &["model", "inspect", &made.small, "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let about = &shown["metadata"];
    assert_eq!(about["network"], "windowed");
    assert_eq!(
        (&about["window"], &about["shortest"]),
        (&108.into(), &31.into())
    );
    assert_eq!(about["features"], serde_json::json!(["zcr", "rms", "mfcc"]));
    let verified = said(tool(), &["model", "verify", &made.small, &made.exact]);
    assert_eq!(verified.matches("ok ").count(), 2, "{verified}");
    assert!(
        fs::metadata(&made.small).unwrap().len() * 2 < fs::metadata(&made.exact).unwrap().len()
    );

    let mut audio: Vec<String> = (1..=8)
        .map(|emotion| format!("{}/03-01-{emotion:02}-01-01-01-01.wav", made.corpus))
        .collect();
    audio.push(speech().display().to_string());
    let mut args = vec!["model", "compare", &made.exact, &made.small, "--json"];
    args.extend(audio.iter().map(String::as_str));
    let compared: Value = serde_json::from_str(&said(tool(), &args)).unwrap();
    assert_eq!(
        (&compared["recordings"], &compared["close"]),
        (&9.into(), &true.into())
    );
}

#[test]
fn the_daemon_tells_of_every_utterance_what_the_file_answers() {
    let made = made();
    let source = format!("file:{}", speech().display());
    let run = daemon::run(&["--model", &made.small, "--source", &source, "--fast"]);
    assert_eq!(run.code, Some(0), "{}", run.talk);
    let events = run.events();
    for kind in ["start", "end"] {
        let of_kind = events.iter().filter(|event| event["kind"] == kind);
        assert_eq!(of_kind.count(), 2, "{kind}");
    }
    for event in &events {
        let scores = event["scores"].as_object().unwrap();
        let sum: f64 = scores.values().map(|score| score.as_f64().unwrap()).sum();
        assert!(scores.len() == 7 && (sum - 1.0).abs() < 1e-3, "{event}");
    }
    // After a second of speech, when the window is not full yet.
    let start = events
        .iter()
        .find(|event| event["kind"] == "start")
        .unwrap();
    let heard = start["at_ms"].as_u64().unwrap() - start["start_ms"].as_u64().unwrap();
    assert!((1000..1200).contains(&heard), "{start}");
}

#[test]
fn a_corpus_that_the_model_never_heard_is_scored_whole_and_one_that_it_heard_is_refused() {
    let made = made();
    let (cache, strangers) = (made.file("unheard-cache"), made.file("savee"));
    fs::create_dir(&strangers).unwrap();
    for (speaker, name) in [(31, "DC"), (32, "JE")] {
        for (emotion, letters) in [(1, "n"), (3, "h"), (4, "sa"), (5, "a")] {
            let file = Path::new(&strangers).join(format!("{name}_{letters}01.wav"));
            voice(&file, speaker, emotion, 1.5);
        }
    }
    let unheard = |folder: &str| {
        let mut command = Command::new(trainer());
        command.args(["evaluate", &made.exact, &made.corpus, "--json"]);
        let args = ["--cache", &cache, "--unheard", folder];
        command.args(args).output().unwrap()
    };
    let output = unheard(&strangers);
    let talk = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).expect(&talk);
    let corpora = report["conditions"][0]["corpora"].as_array().unwrap();
    let row = |name: &str| corpora.iter().find(|row| row["corpus"] == name).unwrap();
    assert_eq!(row("ravdess")["unheard"], false);
    let savee = row("savee");
    assert_eq!(savee["unheard"], true);
    assert_eq!(
        (&savee["speakers"], &savee["chance"]),
        (&2.into(), &0.25.into())
    );
    assert_eq!(savee["figures"]["clips"], 8);

    let refused = unheard(&made.corpus);
    let talk = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{talk}");
    assert!(talk.contains("was trained on RAVDESS"), "{talk}");
}

#[test]
fn evaluation_and_report_give_the_trainers_own_figures() {
    let made = made();
    let cache = made.file("evaluation-cache");
    let evaluated = said(
        trainer(),
        &[
            "evaluate",
            &made.exact,
            &made.corpus,
            "--json",
            "--cache",
            &cache,
        ],
    );
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    let figures = &evaluated["conditions"][0]["corpora"][0]["figures"];

    let page = made.file("page.html");
    let measured = made.file("measured.json");
    said(
        trainer(),
        &[
            "report",
            &made.run,
            &made.exact,
            "--corpora",
            &made.corpus,
            "-o",
            &page,
            "--json",
            &measured,
        ],
    );
    let measured: Value = serde_json::from_slice(&fs::read(&measured).unwrap()).unwrap();
    assert!(fs::read_to_string(&page).unwrap().contains("</html>"));

    let (folder, plan, _) = RunFolder::load(Path::new(&made.run)).unwrap();
    let device = Place::Cpu.device().unwrap();
    let network = folder
        .best(plan.network.classic().unwrap().init(&device))
        .unwrap();
    let all = clips(&[PathBuf::from(&made.corpus)], |_| {}).unwrap();
    let test = split(&all, KeptOut::Fold(1), plan.recipe.seed)
        .unwrap()
        .test;
    let extractor = Extractor {
        frontend: plan.recipe.frontend.clone(),
        features: plan.recipe.features.clone(),
        cache: None,
    };
    let examples = examples(&test, &extractor, Classes::Product).unwrap();
    let (expected, _) = score(
        &logits(&network, &examples, &plan.normalisation, &device),
        &examples,
    );
    for found in [
        &figures["unweighted_accuracy"],
        &measured["corpora"][0]["figures"]["unweighted_accuracy"],
    ] {
        let found = found.as_f64().unwrap();
        assert!(
            (found - expected).abs() < 1e-9,
            "{found}, the trainer: {expected}"
        );
    }
    // Seven classes: a network that learnt nothing is right of one in seven.
    assert!(expected > 0.4, "{expected}");
}
