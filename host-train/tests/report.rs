//! Reports in a real browser: about corpora made here, about the shipped model, about a run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use undertone_page::browser::open;
use undertone_train::report::ReportError;
use undertone_train::report::data;
use undertone_train::report::result::{
    Bin, ConditionEvidence, CorpusEvidence, Coverage, Evidence, Noisy, Person, Scores, Subject,
    pictures, report,
};

const RATE: u32 = 16_000;
/// A folder's name must not become markup.
const HOSTILE: &str = "<img src=x onerror=alert(1)>&amp; corpora";

fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/undertone-research.onnx")
}

/// A buzz with pauses around it, of this pitch and loudness (1 is full scale); two calls with the same numbers give the same bytes.
fn clip(path: &Path, pitch: f64, loud: f64) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for index in 0..RATE * 8 / 10 {
        let time = f64::from(index) / f64::from(RATE);
        let on = if (0.1..0.7).contains(&time) { 1.0 } else { 0.0 };
        let buzz: f64 = (1..8)
            .map(|n| (std::f64::consts::TAU * pitch * f64::from(n) * time).sin() / f64::from(n))
            .sum();
        let sample = (loud * on * buzz * 1.2).clamp(-1.0, 32_767.0 / 32_768.0);
        writer
            .write_sample((sample * 32_768.0).clamp(-32_768.0, 32_767.0) as i16)
            .unwrap();
    }
    writer.finalize().unwrap();
}

/// RAVDESS of 4 actors, SAVEE clipped at its source, and CREMA-D with silence and one recording under two labels.
fn corpora(root: &Path) {
    for actor in 1..=4u32 {
        for emotion in 1..=8u32 {
            for (statement, repetition) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                let name = format!(
                    "ravdess/Actor_{actor:02}/03-01-{emotion:02}-01-{statement:02}-{repetition:02}-{actor:02}.wav"
                );
                let pitch = f64::from(100 * actor + 11 * emotion + 3 * statement + repetition);
                clip(&root.join(name), pitch, 0.2);
            }
        }
    }
    for (number, speaker) in ["DC", "JE", "JK", "KL"].into_iter().enumerate() {
        for (at, emotion) in ["a", "d", "f", "h", "n", "sa", "su"]
            .into_iter()
            .enumerate()
        {
            clip(
                &root.join(format!("savee/{speaker}_{emotion}01.wav")),
                90.0 + 9.0 * (number * 7 + at) as f64,
                3.0,
            );
        }
    }
    for (number, emotion) in ["ANG", "DIS", "FEA", "HAP", "NEU"].into_iter().enumerate() {
        clip(
            &root.join(format!("crema-d/1001_IEO_{emotion}_XX.wav")),
            130.0 + 5.0 * number as f64,
            0.3,
        );
    }
    clip(&root.join("crema-d/1001_DFA_SAD_XX.wav"), 100.0, 0.0);
    clip(&root.join("crema-d/1002_TIE_HAP_XX.wav"), 222.0, 0.3);
    clip(&root.join("crema-d/1002_TIE_NEU_XX.wav"), 222.0, 0.3);
    fs::write(
        root.join("crema-d/VideoDemographics.csv"),
        "ActorID,Age,Sex\n1001,51,Male\n1002,21,Female\n",
    )
    .unwrap();
    fs::write(
        root.join("crema-d/voice-votes.csv"),
        "clip,A,D,F,H,N,S\n1001_IEO_ANG_XX,6,1,1,1,1,0\n1001_IEO_NEU_XX,0,0,1,1,6,2\n",
    )
    .unwrap();
    fs::write(
        root.join("crema-d/1003_IEO_SAD_XX.wav"),
        b"RIFF but nothing more",
    )
    .unwrap();
}

#[test]
fn a_report_about_corpora_shows_every_figure_and_tells_what_is_odd_without_being_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join(HOSTILE);
    corpora(&root);
    let options = data::Options {
        model: Some(model()),
        clips: vec!["crema-d/1001_DFA_SAD_XX".into()],
        silent: false,
    };
    let html = data::report(&[&root], &options).unwrap();
    assert!(html.len() < 5_000_000, "{} bytes", html.len());
    for odd in [
        "Digital silence: <strong>crema-d/1001_DFA_SAD_XX",
        "1 recording stands under two labels: <strong>crema-d/1002_TIE_HAP_XX = crema-d/1002_TIE_NEU_XX",
        "SAVEE is clipped at its source: <strong>28 of its 28 clips (100 %) reach full scale",
        "1 files cannot be decoded",
        "RAVDESS lacks 1,312",
    ] {
        assert!(html.contains(odd), "{odd}");
    }
    let page = folder.path().join("data.html");
    fs::write(&page, html).unwrap();
    let Some(opened) = open(&page) else { return };
    assert!(opened.console.is_empty(), "{:#?}", opened.console);
    assert!(!opened.dom.contains("<img"));
    // Who speaks 3, balance 2, votes 1, quality 5, clips 8 + 7 + 6 and the one asked for, features 8, effects 1, map 2.
    assert_eq!(opened.figures(), 3 + 2 + 1 + 5 + 22 + 8 + 1 + 2);
    assert_eq!(opened.dom.matches("<audio").count(), 22);
}

#[test]
fn a_clip_that_is_not_there_is_refused_by_name_and_a_silent_page_has_no_sound() {
    let folder = tempfile::tempdir().unwrap();
    for (at, emotion) in ["a", "n", "sa"].into_iter().enumerate() {
        clip(
            &folder.path().join(format!("DC_{emotion}01.wav")),
            100.0 + 10.0 * at as f64,
            0.2,
        );
    }
    let ask = |clips: Vec<String>| {
        data::report(
            &[folder.path()],
            &data::Options {
                clips,
                silent: true,
                ..data::Options::default()
            },
        )
    };
    assert!(
        matches!(ask(vec!["DC_zz99".into()]), Err(ReportError::NoSuchClip(name)) if name == "DC_zz99")
    );
    let html = ask(vec!["DC_a01".into()]).unwrap();
    assert!(!html.contains("<audio") && html.contains("No model was given"));
}

/// Made-up measurements of the shipped model, for what the page makes of them.
fn evidence() -> Evidence {
    let bytes = fs::read(model()).unwrap();
    let opened = undertone_model::Model::from_bytes(&bytes).unwrap();
    let labels = opened.metadata().labels.clone();
    let classes = labels.len();
    let recall: Vec<Option<f64>> = (0..classes)
        .map(|class| Some(if class == 2 { 0.1 } else { 0.8 }))
        .collect();
    let confusion = (0..classes)
        .map(|row| {
            (0..classes)
                .map(|column| {
                    if row == column {
                        if row == 2 { 1 } else { 8 }
                    } else {
                        usize::from(column == 4) * 2
                    }
                })
                .collect()
        })
        .collect();
    let figures = Scores {
        clips: 70,
        unweighted_accuracy: 0.7,
        accuracy: 0.7,
        macro_f1: 0.68,
        recall: recall.clone(),
        precision: recall,
        calibration_error: 0.12,
        unweighted_accuracy_at_75: 0.75,
        confusion,
        risk_coverage: vec![],
    };
    let people = (0..11)
        .map(|n| Person {
            speaker: format!("crema-d/10{n:02}"),
            clips: 7,
            unweighted_accuracy: 0.4 + 0.05 * f64::from(n),
        })
        .collect();
    let noise = [
        (None, 0.7),
        (Some(20.0), 0.68),
        (Some(10.0), 0.45),
        (Some(0.0), 0.2),
    ];
    let noise = noise
        .map(|(snr_db, unweighted_accuracy)| Noisy {
            snr_db,
            clips: 70,
            unweighted_accuracy,
        })
        .to_vec();
    let corpus = CorpusEvidence {
        corpus: "crema-d".into(),
        unheard: false,
        speakers: 11,
        chance: 1.0 / 7.0,
        figures,
        reliability: vec![
            Bin {
                confidence: 0.5,
                accuracy: 0.4,
                clips: 30,
            },
            Bin {
                confidence: 0.9,
                accuracy: 0.7,
                clips: 40,
            },
        ],
        coverage: vec![
            Coverage {
                coverage: 1.0,
                risk: 0.3,
            },
            Coverage {
                coverage: 0.5,
                risk: 0.1,
            },
        ],
        people,
        noise,
    };
    let conditions = [("clean", 0.7), ("telephone", 0.3), ("reverb", 0.65)];
    let conditions = conditions
        .map(|(condition, score)| {
            let mut heard = corpus.clone();
            heard.figures.unweighted_accuracy = score;
            ConditionEvidence {
                condition: condition.into(),
                corpora: vec![heard],
            }
        })
        .to_vec();
    Evidence {
        model: "x.onnx".into(),
        content_hash: opened.metadata().content_hash.clone(),
        fold: 1,
        labels,
        corpora: vec![corpus],
        conditions,
    }
}

#[test]
fn a_page_about_a_model_says_which_class_is_weakest_how_far_speakers_differ_and_whether_to_trust_it_in_noise()
 {
    let folder = tempfile::tempdir().unwrap();
    let stored = folder.path().join("evaluation");
    fs::create_dir(&stored).unwrap();
    fs::write(
        stored.join("x.json"),
        serde_json::to_string(&evidence()).unwrap(),
    )
    .unwrap();
    let subject = Subject {
        model: Some(model()),
        evaluations: Some(stored),
        ..Subject::default()
    };
    let (html, shown) = report(&subject).unwrap();
    assert!(shown.measured.is_none());
    assert_eq!(shown.shown.unwrap().corpora[0].people.len(), 11);
    for sentence in [
        "The weakest class is <strong>sad: 10 % of its clips are recognised</strong>, and it is most often taken for fear",
        "one in ten is recognised in 45 % or less, the middle one in 65 %, one in ten in 85 % or more",
        "In noise: <strong>do not trust it there</strong>. At a signal-to-noise ratio of 10 dB (a busy street) mean recall falls from 70 % to 45 %.",
        "it is <strong>of no use over a telephone line (30 %), nearly as good in a room from 6 m away (65 %)",
        "Its confidence is off by",
    ] {
        assert!(html.contains(sentence), "{sentence}");
    }
    let page = folder.path().join("model.html");
    fs::write(&page, html).unwrap();
    let Some(opened) = open(&page) else { return };
    assert!(opened.console.is_empty(), "{:#?}", opened.console);
    // Recall, one confusion matrix, speakers, reliability, risk and coverage, noise, conditions.
    assert_eq!(opened.figures(), 7);
}

#[test]
fn what_was_never_measured_is_said_and_not_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let subject = Subject {
        model: Some(model()),
        evaluations: Some(folder.path().to_owned()),
        ..Subject::default()
    };
    let (html, shown) = report(&subject).unwrap();
    assert!(shown.shown.is_none());
    assert!(
        html.contains("Nothing has been measured of this model on speakers that it never heard")
    );
    assert!(html.contains("What noise does to it has not been measured"));
    assert!(!html.contains("<figure"));
}

#[test]
fn pictures_for_documents_come_from_results_alone_and_carry_both_themes() {
    let drawn = pictures::pictures(&evidence()).unwrap();
    let names: Vec<&str> = drawn.iter().map(|picture| picture.0).collect();
    assert_eq!(
        names,
        [
            "recall.svg",
            "speakers.svg",
            "noise.svg",
            "conditions.svg",
            "reliability.svg",
            "confusion.svg"
        ]
    );
    for (name, svg) in drawn {
        assert!(
            svg.contains("light-dark(") && !svg.contains("data:") && svg.len() < 60_000,
            "{name}"
        );
    }
}

#[test]
fn the_readmes_pictures_are_those_of_the_committed_results_of_the_shipped_model() {
    let subject = Subject {
        model: Some(model()),
        ..Subject::default()
    };
    let (html, shown) = report(&subject).unwrap();
    for known in [
        "From speaker to speaker",
        "nearly as good over a telephone line",
    ] {
        assert!(html.contains(known), "{known}");
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/pictures");
    let drawn = pictures::pictures(&shown.shown.unwrap()).unwrap();
    assert_eq!(drawn.len(), fs::read_dir(&folder).unwrap().count());
    for (name, svg) in drawn {
        let committed = fs::read_to_string(folder.join(name)).unwrap();
        assert!(
            committed == svg,
            "{name}: make it anew with `undertone-train report models/undertone-research.onnx --pictures docs/pictures -o model.html`"
        );
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.wav");
    fs::write(&bad, "RIFF and nothing else").unwrap();
    let missing = folder.path().join("none");
    for words in [
        vec!["report", bad.to_str().unwrap(), "-o", "x.html"],
        vec!["report", missing.to_str().unwrap(), "-o", "x.html"],
        vec!["augment", "preview", missing.to_str().unwrap(), "-o", "x"],
        vec!["augment", "preview", bad.to_str().unwrap(), "-o", "x"],
    ] {
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_undertone-train"))
            .args(&words)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(!run.status.success());
        let talk = String::from_utf8(run.stderr).unwrap();
        let parts: Vec<&str> = talk.trim_end().split(": ").collect();
        for (place, part) in parts.iter().enumerate() {
            assert!(
                !parts[..place].contains(part),
                "{part:?} is said twice: {talk}"
            );
        }
        assert_eq!(
            talk.matches("os error").count(),
            usize::from(words.contains(&missing.to_str().unwrap())),
            "{talk}"
        );
    }
}
