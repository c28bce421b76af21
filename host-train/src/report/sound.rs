//! What is shown and played of a clip.

use realfft::RealFftPlanner;
use undertone_page::chart::{Envelope, Ink, Size, Spectrogram};
use undertone_page::{Figure, Html};

use super::ReportError;

/// Samples of a spectrum: 32 ms at 16 kHz.
const FFT: usize = 512;
/// Most columns of a spectrogram.
const COLUMNS: usize = 220;
/// Rows of a spectrogram.
const ROWS: usize = 128;
/// What a spectrogram shows below its loudest spot, in dB.
const RANGE_DB: f32 = 80.0;
/// Most of a clip that is shown and played, in seconds.
pub(super) const MAX_SECONDS: f64 = 4.0;

/// Waveform, spectrogram and sound of mono samples at `rate` Hz.
pub(super) fn figure(
    title: &str,
    caption: impl Into<Html>,
    samples: &[f32],
    rate: u32,
    ink: Ink,
    play: bool,
) -> Result<Figure, ReportError> {
    let most = (MAX_SECONDS * f64::from(rate)) as usize;
    let samples = &samples[..samples.len().min(most)];
    let wave = Envelope::of(samples, rate, 300).draw(Size::SMALL.tall(96), ink, true)?;
    let spectrogram = spectrogram(samples, rate).draw(Size::SMALL.tall(172))?;
    let figure = Figure::new(title, wave, caption).above(spectrogram);
    Ok(if play {
        figure.with_sound(samples, rate)
    } else {
        figure
    })
}

/// Level in dB over time and frequency, 0 dB being a full-scale sine; Hann window, at most 220 columns.
pub(super) fn spectrogram(samples: &[f32], rate: u32) -> Spectrogram {
    let plan = RealFftPlanner::<f32>::new().plan_fft_forward(FFT);
    let (mut time, mut bins) = (plan.make_input_vec(), plan.make_output_vec());
    let window: Vec<f32> = (0..FFT)
        .map(|n| 0.5 - 0.5 * (std::f32::consts::TAU * n as f32 / FFT as f32).cos())
        .collect();
    let hop = (samples.len() / COLUMNS).max(FFT / 4);
    let columns = (samples.len().saturating_sub(FFT) / hop + 1).min(COLUMNS);
    let mut rows = vec![vec![-120.0f32; columns]; ROWS];
    for column in 0..columns {
        let start = column * hop;
        for (index, (time, window)) in time.iter_mut().zip(&window).enumerate() {
            *time = samples
                .get(start + index)
                .copied()
                .filter(|s| s.is_finite())
                .unwrap_or(0.0)
                * window;
        }
        // The buffers come from the plan, so that it cannot refuse them; were it to, the column would stay silent.
        if plan.process(&mut time, &mut bins).is_err() {
            continue;
        }
        for (row, levels) in rows.iter_mut().enumerate() {
            // The highest frequency on top; two bins a row.
            let bin = (ROWS - 1 - row) * (FFT / 2) / ROWS;
            let power = bins[bin].norm_sqr().max(bins[bin + 1].norm_sqr());
            let amplitude = power.sqrt() * 4.0 / FFT as f32;
            levels[column] = 20.0 * amplitude.max(1e-6).log10();
        }
    }
    let top = rows
        .iter()
        .flatten()
        .copied()
        .fold(-60.0f32, f32::max)
        .ceil();
    Spectrogram {
        seconds: samples.len() as f64 / f64::from(rate.max(1)),
        top_hz: f64::from(rate) / 2.0,
        rows,
        range_db: (top - RANGE_DB, top),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_is_at_0_db_and_at_its_frequency() {
        let samples: Vec<f32> = (0..16_000)
            .map(|i| (std::f32::consts::TAU * 2000.0 * i as f32 / 16_000.0).sin())
            .collect();
        let picture = spectrogram(&samples, 16_000);
        let column: Vec<f32> = picture.rows.iter().map(|row| row[20]).collect();
        let loudest = (0..ROWS)
            .max_by(|&a, &b| column[a].total_cmp(&column[b]))
            .unwrap();
        assert!(column[loudest].abs() < 0.5, "{}", column[loudest]);
        assert!((ROWS - 1 - loudest).abs_diff(ROWS / 4) <= 1, "{loudest}");
        assert!(column[10] < -60.0);
    }

    #[test]
    fn silence_and_a_clip_shorter_than_a_spectrum_still_give_a_picture() {
        for samples in [vec![], vec![0.1; 7], vec![0.0; 16_000], vec![f32::NAN; 900]] {
            assert!(figure("t", "c", &samples, 16_000, Ink::Accent, true).is_ok());
        }
    }
}
