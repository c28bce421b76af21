//! The resampler keeps what it must keep, removes what it must remove, and stays in time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use std::f64::consts::TAU;
use undertone_dsp::{DspError, Resampler};

const AMPLITUDE: f64 = 0.5;

fn tone(rate: u32, hz: f64, samples: usize) -> Vec<f32> {
    (0..samples)
        .map(|n| (AMPLITUDE * (TAU * hz * n as f64 / f64::from(rate)).sin()) as f32)
        .collect()
}

fn convert(from: u32, to: u32, samples: &[f32], block: usize) -> Vec<f32> {
    let mut resampler = Resampler::new(from, to).unwrap();
    let mut out = Vec::new();
    for block in samples.chunks(block.max(1)) {
        resampler.push(block, |ready| out.extend_from_slice(ready));
    }
    resampler.flush(|ready| out.extend_from_slice(ready));
    out
}

/// The middle, away from where the sound sets in and ends.
fn middle(samples: &[f32]) -> &[f32] {
    &samples[samples.len() / 4..samples.len() * 3 / 4]
}

fn rms_db(samples: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = samples.len() as f64;
    10.0 * (samples.map(|sample| sample * sample).sum::<f64>() / count)
        .max(1e-30)
        .log10()
}

#[test]
fn tones_in_the_passband_come_out_as_the_same_tone_at_the_same_time() {
    for (from, to) in [
        (48_000, 16_000),
        (44_100, 16_000),
        (8_000, 16_000),
        (22_050, 16_000),
        (96_000, 16_000),
        (24_414, 16_000),
    ] {
        for share in [0.01, 0.3, 0.7, 0.9, 0.95] {
            let hz = share * f64::from(from.min(to)) / 2.0;
            let out = convert(from, to, &tone(from, hz, from as usize * 3), 1_000);
            let expected = tone(to, hz, out.len());
            let error = middle(&out)
                .iter()
                .zip(middle(&expected))
                .map(|(a, b)| f64::from(a - b));
            let relative = rms_db(error) - rms_db(middle(&expected).iter().map(|x| f64::from(*x)));
            // -80 dB bounds the change of amplitude by 0.001 dB and the shift in time by 1/10,000 of a period.
            assert!(
                relative < -80.0,
                "{from} to {to}, {hz:.0} Hz: error at {relative:.1} dB"
            );
        }
    }
}

#[test]
fn what_lies_above_the_new_nyquist_frequency_is_down_by_100_db() {
    for (from, to) in [
        (48_000, 16_000),
        (44_100, 16_000),
        (96_000, 16_000),
        (22_050, 16_000),
    ] {
        for share in [1.001, 1.02, 1.1, 1.3, 1.9] {
            let hz = share * f64::from(to) / 2.0;
            if hz < f64::from(from) / 2.0 {
                let out = convert(from, to, &tone(from, hz, from as usize * 2), 4_096);
                let level = rms_db(middle(&out).iter().map(|x| f64::from(*x)))
                    - 20.0 * (AMPLITUDE / 2.0f64.sqrt()).log10();
                assert!(
                    level < -100.0,
                    "{from} to {to}, {hz:.0} Hz comes through at {level:.1} dB"
                );
            }
        }
    }
}

#[test]
fn upsampling_leaves_no_image_above_the_old_nyquist_frequency() {
    let out = convert(8_000, 16_000, &tone(8_000, 3_000.0, 16_000), 160);
    let image = middle(&out)
        .iter()
        .enumerate()
        .map(|(n, x)| f64::from(*x) * (TAU * 5_000.0 * n as f64 / 16_000.0).sin());
    let level = 20.0
        * (image.sum::<f64>().abs() / (out.len() as f64 / 2.0))
            .max(1e-30)
            .log10();
    assert!(level < -80.0, "{level:.1} dB");
}

#[test]
fn equal_rates_pass_every_bit_untouched() {
    let samples = [0.1, f32::NAN, -7.0, f32::INFINITY, 0.0];
    let out = convert(16_000, 16_000, &samples, 2);
    assert!(
        samples
            .iter()
            .zip(&out)
            .all(|(a, b)| a.to_bits() == b.to_bits())
            && out.len() == samples.len()
    );
}

#[test]
fn output_is_never_later_than_is_promised() {
    for (from, to, latency) in [
        (48_000, 16_000, 0.030),
        (44_100, 16_000, 0.030),
        (96_000, 16_000, 0.030),
        (8_000, 16_000, 0.060),
        (22_050, 16_000, 0.060),
        (24_414, 16_000, 1.5),
        (16_000, 16_000, 0.0),
    ] {
        let mut resampler = Resampler::new(from, to).unwrap();
        let (mut taken, mut given) = (0usize, 0usize);
        for _ in 0..2_000 {
            resampler.push(&[0.1; 37], |ready| given += ready.len());
            taken += 37;
            let behind = taken as f64 / f64::from(from) - given as f64 / f64::from(to);
            assert!(
                (-1e-9..=latency + 1e-9).contains(&behind),
                "{from}: {behind} s behind after {taken} samples"
            );
        }
    }
}

#[test]
fn what_is_not_finite_does_not_stay_inside() {
    let mut samples = tone(48_000, 440.0, 48_000);
    samples[10_000] = f32::NAN;
    samples[20_000] = f32::INFINITY;
    let out = convert(48_000, 16_000, &samples, 777);
    assert!(
        out.iter()
            .all(|sample| sample.is_finite() && sample.abs() < 1.0)
    );
}

#[test]
fn a_rate_out_of_range_is_refused_with_the_range() {
    for (from, to) in [(0, 16_000), (16_000, 0), (999, 16_000), (16_000, u32::MAX)] {
        let error = Resampler::new(from, to).unwrap_err();
        assert!(matches!(error, DspError::UnsupportedRate { .. }));
        assert!(error.to_string().contains("1000 to 768000"), "{error}");
    }
}

#[test]
fn rates_that_need_a_huge_filter_are_refused_and_those_of_real_devices_are_not() {
    for (from, to) in [(767_957, 16_000), (16_000, 383_999)] {
        let error = Resampler::new(from, to).unwrap_err();
        assert!(matches!(error, DspError::IncommensurableRates { .. }));
        assert!(error.to_string().contains(&from.to_string()), "{error}");
    }
    for from in [22_255, 24_414, 44_056, 99_999, 176_400, 384_000, 705_600] {
        assert!(Resampler::new(from, 16_000).is_ok(), "{from}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cut_of_the_input_gives_the_same_samples_and_the_exact_length(
        from in prop::sample::select(vec![8_000u32, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]),
        to in prop::sample::select(vec![8_000u32, 16_000, 22_050, 48_000]),
        samples in prop::collection::vec(-1.0f32..1.0, 0..20_000),
        block in 1usize..5_000,
    ) {
        let whole = convert(from, to, &samples, samples.len());
        prop_assert!(whole == convert(from, to, &samples, block));
        let exact = (samples.len() as f64 * f64::from(to) / f64::from(from)).round() as usize;
        prop_assert_eq!(whole.len(), exact);
    }

    #[test]
    fn a_resampler_that_was_reset_or_flushed_equals_a_fresh_one(
        before in prop::collection::vec(-1.0f32..1.0, 0..5_000),
        samples in prop::collection::vec(-1.0f32..1.0, 0..5_000),
        flushed in any::<bool>(),
    ) {
        let mut used = Resampler::new(44_100, 16_000).unwrap();
        used.push(&before, |_| ());
        if flushed { used.flush(|_| ()) } else { used.reset() }
        let mut out = Vec::new();
        used.push(&samples, |ready| out.extend_from_slice(ready));
        used.flush(|ready| out.extend_from_slice(ready));
        prop_assert!(out == convert(44_100, 16_000, &samples, 100));
    }
}
