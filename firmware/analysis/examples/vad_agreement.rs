//! Whether the detector of voice decides as the earshot crate does: every recording below the folders that are named.
//!
//! `cargo run --release -p undertone-analysis --example vad_agreement -- FOLDER...`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use undertone_analysis::vad::{EarshotVad, Vad};
use undertone_decode::{Limits, read_file};
use undertone_dsp::resample;

const RATE: u32 = 16_000;
/// Where a hop counts as speech.
const THRESHOLD: f32 = 0.5;

fn main() {
    let (mut clips, mut hops, mut differ, mut furthest) = (0, 0, 0, 0.0f32);
    let mut files = Vec::new();
    for folder in std::env::args().skip(1) {
        collect(Path::new(&folder), &mut files);
    }
    for file in files {
        let Ok(clip) = read_file(&file, &Limits::default()) else {
            continue;
        };
        let audio = resample(clip.mono(), clip.sample_rate, RATE).unwrap();
        let mut ours = EarshotVad::new();
        let mut theirs = earshot::Detector::default();
        for hop in audio.chunks_exact(ours.hop_length()) {
            let hop: Vec<f32> = hop.iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
            let (a, b) = (ours.probability(&hop), theirs.predict_f32(&hop));
            hops += 1;
            differ += usize::from((a > THRESHOLD) != (b > THRESHOLD));
            furthest = furthest.max((a - b).abs());
        }
        clips += 1;
    }
    println!(
        "{clips} recordings, {hops} hops: {differ} decided otherwise, probabilities at most {furthest:.5} apart"
    );
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            files.push(path);
        }
    }
}
