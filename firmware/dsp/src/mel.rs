use crate::filters::FilterBank;
use crate::{DspError, FrontendConfig};

/// Slaney's mel filter bank, as in librosa `filters.mel(htk=False, norm='slaney')`.
///
/// Triangles equally spaced on a scale that is linear below 1 kHz and logarithmic above, each of area 1.
pub(crate) fn bank(config: &FrontendConfig) -> FilterBank {
    let filters = edges(config).map(|edges| {
        let used = bins_within(config, edges);
        let weights = used
            .clone()
            .map(|bin| weight(bin as f64 * bin_hz(config), edges))
            .collect();
        (used.start, weights)
    });
    FilterBank::new(config.fft_size / 2 + 1, filters)
}

/// Refuses a configuration with a band that holds no bin.
pub(crate) fn check_bands(config: &FrontendConfig) -> Result<(), DspError> {
    for (band, edges) in edges(config).enumerate() {
        if !bins_within(config, edges).any(|bin| weight(bin as f64 * bin_hz(config), edges) > 0.0) {
            let [low_hz, _, high_hz] = edges;
            return Err(DspError::EmptyMelBand {
                band,
                low_hz,
                high_hz,
                bin_hz: bin_hz(config),
            });
        }
    }
    Ok(())
}

fn bin_hz(config: &FrontendConfig) -> f64 {
    f64::from(config.sample_rate) / config.fft_size as f64
}

/// Lower edge, centre and upper edge of every band, in Hz.
fn edges(config: &FrontendConfig) -> impl Iterator<Item = [f64; 3]> {
    let low = hz_to_mel(f64::from(config.mel_low_hz));
    let high = hz_to_mel(f64::from(config.mel_high_hz));
    let step = (high - low) / (config.mel_bands + 1) as f64;
    let edge = move |i: usize| mel_to_hz(low + step * i as f64);
    (0..config.mel_bands).map(move |band| [edge(band), edge(band + 1), edge(band + 2)])
}

/// The bins of the FFT from the lower to the upper edge of a band.
fn bins_within(config: &FrontendConfig, [low, _, high]: [f64; 3]) -> std::ops::Range<usize> {
    let first = (low / bin_hz(config)).ceil() as usize;
    let end = (high / bin_hz(config)).floor() as usize + 1;
    first..end.clamp(first, config.fft_size / 2 + 1)
}

/// Height of a triangle of area 1 at a frequency.
fn weight(hz: f64, [low, centre, high]: [f64; 3]) -> f32 {
    let rising = (hz - low) / (centre - low);
    let falling = (high - hz) / (high - centre);
    let height = rising.min(falling).max(0.0) as f32;
    (f64::from(height) * 2.0 / (high - low)) as f32
}

/// Slaney's scale (Auditory Toolbox): 3 mel per 200 Hz up to 1 kHz, then 27 mel per factor of 6.4.
const HZ_PER_MEL: f64 = 200.0 / 3.0;
const KNEE_HZ: f64 = 1_000.0;
const KNEE_MEL: f64 = KNEE_HZ / HZ_PER_MEL;

fn log_step() -> f64 {
    6.4f64.ln() / 27.0
}

fn hz_to_mel(hz: f64) -> f64 {
    if hz < KNEE_HZ {
        hz / HZ_PER_MEL
    } else {
        KNEE_MEL + (hz / KNEE_HZ).ln() / log_step()
    }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < KNEE_MEL {
        mel * HZ_PER_MEL
    } else {
        KNEE_HZ * ((mel - KNEE_MEL) * log_step()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_has_its_published_points_and_inverts() {
        for (hz, mel) in [(0.0, 0.0), (60.0, 0.9), (1_000.0, 15.0), (6_400.0, 42.0)] {
            assert!((hz_to_mel(hz) - mel).abs() < 1e-9);
            assert!((mel_to_hz(mel) - hz).abs() < 1e-9);
        }
    }

    #[test]
    fn a_flat_spectrum_gives_every_band_about_its_area_over_the_bin_width() {
        let config = FrontendConfig {
            fft_size: 8_192,
            ..FrontendConfig::default()
        };
        let bank = bank(&config);
        let mut energies = vec![0.0; config.mel_bands];
        let power = vec![1.0; bank.padded_bins()];
        bank.apply(&power, &mut energies, &mut bank.workspace());
        for energy in energies {
            assert!(
                (f64::from(energy) * bin_hz(&config) - 1.0).abs() < 0.02,
                "{energy}"
            );
        }
    }
}
