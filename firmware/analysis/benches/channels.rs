//! Voice activity and whole channels, for regressions: `cargo bench --package undertone-analysis`.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::path::Path;

use divan::counter::ItemsCount;
use undertone_analysis::vad::{EarshotVad, Vad};
use undertone_analysis::{AnalysisSettings, Channels, Format, analysers};
use undertone_decode::{Limits, read_file};
use undertone_events::{SegmenterConfig, TrackerConfig};
use undertone_model::Model;

const MODEL: &[u8] = include_bytes!("../../../models/undertone-research.onnx");
/// Samples that come at once: 20 ms.
const PERIOD: usize = 320;

fn main() {
    divan::main();
}

/// Speech without pauses: the first utterance of `tests/assets/speech.wav`.
fn speech() -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/assets/speech.wav");
    let samples = read_file(&path, &Limits::default()).unwrap().mono();
    samples[9_600..36_960].to_vec()
}

#[divan::bench]
fn voice_activity(bencher: divan::Bencher<'_, '_>) {
    let samples = speech();
    let mut vad = EarshotVad::new();
    bencher
        .counter(ItemsCount::new(samples.len()))
        .bench_local(|| {
            samples
                .chunks_exact(vad.hop_length())
                .map(|hop| vad.probability(hop))
                .sum::<f32>()
        });
}

/// From samples to events, so many channels in turn.
#[divan::bench(args = [1, 16])]
fn channels(bencher: divan::Bencher<'_, '_>, count: usize) {
    let model = Model::from_bytes(MODEL).unwrap();
    let settings = AnalysisSettings {
        format: Format {
            rate: 16_000,
            channels: 1,
        },
        channels: Channels::Mix,
        segments: SegmenterConfig::default(),
        events: TrackerConfig::default(),
        level_interval_ms: None,
        block_frames: 1024,
    };
    let mut channels = analysers(&model, &vec![settings; count]).unwrap();
    let samples = speech();
    bencher
        .counter(ItemsCount::new(samples.len() * count))
        .bench_local(|| {
            for block in samples.chunks(PERIOD) {
                for channel in &mut channels {
                    channel
                        .push(block, &mut |_, told| drop(black_box(told)))
                        .unwrap();
                }
            }
        });
}
