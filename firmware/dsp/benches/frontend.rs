//! Features and resampling, for regressions: `cargo bench --package undertone-dsp`.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;

use divan::counter::ItemsCount;
use undertone_dsp::{Frontend, FrontendConfig, Resampler};

fn main() {
    divan::main();
}

/// One second of noise over a tone.
fn second(rate: u32) -> Vec<f32> {
    let mut state = 1u32;
    let sample = |n: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        0.1 * (state as f32 / u32::MAX as f32 - 0.5) + 0.3 * (n as f32 * 0.05).sin()
    };
    (0..rate).map(sample).collect()
}

/// ZCR, RMS, log-mel and MFCC of one second at 16 kHz, in blocks of so many samples.
#[divan::bench(args = [160, 1024, 16_000])]
fn features(bencher: divan::Bencher<'_, '_>, block: usize) {
    let samples = second(16_000);
    let mut frontend = Frontend::new(&FrontendConfig::default()).unwrap();
    bencher
        .counter(ItemsCount::new(samples.len()))
        .bench_local(|| {
            for block in samples.chunks(block) {
                frontend.push(block, |frame| {
                    black_box(frame);
                });
            }
        });
}

/// One second at this rate to 16 kHz.
#[divan::bench(args = [8_000, 44_100, 48_000])]
fn resampling(bencher: divan::Bencher<'_, '_>, rate: u32) {
    let samples = second(rate);
    let mut resampler = Resampler::new(rate, 16_000).unwrap();
    bencher
        .counter(ItemsCount::new(samples.len()))
        .bench_local(|| {
            resampler.push(&samples, |out| {
                black_box(out);
            });
        });
}
