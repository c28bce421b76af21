//! The daemon with its own model, on recordings of speakers that the model never heard.
//!
//! Needs the corpora: `UNDERTONE_CORPORA=DIR cargo test --release -p undertone-tests --test unheard_speakers --
//! --ignored --nocapture`. Prints the table of the model's card; `UNDERTONE_CLIPS` sets the clips per corpus (100).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use serde_json::Value;
use undertone_model::Model;
use undertone_tests::{daemon, root};
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::training::kept_out::KeptOut;
use undertone_train::training::prepare::clips;
use undertone_train::training::split::split;

/// What the daemon said of a clip: the label at the end of its longest utterance.
fn heard(clip: &Clip) -> Option<String> {
    let source = format!("file:{}", clip.path.display());
    let run = daemon::run(&["--source", &source, "--fast"]);
    assert_eq!(run.code, Some(0), "{}: {}", clip.path.display(), run.talk);
    let length =
        |event: &Value| event["at_ms"].as_u64().unwrap() - event["start_ms"].as_u64().unwrap();
    let events = run.events();
    let ends = events.iter().filter(|event| event["kind"] == "end");
    ends.max_by_key(|event| length(event))
        .map(|event| event["label"].as_str().unwrap().to_owned())
}

#[test]
#[ignore = "needs the corpora (UNDERTONE_CORPORA)"]
fn the_daemon_names_the_right_emotion_of_strangers_far_more_often_than_chance() {
    let Some(folder) = std::env::var_os("UNDERTONE_CORPORA").map(PathBuf::from) else {
        println!("skipped: UNDERTONE_CORPORA does not name a folder with the corpora");
        return;
    };
    let wanted = std::env::var("UNDERTONE_CLIPS").map_or(100, |count| count.parse().unwrap());
    let model =
        Model::from_bytes(&std::fs::read(root().join("models/undertone-research.onnx")).unwrap())
            .unwrap();
    let provenance = &model.metadata().provenance;
    let clips = clips(&[folder], |_| {}).unwrap();
    let kept_out = provenance.fold.map_or(KeptOut::Nobody, KeptOut::Fold);
    let test = split(&clips, kept_out, provenance.seed).unwrap().test;
    assert!(!test.is_empty(), "the model was trained on every speaker");
    println!("corpus     clips  right  wrong  unknown  no speech  right of those answered");
    for corpus in Corpus::ALL {
        let mut chosen: Vec<&Clip> = test.iter().filter(|clip| clip.corpus == corpus).collect();
        // In the order of their hashes, so that no pattern of the file names decides which are heard.
        chosen.sort_by_key(|clip| clip.content);
        chosen.truncate(wanted);
        let (mut right, mut wrong, mut unknown, mut silent) = (0usize, 0, 0, 0);
        for clip in &chosen {
            match heard(clip).as_deref() {
                None => silent += 1,
                Some("unknown") => unknown += 1,
                Some(label) if label == clip.label.name() => right += 1,
                Some(_) => wrong += 1,
            }
        }
        let answered = 100.0 * right as f64 / (right + wrong).max(1) as f64;
        println!(
            "{:<9}{:>7}{right:>7}{wrong:>7}{unknown:>9}{silent:>11}{answered:>22.1} %",
            corpus.name(),
            chosen.len()
        );
        // Seven classes: one in seven is chance.
        assert!(
            right * 7 > chosen.len() * 2,
            "{corpus}: {right} of {} are right",
            chosen.len()
        );
        assert!(
            silent * 10 < chosen.len(),
            "{corpus}: no speech found in {silent} of {} clips",
            chosen.len()
        );
    }
}
