//! A network with random weights, exported and read back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Mutex, PoisonError};

use burn::tensor::{Device, Distribution, Tensor};
use prost::Message;
use undertone_dsp::{Feature, Floor, FrontendConfig};
use undertone_model::onnx::ModelProto;
use undertone_model::{Licence, Model, ModelError, SelfTest};
use undertone_train::adapt::enrol;
use undertone_train::adapt::head::Head;
use undertone_train::evaluation::model::logits;
use undertone_train::export::calibrate::Calibration;
use undertone_train::export::{ExportError, Weights, export};
use undertone_train::features::ClipFeatures;
use undertone_train::network::NetworkConfig;
use undertone_train::network::streaming::{Shape, StreamingConfig, StreamingNet};
use undertone_train::training::batch::Example;
use undertone_train::training::checkpoint::{Plan, State};
use undertone_train::training::normalise::{Normalisation, Scaling};
use undertone_train::training::recipe::Recipe;

const CALIBRATION: Calibration = Calibration {
    temperature: 1.5,
    unknown_threshold: 0.3,
};

fn shape(rows: usize) -> StreamingConfig {
    StreamingConfig {
        rows,
        shape: Shape {
            channels: [4, 6, 8, 10],
            width: 64,
            hidden: 48,
            ..Shape::default()
        },
        classes: 3,
    }
}

fn plan(rows: usize) -> Plan {
    let labels = ["neutral", "happy", "sad"].map(str::to_owned).to_vec();
    Plan {
        recipe: Recipe {
            frontend: FrontendConfig {
                mel_bands: rows,
                mfcc_count: 1,
                ..FrontendConfig::default()
            },
            features: vec![Feature::LogMel],
            ..Recipe::default()
        },
        network: NetworkConfig::Streaming(shape(rows)),
        labels,
        corpora: vec!["crema-d".to_owned()],
        clips: ["a", "b", "c"].map(str::to_owned),
        normalisation: Normalisation {
            mean: vec![-40.0; rows],
            deviation: vec![12.0; rows],
            scaling: Scaling::Fixed,
            floor: None,
        },
    }
}

static DRAWING: Mutex<()> = Mutex::new(());

/// Random weights whose running statistics have seen some batches, so that folding them is put to the test.
fn network(rows: usize) -> StreamingNet {
    drawn(&shape(rows))
}

fn drawn(config: &StreamingConfig) -> StreamingNet {
    let device = Device::flex().autodiff();
    // All tests draw from one generator, and some networks drift more than others.
    let _alone = DRAWING.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(7);
    let network = config.init(&device);
    for _ in 0..3 {
        let features = Tensor::random(
            [4, config.rows, 64],
            Distribution::Normal(0.5, 2.0),
            &device,
        );
        let steps = 64 / network.time_stride();
        network.forward(features, Tensor::ones([4, 1, steps], &device));
    }
    network
}

fn state() -> State {
    State {
        best: Some((3, 0.5)),
        ..State::default()
    }
}

fn clips(rows: usize) -> Vec<Example> {
    // Too short for an answer, and from one step of the encoder on.
    [3, 8, 9, 15, 16, 63, 250]
        .into_iter()
        .map(|frames| Example {
            features: ClipFeatures {
                rows,
                values: SelfTest::input(frames, rows),
            },
            target: 0,
            known: vec![true; 3],
            ..Example::default()
        })
        .collect()
}

#[test]
fn an_exported_network_answers_like_the_trainer_on_clips_of_any_length() {
    for (rows, weights) in [(16, Weights::F32), (20, Weights::Int8), (33, Weights::Int8)] {
        let clips = clips(rows);
        let exported = export(
            &network(rows),
            &plan(rows),
            &state(),
            &CALIBRATION,
            weights,
            &clips,
        );
        let (bytes, drift) = exported.unwrap();
        assert_eq!(
            drift.probability == 0.0,
            weights == Weights::F32,
            "{drift:?}"
        );
        let model = Model::from_bytes(&bytes).unwrap();
        let metadata = model.metadata();
        assert_eq!(metadata.labels, ["neutral", "happy", "sad"]);
        assert_eq!(metadata.provenance.licence, Licence::Open);
        assert_eq!(metadata.provenance.epoch, 3);
        assert_eq!(
            (metadata.temperature, metadata.unknown_threshold),
            (1.5, 0.3)
        );
        let head = Head::of(metadata, &ModelProto::decode(bytes.as_slice()).unwrap()).unwrap();
        for clip in &clips {
            let mut stream = model.stream().unwrap();
            for frame in clip.features.values.chunks_exact(rows) {
                stream.push(frame).unwrap();
            }
            let mut expected = [0.0; 3];
            let answers = stream.logits(&mut expected).unwrap();
            assert_eq!(answers, clip.features.frames() >= metadata.stride);
            let heard = enrol(&model, &head, &clip.features, 0).unwrap();
            assert_eq!(heard.is_some(), answers);
            let Some(heard) = heard else { continue };
            for (found, expected) in head.logits(&heard.hidden).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-4, "{found} {expected}");
            }
        }
    }
}

/// A network of 20 rows as a file of `f32`, compared with the trainer on `clips`, and read back.
fn exported(plan: &Plan, clips: &[Example]) -> Result<Model, ModelError> {
    let written = export(
        &network(20),
        plan,
        &state(),
        &CALIBRATION,
        Weights::F32,
        clips,
    );
    Model::from_bytes(&written.unwrap().0)
}

#[test]
fn scaling_against_the_running_mean_is_the_same_in_the_file_and_while_training() {
    let mut plan = plan(20);
    plan.normalisation.scaling = Scaling::RunningMean;
    let mut clips = clips(20);
    let long = SelfTest::input(700, 20);
    clips[0].features.values = long;
    assert!(exported(&plan, &clips).is_ok());
}

#[test]
fn a_floor_is_put_under_an_utterance_by_the_file_as_while_training() {
    let floor = Floor {
        low_db: 3.0,
        high_db: 9.0,
        hold: 40,
        release_db: 0.1,
    };
    let mut plan = plan(20);
    let answers = [None, Some(floor)].map(|floor| {
        plan.normalisation.floor = floor;
        let model = exported(&plan, &clips(20)).unwrap();
        assert_eq!(model.metadata().floor, floor);
        logits(&model, &clips(20)[5].features).unwrap()
    });
    assert_ne!(answers[0], answers[1]);
}

#[test]
fn a_layer_whose_rounding_moves_answers_too_far_stays_as_it_is() {
    let mut config = shape(16);
    config.shape.hidden = 600;
    let mut network = drawn(&config);
    // Weights that nothing ever reaches decide the scale of all others.
    let norm = &mut network.fold.norm;
    norm.gamma = norm.gamma.clone().map(|gamma| gamma.slice_fill(0..1, 0.0));
    norm.beta = norm.beta.clone().map(|beta| beta.slice_fill(0..1, -1.0));
    let conv = &mut network.temporal[0].conv.conv;
    let unheard = [0..64, 0..1, 0..1, 0..3];
    conv.weight = (conv.weight.clone()).map(|weight| weight.slice_fill(unheard.clone(), 4000.0));
    let mut plan = plan(16);
    plan.network = NetworkConfig::Streaming(config);
    let exported = export(
        &network,
        &plan,
        &state(),
        &CALIBRATION,
        Weights::Int8,
        &clips(16),
    );
    let (bytes, drift) = exported.unwrap();
    assert!(drift.probability > 0.0, "{drift:?}");
    let graph = ModelProto::decode(bytes.as_slice()).unwrap().graph.unwrap();
    let integers: Vec<&str> = (graph.node.iter())
        .filter(|node| node.op_type == "DequantizeLinear")
        .map(|node| node.name.as_str())
        .collect();
    assert!(!integers.is_empty());
    assert!(
        integers.iter().all(|name| !name.starts_with("temporal0")),
        "{integers:?}"
    );
}

#[test]
fn a_network_that_the_plan_does_not_describe_is_not_written() {
    let mut plan = plan(16);
    plan.labels.pop();
    assert!(matches!(
        export(
            &network(16),
            &plan,
            &state(),
            &CALIBRATION,
            Weights::Int8,
            &[]
        ),
        Err(ExportError::Model(
            ModelError::BadMetadata { .. } | ModelError::Graph { .. }
        ))
    ));
}

#[test]
fn a_run_without_an_epoch_is_not_written() {
    let untrained = export(
        &network(16),
        &plan(16),
        &State::default(),
        &CALIBRATION,
        Weights::Int8,
        &[],
    );
    assert!(matches!(untrained, Err(ExportError::Untrained)));
}
