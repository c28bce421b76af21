//! What is measured of one clip.

use undertone_decode::Audio;
use undertone_dsp::{DspError, Frontend, FrontendConfig, dbfs, resample};

use crate::features::activity::active_span;

/// Cepstral coefficients that are kept.
pub(super) const MFCC: usize = 13;

/// The largest positive 16-bit sample: from here on a sample counts as full scale.
const FULL_SCALE: f32 = 32_767.0 / 32_768.0;

/// Figures of one clip; means are over the frames of its spoken part ([`active_span`]).
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) seconds: f64,
    /// Level of the spoken part in dBFS.
    pub(super) level_db: f64,
    /// Level that nineteen in twenty frames exceed, in dBFS: the room and the recording chain.
    pub(super) floor_db: f64,
    /// Share of the clip before and after the spoken part.
    pub(super) silence: f64,
    /// Samples at full scale.
    pub(super) full_scale: usize,
    /// Mean zero-crossing rate, 0 to 1.
    pub(super) zcr: f64,
    /// Mean cepstral coefficients, from 0 on.
    pub(super) mfcc: [f64; MFCC],
}

impl Measured {
    pub(super) fn of(audio: &Audio) -> Result<Self, DspError> {
        let config = FrontendConfig::default();
        let samples = resample(audio.mono(), audio.sample_rate, config.sample_rate)?;
        let mut frames: Vec<(f32, f32, f32)> = Vec::new();
        let mut cepstra: Vec<[f32; MFCC]> = Vec::new();
        Frontend::new(&config)?.push(&samples, |frame| {
            frames.push((dbfs(frame.rms), frame.rms, frame.zcr));
            let mut kept = [0.0; MFCC];
            for (kept, value) in kept.iter_mut().zip(frame.mfcc) {
                *kept = *value;
            }
            cepstra.push(kept);
        });
        let levels: Vec<f32> = frames.iter().map(|frame| frame.0).collect();
        let span = active_span(&levels);
        let count = span.len().max(1) as f64;
        let spoken = &frames[span.clone()];
        let power = spoken
            .iter()
            .map(|frame| f64::from(frame.1).powi(2))
            .sum::<f64>()
            / count;
        let mut mfcc = [0.0; MFCC];
        for kept in &cepstra[span.clone()] {
            for (mean, value) in mfcc.iter_mut().zip(kept) {
                *mean += f64::from(*value) / count;
            }
        }
        let mut sorted = levels;
        sorted.sort_by(f32::total_cmp);
        Ok(Self {
            seconds: audio.seconds(),
            level_db: f64::from(dbfs(power.sqrt() as f32)),
            floor_db: sorted
                .get(sorted.len() / 20)
                .copied()
                .map_or(-120.0, f64::from),
            silence: 1.0 - span.len() as f64 / frames.len().max(1) as f64,
            full_scale: audio
                .samples
                .iter()
                .filter(|sample| sample.abs() >= FULL_SCALE)
                .count(),
            zcr: spoken.iter().map(|frame| f64::from(frame.2)).sum::<f64>() / count,
            mfcc,
        })
    }
}

/// Something measured of every clip.
#[derive(Clone, Copy)]
pub(super) struct Quantity {
    pub(super) name: &'static str,
    /// Title of an axis, with the unit.
    pub(super) axis: &'static str,
    pub(super) of: fn(&Measured) -> f64,
}

/// What emotions and corpora are compared by.
pub(super) const QUANTITIES: [Quantity; 8] = [
    Quantity {
        name: "RMS level",
        axis: "level of the spoken part in dBFS",
        of: |m| m.level_db,
    },
    Quantity {
        name: "zero-crossing rate",
        axis: "zero crossings in % of samples",
        of: |m| 100.0 * m.zcr,
    },
    Quantity {
        name: "duration",
        axis: "duration in s",
        of: |m| m.seconds,
    },
    Quantity {
        name: "noise floor",
        axis: "noise floor in dBFS",
        of: |m| m.floor_db,
    },
    Quantity {
        name: "MFCC 1",
        axis: "MFCC 1: low against high bands",
        of: |m| m.mfcc[1],
    },
    Quantity {
        name: "MFCC 2",
        axis: "MFCC 2",
        of: |m| m.mfcc[2],
    },
    Quantity {
        name: "MFCC 3",
        axis: "MFCC 3",
        of: |m| m.mfcc[3],
    },
    Quantity {
        name: "MFCC 4",
        axis: "MFCC 4",
        of: |m| m.mfcc[4],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_between_silences_has_its_own_level_its_crossings_and_the_silences_share() {
        let mut samples = vec![0.0f32; 16_000];
        samples.extend(
            (0..16_000).map(|i| 0.5 * (std::f32::consts::TAU * 1000.0 * i as f32 / 16_000.0).sin()),
        );
        samples.extend(vec![0.0f32; 16_000]);
        let measured = Measured::of(&Audio {
            sample_rate: 16_000,
            channels: 1,
            samples,
        })
        .unwrap();
        assert!((measured.seconds - 3.0).abs() < 1e-9);
        // 0.5 is -6 dB and a sine another -3; the margin around the span takes a little.
        assert!(
            (measured.level_db + 9.9).abs() < 0.6,
            "{}",
            measured.level_db
        );
        assert!((measured.zcr - 0.125).abs() < 0.03, "{}", measured.zcr);
        assert!(
            (measured.silence - 0.59).abs() < 0.03,
            "{}",
            measured.silence
        );
        assert_eq!((measured.floor_db, measured.full_scale), (-120.0, 0));
    }
}
