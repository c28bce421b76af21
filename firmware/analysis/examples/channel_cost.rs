//! What a live channel costs: continuous speech through each part of the way, and through all of it.
//!
//! `cargo run --release -p undertone-analysis --example channel_cost -- MODEL [SECONDS [PART]]`; PART is one of vad,
//! features, model, whole, for a profiler, and for `cargo xtask instructions`, which counts what happens inside [`measured`].
//! Prints processor time, not time on the clock.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::hint::black_box;
use std::path::Path;

use undertone_analysis::vad::{EarshotVad, Vad};
use undertone_analysis::{AnalysisSettings, Channels, Format, analyser};
use undertone_decode::{Limits, read_file};
use undertone_dsp::Frontend;
use undertone_events::{SegmenterConfig, TrackerConfig};
use undertone_model::Model;

const RATE: usize = 16_000;

fn main() {
    let mut args = std::env::args().skip(1);
    let file = args.next().expect("the first argument is a model file");
    let model = Model::from_bytes(&std::fs::read(file).unwrap()).unwrap();
    let seconds = args
        .next()
        .map_or(60, |seconds| seconds.parse().expect("a number of seconds"));
    let only = args.next();
    let audio = continuous_speech(seconds * RATE);
    let part = |name: &str, run: &mut dyn FnMut()| {
        if only.as_deref().is_none_or(|only| only == name) {
            let per_second = measured(run) * 1e3 / seconds as f64;
            println!("{name:8} {per_second:.4} ms per second of speech");
        }
    };
    part("vad", &mut || {
        let mut vad = EarshotVad::new();
        for hop in audio.chunks_exact(vad.hop_length()) {
            black_box(vad.probability(hop));
        }
    });
    let about = model.metadata();
    let mut frontend = Frontend::of_features(&about.frontend, &about.features).unwrap();
    part("features", &mut || {
        frontend.push(&audio, |frame| {
            black_box(frame.log_mel[0]);
        });
        frontend.reset();
    });
    let rows = about.rows();
    let mut frames = Vec::new();
    frontend.push(&audio, |frame| {
        let start = frames.len();
        frames.resize(start + rows, 0.0);
        frame.write_rows(&about.features, &mut frames[start..]);
    });
    let mut out = vec![0.0; about.labels.len()];
    part("model", &mut || {
        let mut stream = model.stream().unwrap();
        for (index, frame) in frames.chunks_exact(rows).enumerate() {
            stream.push(frame).unwrap();
            if (index + 1).is_multiple_of(about.update_hop) {
                stream.probabilities(&mut out).unwrap();
            }
        }
    });
    part("whole", &mut || {
        let mut analyser = analyser(&model, &settings()).unwrap();
        for block in audio.chunks(320) {
            analyser
                .push(block, &mut |_, told| drop(black_box(told)))
                .unwrap();
        }
    });
}

/// Processor time that `run` takes.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) -> f64 {
    let start = processor_seconds();
    run();
    processor_seconds() - start
}

fn settings() -> AnalysisSettings {
    AnalysisSettings {
        format: Format {
            rate: RATE as u32,
            channels: 1,
        },
        channels: Channels::Mix,
        segments: SegmenterConfig::default(),
        events: TrackerConfig::default(),
        level_interval_ms: None,
        block_frames: 1024,
    }
}

/// The two sentences of the test clip again and again, without the pauses around them.
fn continuous_speech(samples: usize) -> Vec<f32> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/assets/speech.wav");
    let clip = read_file(&path, &Limits::default()).unwrap().mono();
    let speech = [&clip[9_600..36_960], &clip[59_360..93_440]].concat();
    speech.iter().copied().cycle().take(samples).collect()
}

/// Processor time of this thread so far (Linux).
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
    nanoseconds * 1e-9
}
