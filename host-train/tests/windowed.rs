//! The classic network on the windows that a box holds, exported and read back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Mutex, PoisonError};

use burn::nn::Initializer;
use burn::tensor::{Device, Distribution, Tensor};
use undertone_dsp::{Feature, FrontendConfig};
use undertone_model::{Drift, Model, NetworkKind, SelfTest};
use undertone_train::evaluation::model::logits;
use undertone_train::export::calibrate::Calibration;
use undertone_train::export::{ExportError, Weights, export};
use undertone_train::features::{ClipFeatures, LiveWindow};
use undertone_train::network::NetworkConfig;
use undertone_train::network::classic::{ClassicConfig, ClassicNet, ClassicShape};
use undertone_train::training::batch::Example;
use undertone_train::training::checkpoint::{Plan, State};
use undertone_train::training::normalise::{Normalisation, Scaling};
use undertone_train::training::recipe::Recipe;
use undertone_train::training::validate;

const WINDOW: LiveWindow = LiveWindow {
    frames: 20,
    shortest: 6,
};
const MFCC: usize = 6;
const ROWS: usize = 2 + MFCC;
const CLASSES: usize = 3;

/// Large enough for its second convolution and first dense layer to be stored as integers.
fn shape() -> ClassicShape {
    ClassicShape {
        filters: [32, 64, 8],
        hidden: [48, 16],
        ..ClassicShape::default()
    }
}

fn config(shape: &ClassicShape) -> ClassicConfig {
    ClassicConfig::live(shape, ROWS, WINDOW, CLASSES)
}

fn plan(config: ClassicConfig) -> Plan {
    let recipe = Recipe::windowed();
    Plan {
        recipe: Recipe {
            frontend: FrontendConfig {
                mfcc_count: MFCC,
                ..recipe.frontend
            },
            features: vec![Feature::Zcr, Feature::Rms, Feature::Mfcc],
            ..recipe
        },
        network: NetworkConfig::Classic(config),
        labels: ["neutral", "happy", "sad"].map(str::to_owned).to_vec(),
        corpora: vec!["crema-d".to_owned()],
        clips: ["a", "b", "c"].map(str::to_owned),
        normalisation: Normalisation {
            mean: (0..ROWS).map(|row| -30.0 - 3.0 * row as f32).collect(),
            deviation: (0..ROWS).map(|row| 15.0 + row as f32).collect(),
            scaling: Scaling::Fixed,
            floor: None,
        },
    }
}

/// Random weights whose normalisations have seen some batches, and raise some channels and turn others over.
fn network(config: &ClassicConfig) -> ClassicNet {
    // The device has one random generator for all threads.
    static RANDOM: Mutex<()> = Mutex::new(());
    let _alone = RANDOM.lock().unwrap_or_else(PoisonError::into_inner);
    let device = Device::flex().autodiff();
    device.seed(7);
    let mut network = config.init(&device);
    for block in [&mut network.first, &mut network.second, &mut network.third] {
        let channels = block.norm.gamma.val().dims();
        let around = Initializer::Uniform {
            min: -1.0,
            max: 1.5,
        };
        block.norm.gamma = around.init(channels, &device);
        block.norm.beta = around.init(channels, &device);
    }
    for _ in 0..3 {
        let of = [4, config.inputs];
        network.forward(Tensor::random(of, Distribution::Normal(0.5, 2.0), &device));
    }
    network
}

fn state() -> State {
    State {
        best: Some((3, 0.5)),
        ..State::default()
    }
}

const CALIBRATION: Calibration = Calibration {
    temperature: 1.5,
    unknown_threshold: 0.3,
};

/// Shorter than an answer takes, shorter than the window, as long, and longer.
fn clips() -> Vec<Example> {
    let all = SelfTest::input(200, ROWS);
    let clip = |frames: usize| Example {
        features: ClipFeatures {
            rows: ROWS,
            values: all[5 * frames..][..frames * ROWS].to_vec(),
        },
        target: 0,
        known: vec![true; CLASSES],
        ..Example::default()
    };
    [1, 5, 6, 7, 13, 19, 20, 21, 39, 100].map(clip).to_vec()
}

fn written(weights: Weights) -> (Vec<u8>, Drift) {
    let config = config(&shape());
    export(
        &network(&config),
        &plan(config),
        &state(),
        &CALIBRATION,
        weights,
        &clips(),
    )
    .unwrap()
}

#[test]
fn an_exported_window_answers_like_the_trainer_on_clips_of_any_length() {
    let (bytes, drift) = written(Weights::F32);
    assert_eq!(drift.probability, 0.0);
    let model = Model::from_bytes(&bytes).unwrap();
    let about = model.metadata();
    assert_eq!(about.network, NetworkKind::Windowed);
    assert_eq!(
        (about.window, about.shortest, about.stride, about.width),
        (20, Some(6), 1, 0)
    );
    // Of 16 ms each: a second.
    assert_eq!(about.update_hop, 63);

    let config = config(&shape());
    let (network, plan, clips) = (network(&config), plan(config), clips());
    let expected = validate::logits(&network, &clips, &plan.normalisation, &Device::flex());
    let found: Vec<Vec<f32>> = clips
        .iter()
        .map(|clip| logits(&model, &clip.features).unwrap())
        .collect();
    for (clip, (found, expected)) in clips.iter().zip(found.iter().zip(&expected)) {
        let frames = clip.features.frames();
        assert_eq!(*found == [0.0; CLASSES], frames < 6, "{frames}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            let most = 1e-4 * expected.abs().max(1.0);
            assert!(
                (found - expected).abs() < most,
                "{frames}: {found} {expected}"
            );
        }
    }
    assert_ne!(found[8], found[9]);
}

#[test]
fn weights_of_eight_bits_make_a_smaller_file_that_answers_nearly_the_same() {
    let (exact, _) = written(Weights::F32);
    let (small, drift) = written(Weights::Int8);
    assert!(drift.probability > 0.0, "{drift:?}");
    assert!(
        small.len() * 2 < exact.len(),
        "{} {}",
        small.len(),
        exact.len()
    );
    Model::from_bytes(&small).unwrap();
}

#[test]
fn a_network_on_the_excerpt_of_a_clip_is_not_written_and_the_error_tells_what_can_be() {
    let config = ClassicConfig::of(&shape(), ROWS * WINDOW.frames, CLASSES);
    let exported = export(
        &network(&config),
        &plan(config),
        &state(),
        &CALIBRATION,
        Weights::Int8,
        &[],
    );
    let error = exported.unwrap_err();
    assert!(matches!(error, ExportError::Excerpt), "{error}");
    assert!(error.to_string().contains("--network windowed"), "{error}");
}

#[test]
fn a_file_larger_than_a_box_reads_is_not_written_and_the_error_tells_how_it_becomes_smaller() {
    let config = config(&ClassicShape {
        filters: [4, 4, 80],
        hidden: [1024, 8],
        ..ClassicShape::default()
    });
    let network = network(&config);
    let export = |weights| {
        let clips = &clips()[..4];
        export(
            &network,
            &plan(config.clone()),
            &state(),
            &CALIBRATION,
            weights,
            clips,
        )
    };
    let error = export(Weights::F32).unwrap_err();
    assert!(matches!(error, ExportError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("--weights int8"), "{error}");
    let (bytes, _) = export(Weights::Int8).unwrap();
    assert!(bytes.len() > 4_000_000, "{}", bytes.len());
}
