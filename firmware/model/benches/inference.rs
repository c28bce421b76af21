//! The shipped network, for regressions: `cargo bench --package undertone-model`.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use divan::counter::ItemsCount;
use undertone_model::{Model, SelfTest};

const FILE: &[u8] = include_bytes!("../../../models/undertone-research.onnx");
/// One second.
const FRAMES: usize = 100;

fn main() {
    divan::main();
}

/// From bytes to a model that may be trusted.
#[divan::bench]
fn load() -> Model {
    Model::from_bytes(black_box(FILE)).unwrap()
}

/// The encoder over one second of frames.
#[divan::bench]
fn encoder(bencher: divan::Bencher<'_, '_>) {
    let model = Model::from_bytes(FILE).unwrap();
    let rows = model.metadata().rows();
    let frames = SelfTest::input(FRAMES, rows);
    let mut stream = model.stream().unwrap();
    bencher.counter(ItemsCount::new(FRAMES)).bench_local(|| {
        frames
            .chunks_exact(rows)
            .try_for_each(|frame| stream.push(frame))
    });
}

/// One answer, when all that is looked back at has been heard.
#[divan::bench]
fn head(bencher: divan::Bencher<'_, '_>) {
    let model = Model::from_bytes(FILE).unwrap();
    let rows = model.metadata().rows();
    let mut stream = model.stream().unwrap();
    for frame in SelfTest::input(model.metadata().window, rows).chunks_exact(rows) {
        stream.push(frame).unwrap();
    }
    let mut scores = vec![0.0; model.metadata().labels.len()];
    bencher.bench_local(|| stream.probabilities(black_box(&mut scores)));
}
