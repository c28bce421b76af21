//! The telephone band, and what coders leave of a voice.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use undertone_dsp::{DspError, resample};

use super::{RATE, adpcm};

/// Rate of a telephone line, in Hz.
const LINE: u32 = 8_000;

/// A narrowband telephone line: `low` to `high` Hz, 8 kHz, G.711 µ-law. ITU-T G.712 passes 300 to 3400 Hz.
///
/// # Errors
/// [`DspError`] if the rates cannot be converted.
pub fn telephone(samples: Vec<f32>, low: f32, high: f32) -> Result<Vec<f32>, DspError> {
    let length = samples.len();
    let mut line = resample(samples, RATE, LINE)?;
    for _ in 0..2 {
        filter(&mut line, biquad(low, LINE, Pass::High));
        filter(&mut line, biquad(high, LINE, Pass::Low));
    }
    line.iter_mut().for_each(|sample| *sample = mu_law(*sample));
    let mut out = resample(line, LINE, RATE)?;
    out.resize(length, 0.0);
    Ok(out)
}

/// A coder's colour: nothing above `high` Hz, and the quantisation noise of 4-bit IMA ADPCM.
pub fn codec(samples: &mut [f32], high: f32) {
    for _ in 0..3 {
        filter(samples, biquad(high, RATE, Pass::Low));
    }
    adpcm::through(samples);
}

/// Takes away what lies below `edge` Hz, 12 dB per octave.
pub(super) fn high_pass(samples: &mut [f32], edge: f32) {
    filter(samples, biquad(edge, RATE, Pass::High));
}

/// To 8 bits of G.711 µ-law and back; beyond full scale it clips.
fn mu_law(sample: f32) -> f32 {
    // The segments of ITU-T G.711, on 14 bits with a bias of 33.
    let magnitude = ((sample.abs() * 8159.0) as i32).min(8158) + 33;
    let segment = (26 - magnitude.leading_zeros() as i32).clamp(0, 7);
    let step = (magnitude >> (segment + 1)) & 0xf;
    let decoded = (((step << 1) + 33) << segment) - 33;
    sample.signum() * decoded as f32 / 8159.0
}

#[derive(Clone, Copy)]
enum Pass {
    Low,
    High,
}

/// A Butterworth filter of second order (Bristow-Johnson's cookbook): three weights of the input, two of the output.
fn biquad(edge: f32, rate: u32, pass: Pass) -> [f32; 5] {
    let omega = 2.0 * PI * (edge / rate as f32).min(0.49);
    let (sin, cos) = omega.sin_cos();
    let alpha = sin * FRAC_1_SQRT_2;
    let (outer, middle) = match pass {
        Pass::Low => ((1.0 - cos) / 2.0, 1.0 - cos),
        Pass::High => ((1.0 + cos) / 2.0, -1.0 - cos),
    };
    [outer, middle, outer, -2.0 * cos, 1.0 - alpha].map(|value| value / (1.0 + alpha))
}

fn filter(samples: &mut [f32], [b0, b1, b2, a1, a2]: [f32; 5]) {
    let (mut first, mut second) = (0.0f32, 0.0f32);
    for sample in samples {
        let input = *sample;
        *sample = b0 * input + first;
        first = b1 * input - a1 * *sample + second;
        second = b2 * input - a2 * *sample;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::power;

    fn tone(hz: f32) -> Vec<f32> {
        (0..16_000)
            .map(|i| 0.4 * (2.0 * PI * hz * i as f32 / RATE as f32).sin())
            .collect()
    }

    fn loss(before: &[f32], after: &[f32]) -> f32 {
        10.0 * (power(before) / power(after).max(1e-12)).log10()
    }

    #[test]
    fn a_telephone_passes_its_band_and_nothing_else() {
        for (hz, passes) in [
            (60.0, false),
            (1000.0, true),
            (2500.0, true),
            (5000.0, false),
        ] {
            let out = telephone(tone(hz), 300.0, 3400.0).unwrap();
            assert_eq!(out.len(), 16_000);
            let lost = loss(&tone(hz), &out);
            assert!(
                if passes { lost < 1.5 } else { lost > 25.0 },
                "{lost} dB at {hz} Hz"
            );
        }
    }

    #[test]
    fn mu_law_keeps_30_db_over_a_wide_range_of_levels_and_clips_beyond() {
        for level in [0.9f32, 0.1, 0.02] {
            let voice: Vec<f32> = tone(440.0)
                .iter()
                .map(|value| value * level / 0.4)
                .collect();
            let error: Vec<f32> = voice.iter().map(|&value| mu_law(value) - value).collect();
            assert!(
                loss(&voice, &error) > 30.0,
                "{} dB at {level}",
                loss(&voice, &error)
            );
        }
        assert!((mu_law(5.0) - 1.0).abs() < 0.05 && (mu_law(-5.0) + 1.0).abs() < 0.05);
        assert_eq!(mu_law(0.0), 0.0);
    }

    #[test]
    fn a_coder_cuts_what_is_high_and_adds_noise_to_the_rest() {
        let mut low = tone(500.0);
        codec(&mut low, 4000.0);
        let error: Vec<f32> = low[1000..]
            .iter()
            .zip(&tone(500.0)[1000..])
            .map(|(a, b)| a - b)
            .collect();
        assert!(power(&error) > 1e-8 && low.iter().all(|value| value.is_finite()));
        let mut high = tone(7500.0);
        codec(&mut high, 4000.0);
        assert!(loss(&tone(7500.0), &high) > 20.0);
    }
}
