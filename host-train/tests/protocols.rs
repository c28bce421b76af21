//! A protocol from clips to results, on made-up corpora with the published names.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use burn::tensor::Device;
use undertone_dsp::Floor;
use undertone_model::Model;
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::leaky::sides::sides;
use undertone_train::evaluation::leaky::{self, Way};
use undertone_train::evaluation::measure::{
    Bench, MeasureError, all_testable, open, recipe_hash, score, with_own_head,
};
use undertone_train::evaluation::plan::plan;
use undertone_train::evaluation::protocol::Protocol;
use undertone_train::evaluation::results::{HeadOf, Origin, Results};
use undertone_train::evaluation::table::markdown;
use undertone_train::export::{Weights, export_run};
use undertone_train::features::{ClipFeatures, Extractor};
use undertone_train::network::classic::ClassicConfig;
use undertone_train::network::streaming::Shape;
use undertone_train::training::checkpoint::RunFolder;
use undertone_train::training::classes::Classes;
use undertone_train::training::kept_out::KeptOut;
use undertone_train::training::prepare::{clips, hash, prepare, recipe_features};
use undertone_train::training::recipe::Recipe;
use undertone_train::training::run::{Material, train};

/// A voice of a kind: a pitch by the speaker, a pulse rate by the emotion.
fn voice(file: &Path, speaker: u32, emotion: u32, take: u32, seconds: f32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(file, spec).unwrap();
    let (hz, pulse) = (90.0 + 7.0 * speaker as f32, 2.0 + emotion as f32);
    for i in 0..(16_000.0 * seconds) as u32 {
        let t = i as f32 / 16_000.0 + 0.013 * take as f32;
        let loud = 0.6 + 0.4 * (std::f32::consts::TAU * pulse * t).sin();
        let value = loud * (std::f32::consts::TAU * hz * t).sin();
        writer.write_sample((9_000.0 * value) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

fn ravdess(dir: &Path) -> Vec<Clip> {
    for actor in 1..=24 {
        for emotion in 1..=8 {
            let name = format!("03-01-{emotion:02}-01-01-01-{actor:02}.wav");
            voice(&dir.join(name), actor, emotion, 0, 0.4);
        }
    }
    clips(&[dir.to_owned()], |left_out| panic!("{left_out}")).unwrap()
}

const FLOOR: Floor = Floor {
    low_db: 20.0,
    high_db: 40.0,
    hold: 20,
    release_db: 0.03,
};

fn tiny() -> Recipe {
    let mut recipe = Recipe {
        classes: Classes::CalmApart,
        epochs: 1,
        batch: 32,
        shape: Shape {
            channels: [4, 4, 4, 8],
            // Other strides than the shipped ones, so that every stride is exported and run by the box's code.
            stem: [3, 5],
            row_strides: [2, 2, 2, 2],
            time_strides: [2, 2, 1, 2],
            width: 8,
            dilations: vec![1],
            hidden: 8,
            dropout: 0.0,
        },
        floor: Some(FLOOR),
        ..Recipe::default()
    };
    recipe.wave.share = 0.3;
    recipe
}

#[test]
fn a_run_is_trained_without_its_fold_scored_on_it_and_never_twice() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = dir.path().join("ravdess");
    std::fs::create_dir(&corpus).unwrap();
    let clips = ravdess(&corpus);
    let recipe = tiny();
    let bench = Bench {
        clips: &clips,
        features: recipe_features(&clips, &recipe, None).unwrap(),
        recipe: recipe.clone(),
        runs: dir.path().join("runs"),
        said: Vec::new(),
        device: Device::flex().autodiff(),
    };
    let runs = plan(&[Protocol::RavdessEmobox, Protocol::ZeroShot], &[4]);
    let run = runs
        .iter()
        .find(|run| run.kept_out == KeptOut::Fold(2))
        .unwrap();
    let mut epochs = 0;
    assert!(!bench.is_trained(run).unwrap());
    bench.train(run, |_, _| epochs += 1).unwrap();
    assert!(bench.is_trained(run).unwrap());
    bench.train(run, |_, _| epochs += 1).unwrap();
    assert_eq!(epochs, 1);

    let file = bench.file(run);
    let (model, test) = open(&file, run, &clips).unwrap();
    assert_eq!(test.len(), 4 * 8);
    assert_eq!(model.metadata().floor, Some(FLOOR));
    let fold = &run.folds[0];
    let task = &fold.tasks[0];
    let origin = Origin {
        recipe: recipe_hash(&recipe),
        clips: hash(&clips),
    };
    let mut results = Results::open(dir.path(), "tiny", fold.protocol, &origin).unwrap();
    for condition in [Condition::Clean, Condition::Noise(10.0)] {
        let metadata = model.metadata();
        let heard = condition.features(&test, &metadata.frontend, &metadata.features);
        let heard = heard.unwrap();
        let what = (fold, task, run.seed);
        let result = score(&file, &model, what, condition, &test, &heard).unwrap();
        assert_eq!((result.figures.clips, result.classes.len()), (32, 8));
        assert_eq!(result.speakers.len(), 4);
        results.add(dir.path(), result).unwrap();
    }
    let again = Results::open(dir.path(), "tiny", fold.protocol, &origin).unwrap();
    assert!(again.has(("2", 4, "all"), HeadOf::Run, Condition::Clean));
    let table = markdown(&[again]);
    assert!(table.contains("1 of 6 (not yet: 1, 3, 4, 5, 6)"), "{table}");
    assert!(
        table.contains("ravdess-emobox, 8 classes, noise:10dB"),
        "{table}"
    );

    let other = runs
        .iter()
        .find(|run| run.kept_out == KeptOut::Fold(3))
        .unwrap();
    let refused = open(&file, other, &clips);
    assert!(matches!(refused, Err(MeasureError::OtherRun { .. })));

    // Its file is none of another recipe, or of other clips.
    let asked = |clips: &[Clip], width: usize| {
        let mut recipe = recipe.clone();
        recipe.shape.width = width;
        let bench = Bench {
            clips,
            features: Vec::new(),
            recipe,
            runs: bench.runs.clone(),
            said: Vec::new(),
            device: Device::flex().autodiff(),
        };
        bench.is_trained(run).unwrap_err().to_string()
    };
    let wider = asked(&clips, 9);
    assert!(
        wider.contains("shape") && wider.contains("\"width\":9"),
        "{wider}"
    );
    let fewer: Vec<Clip> = clips.iter().skip(8).cloned().collect();
    assert!(
        asked(&fewer, 8).contains("other clips;"),
        "{}",
        asked(&fewer, 8)
    );
    for (protocol, fold) in [
        (Protocol::Savee, "savee fold 1 has no clip of SAVEE"),
        (
            Protocol::ZeroShot,
            "zero-shot fold tess has no clip of TESS",
        ),
    ] {
        let runs = plan(&[protocol], &[1]);
        let none = all_testable(runs.iter(), &clips).unwrap_err().to_string();
        assert!(none.contains(fold), "{none}");
    }
    let run_folder = bench.runs.join("fold-2-seed-4");
    std::fs::rename(&run_folder, dir.path().join("away")).unwrap();
    let alone = bench.is_trained(run);
    assert!(matches!(alone, Err(MeasureError::NoRun { .. })));
    std::fs::rename(dir.path().join("away"), &run_folder).unwrap();

    // The same run again, with a guide.
    let mut guided = recipe;
    guided.guide.encoder = Some("ab12".to_owned());
    let missing = prepare(&clips, guided.clone(), None, None).unwrap_err();
    assert!(missing.to_string().contains("--guide"), "{missing}");
    let said = |index: usize| ClipFeatures {
        rows: 3,
        values: (0..30).map(|i| ((i * 7 + index) % 11) as f32).collect(),
    };
    let taught = Bench {
        runs: dir.path().join("taught"),
        said: (0..clips.len()).map(said).collect(),
        features: bench.features.clone(),
        device: Device::flex().autodiff(),
        recipe: guided,
        ..bench
    };
    taught.train(run, |_, _| ()).unwrap();
    let plan = std::fs::read_to_string(taught.runs.join("fold-2-seed-4/recipe.json")).unwrap();
    assert!(plan.contains("ab12"), "{plan}");
    let file = taught.file(run);
    let (model, test) = open(&file, run, &clips).unwrap();

    // With a head of its own, for which there must be clips.
    let metadata = model.metadata();
    let extractor = Extractor {
        frontend: metadata.frontend.clone(),
        features: metadata.features.clone(),
        cache: None,
    };
    let own = |corpus| with_own_head((&file, &model), run, corpus, &clips, &extractor);
    let fitted = own(Corpus::Ravdess).unwrap();
    let provenance = &fitted.metadata().provenance;
    let adapted = provenance.adapted.as_ref().unwrap();
    assert_eq!((adapted.clips, test.len()), (20 * 8, 4 * 8));
    assert_eq!(adapted.from, metadata.content_hash);
    let unheard = own(Corpus::Tess);
    assert!(matches!(unheard, Err(MeasureError::Adapt { .. })));
}

#[test]
fn a_run_on_crema_d_alone_has_no_output_for_surprise_and_another_corpus_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let names = ["crema-d", "ravdess", "run"].map(|name| dir.path().join(name));
    let [crema_d, other, run] = &names;
    std::fs::create_dir(crema_d).unwrap();
    std::fs::create_dir(other).unwrap();
    for speaker in 1..=12 {
        for (emotion, code) in (0..).zip(["NEU", "HAP", "SAD", "ANG", "FEA", "DIS"]) {
            let name = format!("10{speaker:02}_IEO_{code}_XX.wav");
            voice(&crema_d.join(name), speaker, emotion, 0, 0.4);
        }
    }
    let alone = clips(std::slice::from_ref(crema_d), |left_out| {
        panic!("{left_out}")
    })
    .unwrap();
    let recipe = Recipe {
        classes: Classes::Product,
        ..tiny()
    };
    let prepared = prepare(&alone, recipe, None, None).unwrap();
    let six = ["neutral", "happy", "sad", "angry", "fear", "disgust"];
    assert_eq!(prepared.plan.labels, six);
    let material = Material {
        train: &prepared.train,
        validation: &prepared.validation,
        bank: prepared.bank.as_ref(),
    };
    let device = Device::flex().autodiff();
    let state = train(run, &prepared.plan, material, &device, |_, _| ()).unwrap();
    let (folder, ..) = RunFolder::load(run).unwrap();
    let seen = &prepared.validation;
    let written = export_run(&folder, &prepared.plan, &state, Weights::F32, seen).unwrap();
    let model = Model::from_bytes(&written.bytes).unwrap();
    assert_eq!(model.metadata().labels, six);

    let refused = prepare(&ravdess(other), prepared.plan.recipe, None, None).unwrap_err();
    let refused = refused.to_string();
    assert!(refused.contains("labelled surprise"), "{refused}");
    assert!(refused.contains("classes=product"), "{refused}");
}

#[test]
fn the_leaky_way_tests_on_copies_of_what_it_heard_and_the_honest_way_on_a_stranger() {
    let dir = tempfile::tempdir().unwrap();
    let emotions = ["angry", "disgust", "fear", "happy", "ps", "sad", "neutral"];
    for (speaker, name) in (0..).zip(["OAF", "YAF"]) {
        for (emotion, title) in (0..).zip(emotions) {
            for (take, word) in (0..).zip(["back", "bar", "base"]) {
                let file = dir.path().join(format!("{name}_{word}_{title}.wav"));
                voice(&file, 10 * speaker, emotion, take, 1.2);
            }
        }
    }
    let clips = clips(&[dir.path().to_owned()], |left_out| panic!("{left_out}")).unwrap();
    assert_eq!(clips.len(), 42);
    let recipe = Recipe {
        epochs: 2,
        ..Recipe::classic()
    };
    let contents = |clips: &[Clip]| -> BTreeSet<_> { clips.iter().map(|c| c.content).collect() };
    let speakers =
        |clips: &[Clip]| -> BTreeSet<_> { clips.iter().map(|c| c.speaker.clone()).collect() };

    let leaky = sides(&clips, Way::Leaky, &recipe).unwrap();
    assert_eq!((leaky.train.len(), leaky.test.len()), (168 - 33, 33));
    assert!(
        contents(&leaky.heard)
            .intersection(&contents(&leaky.tested))
            .count()
            > 20
    );

    let honest = sides(&clips, Way::Unheard(1), &recipe).unwrap();
    assert_eq!((honest.test.len(), honest.validation.len()), (21, 12));
    assert!(contents(&honest.heard).is_disjoint(&contents(&honest.tested)));
    assert!(speakers(&honest.heard).is_disjoint(&speakers(&honest.tested)));

    let shape = ClassicConfig {
        filters: [4, 4, 4],
        hidden: [8, 8],
        ..ClassicConfig::new(4536, 7)
    };
    let device = Device::flex().autodiff();
    let folder = dir.path().join("run");
    let of = (&recipe, Some(shape));
    let result = leaky::measure(&clips, Way::Leaky, of, &folder, &device, |_, _| ()).unwrap();
    assert_eq!((result.figures.clips, result.classes.len()), (33, 7));
    assert!(folder.join("best.bpk").exists() && result.model.is_none());
}
