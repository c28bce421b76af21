//! What a live channel costs: the same speech without pauses, through each part of the way and through the whole of it.
//!
//! `cargo run --release -p undertone-analysis --example channel_cost -- MODEL SECONDS [PART]`; PART is one of vad,
//! features, model, whole. Prints processor time of this thread per second of speech.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use undertone_analysis::vad::{EarshotVad, Vad};
use undertone_analysis::{AnalysisSettings, Channels, Format, analyser};
use undertone_dsp::{Frontend, FrontendConfig};
use undertone_events::{SegmenterConfig, TrackerConfig};
use undertone_model::Model;

fn main() {
    let mut args = std::env::args().skip(1);
    let model = Model::from_bytes(&std::fs::read(args.next().unwrap()).unwrap()).unwrap();
    let seconds: usize = args.next().unwrap().parse().unwrap();
    let part = args.next().unwrap_or("all".into());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/assets/speech.wav");
    let clip = undertone_decode::read_file(
        std::path::Path::new(path),
        &undertone_decode::Limits::default(),
    )
    .unwrap()
    .mono();
    let speech: Vec<f32> = [&clip[9_600..36_960], &clip[59_360..93_440]].concat();
    let audio: Vec<f32> = speech
        .iter()
        .copied()
        .cycle()
        .take(seconds * 16_000)
        .collect();
    let report = |name: &str, start: Instant| {
        let per = start.elapsed().as_secs_f64() * 1e3 / seconds as f64;
        println!("{name:10} {per:.4} ms per second of speech");
    };
    if part == "vad" || part == "all" {
        let mut vad = EarshotVad::new();
        let start = Instant::now();
        let mut voiced = 0;
        for hop in audio.chunks_exact(256) {
            voiced += usize::from(vad.probability(hop) > 0.35);
        }
        report("vad", start);
        println!("   voiced {}", voiced as f64 / (audio.len() / 256) as f64);
    }
    let config = FrontendConfig::default();
    let mut frames = Vec::new();
    if part != "vad" {
        let mut frontend = Frontend::new(&config).unwrap();
        let start = Instant::now();
        frontend.push(&audio, |frame| frames.extend_from_slice(frame.log_mel));
        report("features", start);
    }
    if part == "model" || part == "all" {
        let mut stream = model.stream().unwrap();
        let start = Instant::now();
        let mut out = [0.0; 7];
        for (index, frame) in frames.chunks_exact(64).enumerate() {
            stream.push(frame).unwrap();
            if index % 50 == 49 {
                stream.probabilities(&mut out).unwrap();
            }
        }
        report("model", start);
        let start = Instant::now();
        for (index, frame) in frames.chunks_exact(64).enumerate() {
            stream.push(frame).unwrap();
            if index % 5000 == 49 {
                stream.probabilities(&mut out).unwrap();
            }
        }
        report("encoder", start);
    }
    if part == "whole" || part == "all" {
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
        let mut analyser = analyser(&model, &settings).unwrap();
        let mut events = 0;
        let start = Instant::now();
        for block in audio.chunks(320) {
            analyser.push(block, &mut |_, _| events += 1).unwrap();
        }
        report("whole", start);
        println!("   {events} events");
    }
}
