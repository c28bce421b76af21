//! The stream's invariants, on random input: blocks do not matter, a reset forgets everything, nothing panics.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use undertone_dsp::{Feature, Frontend, FrontendConfig};

const ALL: [Feature; 4] = [Feature::Zcr, Feature::Rms, Feature::Mfcc, Feature::LogMel];

/// Bit patterns of every row of every frame, so that equality is exact.
fn frames(frontend: &mut Frontend, blocks: &[&[f32]]) -> Vec<(u64, Vec<u32>)> {
    let rows = frontend.config().rows(&ALL);
    let mut frames = Vec::new();
    for block in blocks {
        frontend.push(block, |frame| {
            let mut out = vec![0.0; rows];
            assert_eq!(frame.write_rows(&ALL, &mut out), rows);
            frames.push((
                frame.index,
                out.iter().map(|value| value.to_bits()).collect(),
            ));
        });
    }
    frames
}

fn cut<'a>(samples: &'a [f32], lengths: &[usize]) -> Vec<&'a [f32]> {
    let mut rest = samples;
    let mut blocks = Vec::new();
    for &length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (block, after) = rest.split_at(length.min(rest.len()));
        blocks.push(block);
        rest = after;
    }
    blocks
}

fn configs() -> impl Strategy<Value = FrontendConfig> {
    (2usize..700, 1usize..900, 0usize..300, 1usize..12).prop_map(
        |(frame_length, hop_length, pad, mel_bands)| FrontendConfig {
            frame_length,
            hop_length,
            fft_size: (frame_length + pad).max(64),
            mel_bands,
            mel_low_hz: 0.0,
            mfcc_count: mel_bands / 2,
            ..FrontendConfig::default()
        },
    )
}

fn any_sample() -> impl Strategy<Value = f32> {
    prop_oneof![8 => -1.0f32..1.0, 1 => proptest::num::f32::ANY, 1 => Just(0.0)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_cut_of_the_input_gives_bit_identical_frames(
        config in configs(),
        samples in prop::collection::vec(any_sample(), 0..9_000),
        lengths in prop::collection::vec(0usize..2_000, 1..12),
    ) {
        prop_assume!(config.validate().is_ok() && lengths.iter().any(|&length| length > 0));
        let whole = frames(&mut Frontend::new(&config).unwrap(), &[&samples]);
        let cut = frames(&mut Frontend::new(&config).unwrap(), &cut(&samples, &lengths));
        prop_assert_eq!(whole.len(), config.frames(samples.len()));
        prop_assert!(whole.iter().enumerate().all(|(t, (index, _))| *index == t as u64));
        prop_assert!(whole == cut);
    }

    #[test]
    fn a_reset_front_end_equals_a_fresh_one(
        config in configs(),
        before in prop::collection::vec(any_sample(), 0..3_000),
        samples in prop::collection::vec(any_sample(), 0..3_000),
    ) {
        prop_assume!(config.validate().is_ok());
        let mut used = Frontend::new(&config).unwrap();
        used.push(&before, |_| ());
        used.reset();
        prop_assert!(frames(&mut used, &[&samples]) == frames(&mut Frontend::new(&config).unwrap(), &[&samples]));
    }

    #[test]
    fn every_feature_is_finite_whatever_comes_in(samples in prop::collection::vec(proptest::num::f32::ANY, 400..4_000)) {
        let config = FrontendConfig::default();
        for (_, rows) in frames(&mut Frontend::new(&config).unwrap(), &[&samples]) {
            for (row, value) in rows.into_iter().map(f32::from_bits).enumerate() {
                prop_assert!(value.is_finite(), "row {} is {}", row, value);
            }
        }
    }

    #[test]
    fn a_config_either_builds_or_says_why(
        sample_rate in any::<u32>(), frame_length in any::<usize>(), hop_length in any::<usize>(), fft_size in 0usize..200_000,
        mel_bands in 0usize..2_000, mel_low_hz in any::<f32>(), mel_high_hz in any::<f32>(), mfcc_count in any::<usize>(),
    ) {
        let config = FrontendConfig {
            sample_rate, frame_length, hop_length, fft_size, mel_bands, mel_low_hz, mel_high_hz, mfcc_count,
        };
        match Frontend::new(&config) {
            Ok(_) => prop_assert!(config.validate().is_ok()),
            Err(error) => prop_assert!(error.to_string().len() > 20),
        }
    }
}

#[test]
fn what_is_not_finite_counts_as_zero_and_what_is_too_loud_as_the_limit() {
    let mut strange = vec![0.1f32; 400];
    let mut plain = strange.clone();
    for (at, value, counts_as) in [
        (3, f32::NAN, 0.0),
        (50, f32::INFINITY, 0.0),
        (51, f32::NEG_INFINITY, 0.0),
        (90, f32::MAX, undertone_dsp::SAMPLE_LIMIT),
    ] {
        (strange[at], plain[at]) = (value, counts_as);
    }
    let mut frontend = Frontend::new(&FrontendConfig::default()).unwrap();
    let first = frames(&mut frontend, &[&strange]);
    frontend.reset();
    assert_eq!(first, frames(&mut frontend, &[&plain]));
}

#[test]
fn silence_is_silence() {
    let config = FrontendConfig::default();
    Frontend::new(&config)
        .unwrap()
        .push(&[0.0; 4_000], |frame| {
            assert_eq!((frame.zcr, frame.rms), (0.0, 0.0));
            assert!(frame.log_mel.iter().all(|db| (db + 100.0).abs() < 1e-4));
        });
}

#[test]
fn rows_come_in_the_order_of_the_list_and_stop_where_the_slice_ends() {
    let mut frontend = Frontend::new(&FrontendConfig::default()).unwrap();
    let samples: Vec<f32> = (0..400).map(|n| (n as f32 * 0.3).sin()).collect();
    let mut seen = 0;
    frontend.push(&samples, |frame| {
        let mut out = [0.0; 42];
        assert_eq!(
            frame.write_rows(&[Feature::Rms, Feature::Mfcc, Feature::Zcr], &mut out),
            42
        );
        assert_eq!(
            (out[0], &out[1..41], out[41]),
            (frame.rms, frame.mfcc, frame.zcr)
        );
        let mut short = [9.0; 3];
        assert_eq!(frame.write_rows(&[Feature::LogMel], &mut short), 3);
        assert_eq!(short, frame.log_mel[..3]);
        seen += 1;
    });
    assert_eq!(seen, 1);
}

#[test]
fn a_front_end_of_some_features_computes_the_same_rows_and_leaves_out_the_others() {
    let config = FrontendConfig::default();
    let samples: Vec<f32> = (0..4_000).map(|n| (n as f32 * 0.37).sin() * 0.3).collect();
    let rows = |mut frontend: Frontend, features: &[Feature]| {
        let mut all = Vec::new();
        frontend.push(&samples, |frame| {
            let mut out = vec![0.0; config.rows(features)];
            assert_eq!(frame.write_rows(features, &mut out), out.len());
            all.extend(out);
        });
        all
    };
    for features in [
        &[Feature::LogMel][..],
        &[Feature::Mfcc],
        &[Feature::Rms, Feature::Zcr],
        &[Feature::Zcr, Feature::Mfcc, Feature::LogMel, Feature::Rms],
    ] {
        let some = Frontend::of_features(&config, features).unwrap();
        let all = Frontend::new(&config).unwrap();
        assert_eq!(rows(some, features), rows(all, features), "{features:?}");
    }
    let mut frontend = Frontend::of_features(&config, &[Feature::Zcr]).unwrap();
    frontend.push(&samples, |frame| {
        assert!(frame.zcr > 0.0 && frame.rms == 0.0);
        assert!(frame.log_mel.is_empty() && frame.mfcc.is_empty());
    });
}
