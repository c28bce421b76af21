//! Both networks learn, and an interrupted run ends as one that was not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use burn::tensor::Device;
use undertone_dsp::FrontendConfig;
use undertone_train::features::ClipFeatures;
use undertone_train::network::NetworkConfig;
use undertone_train::network::classic::ClassicConfig;
use undertone_train::network::streaming::{Shape, StreamingConfig};
use undertone_train::training::augment::Augmentation;
use undertone_train::training::batch::Example;
use undertone_train::training::checkpoint::{EpochFigures, Plan, RunFolder, State};
use undertone_train::training::guided;
use undertone_train::training::normalise::{Normalisation, Scaling};
use undertone_train::training::recipe::Recipe;
use undertone_train::training::run::{Material, train};

/// The device has one random generator for all threads, so that only one test may draw from it at a time.
static RANDOM: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    RANDOM.lock().unwrap_or_else(PoisonError::into_inner)
}

fn classic() -> NetworkConfig {
    NetworkConfig::Classic(ClassicConfig {
        filters: [8, 8, 4],
        hidden: [16, 8],
        ..ClassicConfig::new(36, 3)
    })
}

fn streaming() -> NetworkConfig {
    NetworkConfig::Streaming(StreamingConfig {
        rows: 16,
        shape: Shape {
            channels: [4, 4, 4, 8],
            stem: [3, 5],
            row_strides: [2; 4],
            time_strides: [2, 1, 2, 1],
            width: 8,
            dilations: vec![1],
            hidden: 8,
            ..Shape::default()
        },
        classes: 3,
    })
}

/// Clips of three classes that differ in where their energy lies.
fn examples(network: &NetworkConfig) -> Vec<Example> {
    let (rows, frames) = match network {
        NetworkConfig::Classic(config) => (config.inputs, 1),
        NetworkConfig::Streaming(config) => (config.rows, 24),
    };
    let clip = |index: usize| {
        let target = index % 3;
        let value = |i: usize| {
            let noise = ((i * 7919 + index * 104_729) % 1000) as f32 / 1000.0;
            let peak = if i % rows / (rows / 3).max(1) == target {
                2.0
            } else {
                0.0
            };
            peak + noise - 30.0
        };
        Example {
            features: ClipFeatures {
                rows,
                values: (0..rows * frames).map(value).collect(),
            },
            target,
            known: vec![true; 3],
            ..Example::default()
        }
    };
    (0..24).map(clip).collect()
}

fn plan(network: NetworkConfig, examples: &[Example], epochs: usize) -> Plan {
    let rows = examples[0].features.rows;
    let recipe = match network {
        NetworkConfig::Classic(_) => Recipe::classic(),
        NetworkConfig::Streaming(_) => Recipe {
            augmentation: Augmentation::none(),
            frontend: FrontendConfig {
                mel_bands: 16,
                mfcc_count: 1,
                ..FrontendConfig::default()
            },
            average: 0.0,
            ..Recipe::default()
        },
    };
    let floor = recipe.floor;
    Plan {
        recipe: Recipe {
            epochs,
            batch: 8,
            learning_rate: 1e-2,
            ..recipe
        },
        network,
        labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
        corpora: vec!["ravdess".to_owned()],
        clips: [const { String::new() }; 3],
        normalisation: Normalisation::fit(examples.iter().map(|e| &e.features), rows, floor),
    }
}

/// Trained and validated on the same.
fn both(examples: &[Example]) -> Material<'_> {
    Material {
        train: examples,
        validation: examples,
        bank: None,
    }
}

fn figures(state: &State) -> Vec<EpochFigures> {
    let without_time = |figures: &EpochFigures| EpochFigures {
        seconds: 0.0,
        ..figures.clone()
    };
    state.epochs.iter().map(without_time).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn the_loss_of_either_network_falls_and_the_best_epoch_is_kept() {
    let _alone = alone();
    for network in [classic(), streaming()] {
        let dir = tempfile::tempdir().unwrap();
        let examples = examples(&network);
        let plan = plan(network, &examples, 12);
        let device = Device::flex().autodiff();
        let state = train(dir.path(), &plan, both(&examples), &device, |_, _| ()).unwrap();
        let (first, last) = (&state.epochs[0], &state.epochs[11]);
        assert!(
            last.loss < 0.7 * first.loss,
            "{} -> {}",
            first.loss,
            last.loss
        );
        let (best, score) = state.best.unwrap();
        assert_eq!(score, state.epochs[best - 1].score);
        let (schedule, count) = (plan.recipe.schedule, state.epochs.len());
        let mut scores = state.epochs.iter().map(|epoch| epoch.score).enumerate();
        assert!(schedule.settled(best - 1, count));
        assert!(scores.all(|(number, other)| other <= score || !schedule.settled(number, count)));
        assert!(dir.path().join("best.bpk").exists());
    }
}

/// All that the streamable network's recipe can switch on.
fn everything(recipe: Recipe) -> Recipe {
    Recipe {
        average: 0.8,
        scaling: Scaling::RunningMean,
        ..recipe
    }
}

#[test]
fn a_run_with_a_guide_and_averaged_weights_learns_and_is_resumed_where_it_stood() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let [whole, resumed] = ["whole", "resumed"].map(|name| dir.path().join(name));
    let mut examples = examples(&streaming());
    for (index, example) in examples.iter_mut().enumerate() {
        example.speaker = index % 4;
        // A step for four frames, and the guide counts them.
        let said = (0..6 * 5).map(|i| (i / 5 + i % 5 * example.target) as f32 + index as f32);
        example.guide = ClipFeatures {
            rows: 5,
            values: said.collect(),
        };
    }
    guided::standardise(&mut examples, 4);
    let mut plan = plan(streaming(), &examples, 5);
    plan.recipe = everything(plan.recipe);
    plan.normalisation.scaling = plan.recipe.scaling;
    let device = Device::flex().autodiff();
    let expected = train(&whole, &plan, both(&examples), &device, |epoch, _| {
        if epoch == 2 {
            copy(&whole, &resumed);
        }
    })
    .unwrap();
    assert!(expected.epochs[4].loss < expected.epochs[0].loss);
    let state = train(&resumed, &plan, both(&examples), &device, |_, _| ()).unwrap();
    assert_eq!(figures(&state), figures(&expected));
}

#[test]
fn a_resumed_run_of_either_network_ends_in_the_state_of_one_that_was_not_interrupted() {
    let _alone = alone();
    for network in [classic(), streaming()] {
        let dir = tempfile::tempdir().unwrap();
        let [whole, resumed] = ["whole", "resumed"].map(|name| dir.path().join(name));
        let examples = examples(&network);
        let plan = plan(network, &examples, 3);
        let device = Device::flex().autodiff();
        let expected = train(&whole, &plan, both(&examples), &device, |epoch, _| {
            if epoch == 1 {
                copy(&whole, &resumed);
            }
        })
        .unwrap();
        let (_, loaded, interrupted) = RunFolder::load(&resumed).unwrap();
        assert_eq!((&loaded, interrupted.epochs.len()), (&plan, 1));

        let mut heard = Vec::new();
        let state = train(&resumed, &plan, both(&examples), &device, |epoch, _| {
            heard.push(epoch);
        })
        .unwrap();
        assert_eq!(heard, [2, 3]);
        assert_eq!(figures(&state), figures(&expected));
        assert_eq!(
            (state.best, &state.plateau),
            (expected.best, &expected.plateau)
        );
    }
}

#[test]
fn a_stored_plan_of_the_streamable_network_is_read_without_naming_it() {
    let network = serde_json::to_value(streaming()).unwrap();
    assert_eq!(network["rows"], 16);
    assert_eq!(
        serde_json::from_value::<NetworkConfig>(network).unwrap(),
        streaming()
    );
    let network = serde_json::to_value(classic()).unwrap();
    assert_eq!(
        serde_json::from_value::<NetworkConfig>(network).unwrap(),
        classic()
    );
}
