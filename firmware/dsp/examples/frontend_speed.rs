//! Times the default front end on 60 s of synthetic sound at 16 kHz, one core: best and median of many runs.

use std::time::{Duration, Instant};
use undertone_dsp::{Frontend, FrontendConfig};

const SECONDS: usize = 60;
const RUNS: usize = 50;

fn main() -> Result<(), undertone_dsp::DspError> {
    let config = FrontendConfig::default();
    let mut state = 1u32;
    let samples: Vec<f32> = (0..SECONDS * config.sample_rate as usize)
        .map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = state as f32 / u32::MAX as f32 - 0.5;
            0.1 * noise + 0.3 * (n as f32 * 0.05).sin()
        })
        .collect();
    let mut frontend = Frontend::new(&config)?;
    for block in [160, 1_600, samples.len()] {
        let mut frames = 0u64;
        let mut sum = 0.0;
        let mut times: Vec<Duration> = (0..RUNS)
            .map(|_| {
                frontend.reset();
                let start = Instant::now();
                for block in samples.chunks(block) {
                    frontend.push(block, |frame| {
                        frames += 1;
                        sum += frame.zcr + frame.rms + frame.mfcc[0] + frame.log_mel[0];
                    });
                }
                start.elapsed()
            })
            .collect();
        times.sort();
        let (best, median) = (times[0], times[RUNS / 2]);
        println!(
            "blocks of {block:6}: {} frames of {SECONDS} s in {:.2} ms (best), {:.2} ms (median), {:.0} ns per frame [{sum:e}]",
            frames / RUNS as u64,
            best.as_secs_f64() * 1e3,
            median.as_secs_f64() * 1e3,
            best.as_secs_f64() * 1e9 / (frames / RUNS as u64) as f64,
        );
    }
    Ok(())
}
