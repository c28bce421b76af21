//! The classic network's input agrees with librosa, on the vectors that `golden/make_window.py` made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use undertone_dsp::Feature;
use undertone_train::features::FeatureError;
use undertone_train::features::window::{Excerpt, WindowExtractor, classic_frontend};

const RATE: u32 = 22_050;

fn extractor() -> WindowExtractor {
    WindowExtractor {
        frontend: classic_frontend(),
        features: vec![Feature::Zcr, Feature::Rms, Feature::Mfcc],
        window: Excerpt::CLASSIC,
        cache: None,
    }
}

/// The samples of `golden/make_window.py`, as a 16-bit file.
fn write_clip(path: &Path, count: i64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    let mut state = 12_345i64;
    for i in 0..count {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        let noise = (state >> 16) - 16_384;
        let triangle = (i % 150 - 75).abs() * 400 - 15_000;
        let loudness = 1 + i % 6000;
        let sample = (noise.div_euclid(4) + triangle.div_euclid(2)) * loudness;
        writer
            .write_sample(i16::try_from(sample.div_euclid(6000)).unwrap())
            .unwrap();
    }
    writer.finalize().unwrap();
}

#[test]
fn windows_shorter_and_longer_than_the_clip_agree_with_librosa() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/window-22k.golden");
    let golden: Vec<f32> = std::fs::read(golden)
        .unwrap()
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect();
    let dir = tempfile::tempdir().unwrap();
    for (tenths, golden) in [19, 35].into_iter().zip(golden.chunks_exact(4536)) {
        let path = dir.path().join(format!("{tenths}.wav"));
        write_clip(&path, i64::from(RATE) * tenths / 10);
        let ours = extractor().clip(&path).unwrap();
        assert_eq!(ours.rows, 4536);
        for (index, (ours, librosa)) in ours.values.iter().zip(golden).enumerate() {
            let tolerance = match index {
                0..108 => 1e-6,
                108..216 => 1e-5,
                _ => 1e-3 * librosa.abs().max(10.0),
            };
            assert!(
                (ours - librosa).abs() <= tolerance,
                "{tenths}/10 s, value {index}: {ours} instead of {librosa}"
            );
        }
    }
}

#[test]
fn a_clip_that_ends_before_the_window_begins_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("short.wav");
    write_clip(&path, 13_000);
    let error = extractor().clip(&path).unwrap_err();
    assert!(matches!(error, FeatureError::NoExcerpt { .. }), "{error}");
    assert!(error.to_string().contains("short.wav"), "{error}");
}
