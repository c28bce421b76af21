use crate::{DspError, mel};
use serde::{Deserialize, Serialize};

/// Sample rates a front end accepts, in Hz.
const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// Longest frame, hop and FFT in samples; bounds the memory that a hostile model file can ask for.
const MAX_LENGTH: usize = 65_536;
/// Most mel bands; bounds memory likewise.
const MAX_BANDS: usize = 512;

/// One kind of feature; a list of them says which rows a model reads and in which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Zero-crossing rate, one row.
    Zcr,
    /// Root mean square, one row.
    Rms,
    /// Mel-frequency cepstral coefficients, `mfcc_count` rows.
    Mfcc,
    /// Log-mel spectrum in dB, `mel_bands` rows.
    LogMel,
}

/// What a feature frame is: lengths in samples, frequencies in Hz.
///
/// Frame `t` covers samples `t * hop_length .. t * hop_length + frame_length` exactly; nothing is centred or padded. The
/// default is the 25 ms / 10 ms front end of speech recognition at 16 kHz. Fields missing in a serialised form take
/// their defaults, unknown ones are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrontendConfig {
    /// Rate of the samples, 1000 to 768,000 Hz.
    pub sample_rate: u32,
    /// Samples per frame, 2 to 65,536.
    pub frame_length: usize,
    /// Samples from one frame to the next, 1 to 65,536; may exceed `frame_length`.
    pub hop_length: usize,
    /// Length of the FFT, `frame_length` to 65,536; the windowed frame is padded with zeros up to it.
    pub fft_size: usize,
    /// Number of mel bands, 1 to 512.
    pub mel_bands: usize,
    /// Lower edge of the lowest band, at least 0.
    pub mel_low_hz: f32,
    /// Upper edge of the highest band, at most half the sample rate.
    pub mel_high_hz: f32,
    /// Number of cepstral coefficients, 0 to `mel_bands`; the first is the mean level.
    pub mfcc_count: usize,
}

impl Default for FrontendConfig {
    fn default() -> Self {
        Self {
            sample_rate: 16_000,
            frame_length: 400,
            hop_length: 160,
            fft_size: 512,
            mel_bands: 64,
            mel_low_hz: 50.0,
            mel_high_hz: 8_000.0,
            mfcc_count: 40,
        }
    }
}

impl FrontendConfig {
    /// Checks every field, and that no mel band is empty.
    ///
    /// # Errors
    /// [`DspError::OutOfRange`] or [`DspError::EmptyMelBand`].
    pub fn validate(&self) -> Result<(), DspError> {
        let rate = f64::from(self.sample_rate);
        let (low, high) = (f64::from(self.mel_low_hz), f64::from(self.mel_high_hz));
        within(
            "sample_rate",
            self.sample_rate as usize,
            *SAMPLE_RATES.start() as usize,
            *SAMPLE_RATES.end() as usize,
        )?;
        within("frame_length", self.frame_length, 2, MAX_LENGTH)?;
        within("hop_length", self.hop_length, 1, MAX_LENGTH)?;
        within("fft_size", self.fft_size, self.frame_length, MAX_LENGTH)?;
        within("mel_bands", self.mel_bands, 1, MAX_BANDS)?;
        within("mfcc_count", self.mfcc_count, 0, self.mel_bands)?;
        if !(0.0..rate / 2.0).contains(&low) {
            return Err(out_of_range(
                "mel_low_hz",
                low,
                format!("0 or more and below {}", rate / 2.0),
            ));
        }
        if !(high > low && high <= rate / 2.0) {
            return Err(out_of_range(
                "mel_high_hz",
                high,
                format!("above mel_low_hz ({low}) and at most {}", rate / 2.0),
            ));
        }
        mel::check_bands(self)
    }

    /// Number of values per frame that a list of features amounts to.
    #[must_use]
    pub fn rows(&self, features: &[Feature]) -> usize {
        features
            .iter()
            .map(|feature| match feature {
                Feature::Zcr | Feature::Rms => 1,
                Feature::Mfcc => self.mfcc_count,
                Feature::LogMel => self.mel_bands,
            })
            .sum()
    }

    /// Number of whole frames in `samples` samples.
    #[must_use]
    pub fn frames(&self, samples: usize) -> usize {
        samples
            .checked_sub(self.frame_length)
            .map_or(0, |rest| rest / self.hop_length.max(1) + 1)
    }

    /// Time from one frame to the next, in seconds.
    #[must_use]
    pub fn hop_seconds(&self) -> f64 {
        self.hop_length as f64 / f64::from(self.sample_rate)
    }
}

pub(crate) fn within(
    field: &'static str,
    value: usize,
    low: usize,
    high: usize,
) -> Result<(), DspError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(out_of_range(
            field,
            value as f64,
            format!("{low} to {high}"),
        ))
    }
}

pub(crate) fn out_of_range(field: &'static str, value: f64, allowed: String) -> DspError {
    DspError::OutOfRange {
        field,
        value,
        allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_has_the_documented_rows() {
        let config = FrontendConfig::default();
        config.validate().unwrap();
        assert_eq!(
            config.rows(&[Feature::Zcr, Feature::Rms, Feature::Mfcc]),
            42
        );
        assert_eq!(config.rows(&[Feature::LogMel]), 64);
        assert_eq!(config.rows(&[]), 0);
    }

    #[test]
    fn frames_counts_only_whole_frames() {
        let config = FrontendConfig::default();
        for (samples, frames) in [(0, 0), (399, 0), (400, 1), (559, 1), (560, 2), (16_000, 98)] {
            assert_eq!(config.frames(samples), frames, "{samples} samples");
        }
    }

    #[test]
    fn every_field_out_of_range_is_refused_by_name() {
        let good = FrontendConfig::default();
        let cases: [(&str, FrontendConfig); 12] = [
            (
                "sample_rate",
                FrontendConfig {
                    sample_rate: 0,
                    ..good.clone()
                },
            ),
            (
                "sample_rate",
                FrontendConfig {
                    sample_rate: u32::MAX,
                    ..good.clone()
                },
            ),
            (
                "frame_length",
                FrontendConfig {
                    frame_length: 1,
                    ..good.clone()
                },
            ),
            (
                "hop_length",
                FrontendConfig {
                    hop_length: 0,
                    ..good.clone()
                },
            ),
            (
                "hop_length",
                FrontendConfig {
                    hop_length: usize::MAX,
                    ..good.clone()
                },
            ),
            (
                "fft_size",
                FrontendConfig {
                    fft_size: 399,
                    ..good.clone()
                },
            ),
            (
                "fft_size",
                FrontendConfig {
                    fft_size: usize::MAX,
                    ..good.clone()
                },
            ),
            (
                "mel_bands",
                FrontendConfig {
                    mel_bands: 0,
                    ..good.clone()
                },
            ),
            (
                "mfcc_count",
                FrontendConfig {
                    mfcc_count: 65,
                    ..good.clone()
                },
            ),
            (
                "mel_low_hz",
                FrontendConfig {
                    mel_low_hz: f32::NAN,
                    ..good.clone()
                },
            ),
            (
                "mel_high_hz",
                FrontendConfig {
                    mel_high_hz: 8_001.0,
                    ..good.clone()
                },
            ),
            (
                "mel_high_hz",
                FrontendConfig {
                    mel_high_hz: 50.0,
                    ..good.clone()
                },
            ),
        ];
        for (name, config) in cases {
            let message = config.validate().unwrap_err().to_string();
            assert!(message.contains(name), "{name} is not named in: {message}");
        }
    }

    #[test]
    fn a_mel_band_between_two_fft_bins_is_refused() {
        let config = FrontendConfig {
            mel_bands: 512,
            ..FrontendConfig::default()
        };
        assert!(matches!(
            config.validate(),
            Err(DspError::EmptyMelBand { band: 0.., .. })
        ));
    }

    #[test]
    fn json_takes_defaults_for_missing_fields_and_refuses_unknown_ones() {
        let config: FrontendConfig = serde_json::from_str(r#"{"mel_bands": 40}"#).unwrap();
        assert_eq!(
            config,
            FrontendConfig {
                mel_bands: 40,
                ..FrontendConfig::default()
            }
        );
        assert!(serde_json::from_str::<FrontendConfig>(r#"{"mels": 40}"#).is_err());
        assert_eq!(
            serde_json::to_string(&Feature::LogMel).unwrap(),
            "\"log_mel\""
        );
    }
}
