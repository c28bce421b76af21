//! Features agree with librosa, on the vectors that `golden/make_golden.py` made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use undertone_dsp::{Frontend, FrontendConfig};

/// Relative means: of the reference or of 1, whichever is larger; the values are dB and their DCT.
const SPECTRAL_TOLERANCE: f32 = 1e-3;
const RMS_TOLERANCE: f32 = 1e-5;

struct Golden {
    config: FrontendConfig,
    samples: Vec<f32>,
    zero_crossings: Vec<u16>,
    rms: Vec<f32>,
    log_mel: Vec<f32>,
    mfcc: Vec<f32>,
}

fn load(name: &str) -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
        .with_extension("golden");
    let bytes = std::fs::read(path).unwrap();
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
    let header = std::str::from_utf8(&bytes[..end]).unwrap();
    let field = |key: &str| {
        header
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .unwrap()
            .trim()
    };
    let config: FrontendConfig = serde_json::from_str(field("config:")).unwrap();
    let samples: usize = field("samples:").parse().unwrap();
    let frames: usize = field("frames:").parse().unwrap();

    let mut rest = &bytes[end + 2..];
    let mut take = |count: usize| rest.split_off(..count).unwrap();
    let samples = take(2 * samples)
        .as_chunks::<2>()
        .0
        .iter()
        .map(|b| f32::from(i16::from_le_bytes(*b)) / 32_768.0)
        .collect();
    let zero_crossings = take(2 * frames)
        .as_chunks::<2>()
        .0
        .iter()
        .map(|b| u16::from_le_bytes(*b))
        .collect();
    let mut floats = |count: usize| {
        take(4 * count)
            .as_chunks::<4>()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect()
    };
    let (rms, log_mel, mfcc) = (
        floats(frames),
        floats(frames * config.mel_bands),
        floats(frames * config.mfcc_count),
    );
    assert!(rest.is_empty());
    Golden {
        config,
        samples,
        zero_crossings,
        rms,
        log_mel,
        mfcc,
    }
}

fn worst(
    name: &str,
    what: &str,
    frame: usize,
    ours: &[f32],
    theirs: &[f32],
    tolerance: f32,
    worst: &mut f32,
) {
    assert_eq!(ours.len(), theirs.len());
    for (row, (a, b)) in ours.iter().zip(theirs).enumerate() {
        let error = (a - b).abs() / b.abs().max(1.0);
        assert!(
            error <= tolerance,
            "{name}: {what} {row} of frame {frame} is {a}, librosa has {b}"
        );
        *worst = worst.max(error);
    }
}

fn compare(name: &str) {
    let golden = load(name);
    let (bands, coefficients) = (golden.config.mel_bands, golden.config.mfcc_count);
    let mut frames = 0;
    let (mut worst_rms, mut worst_mel, mut worst_mfcc) = (0.0, 0.0, 0.0);
    Frontend::new(&golden.config)
        .unwrap()
        .push(&golden.samples, |frame| {
            let t = usize::try_from(frame.index).unwrap();
            let count = frame.zcr * golden.config.frame_length as f32;
            assert_eq!(
                count.round() as u16,
                golden.zero_crossings[t],
                "{name}: zero crossings of frame {t}"
            );
            assert!(
                (count - count.round()).abs() < 1e-3,
                "{name}: the rate is a count over the frame's length"
            );
            worst(
                name,
                "rms",
                t,
                &[frame.rms],
                &golden.rms[t..=t],
                RMS_TOLERANCE,
                &mut worst_rms,
            );
            let theirs = &golden.log_mel[t * bands..][..bands];
            worst(
                name,
                "mel band",
                t,
                frame.log_mel,
                theirs,
                SPECTRAL_TOLERANCE,
                &mut worst_mel,
            );
            let theirs = &golden.mfcc[t * coefficients..][..coefficients];
            worst(
                name,
                "mfcc",
                t,
                frame.mfcc,
                theirs,
                SPECTRAL_TOLERANCE,
                &mut worst_mfcc,
            );
            frames += 1;
        });
    assert_eq!(frames, golden.rms.len(), "{name}: number of frames");
    assert_eq!(frames, golden.config.frames(golden.samples.len()));
    println!(
        "{name}: {frames} frames, worst relative error: rms {worst_rms:.1e}, log-mel {worst_mel:.1e}, mfcc {worst_mfcc:.1e}"
    );
}

#[test]
fn the_default_configuration_agrees_with_librosa() {
    assert_eq!(load("default-16k").config, FrontendConfig::default());
    compare("default-16k");
}

#[test]
fn the_classic_configuration_of_the_field_agrees_with_librosa() {
    compare("keras-22k");
}

#[test]
fn telephone_sound_agrees_with_librosa() {
    compare("telephone-8k");
}

#[test]
fn studio_sound_agrees_with_librosa() {
    compare("studio-48k");
}

#[test]
fn an_odd_fft_and_a_hop_longer_than_the_frame_agree_with_librosa() {
    compare("odd-44k");
}
