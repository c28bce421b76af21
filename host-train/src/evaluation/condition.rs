//! What a voice may meet on its way that no training clip has met: rows of the robustness table.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::LazyLock;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use undertone_dsp::{DspError, Feature, FrontendConfig};

use crate::corpora::Clip;
use crate::features::{ClipFeatures, FeatureError, extract_samples, spoken_samples};
use crate::sound::room::{Shoebox, hear};
use crate::sound::{RATE, amplitude, line, noise, scale};

/// A condition; written `clean`, `noise:10dB`, `level:-20dB`, `telephone`, `reverb`.
///
/// Every clip is cut to its spoken part before it meets one: what voice activity detection makes of noise is another matter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Condition {
    /// As recorded.
    Clean,
    /// A machine, clatter or a street at this signal-to-noise ratio in dB, by the clip.
    Noise(f32),
    /// Louder by this many dB, or softer; what exceeds full scale is cut off, as a recorder does.
    Level(f32),
    /// 300 to 3400 Hz at 8 kHz, G.711 µ-law.
    Telephone,
    /// A meeting room, 6 m away ([`Shoebox::MEETING_ROOM`]).
    Reverb,
}

static MEETING_ROOM: LazyLock<Vec<f32>> = LazyLock::new(|| Shoebox::MEETING_ROOM.response());

impl Condition {
    /// The rows of the table.
    pub const ALL: [Self; 4] = [
        Self::Clean,
        Self::Noise(10.0),
        Self::Telephone,
        Self::Reverb,
    ];

    /// What is left of `samples` (16 kHz); `seed` draws noise.
    ///
    /// # Errors
    /// [`DspError`] if rates cannot be converted.
    pub fn apply(self, mut samples: Vec<f32>, seed: u64) -> Result<Vec<f32>, DspError> {
        match self {
            Self::Clean => Ok(samples),
            Self::Noise(snr_db) => {
                let mut rng = StdRng::seed_from_u64(seed);
                let noise = match rng.random_range(0..3) {
                    0 => noise::machine(samples.len(), &mut rng),
                    1 => noise::clatter(samples.len(), &mut rng),
                    _ => noise::street(samples.len(), &mut rng),
                };
                noise::mix(&mut samples, &noise, snr_db, &mut rng);
                Ok(samples)
            }
            Self::Level(db) => {
                scale(&mut samples, amplitude(db));
                let cut_off = |sample: &mut f32| *sample = sample.clamp(-1.0, 1.0);
                samples.iter_mut().for_each(cut_off);
                Ok(samples)
            }
            Self::Telephone => line::telephone(samples, 300.0, 3400.0),
            Self::Reverb => Ok(hear(&samples, &MEETING_ROOM)),
        }
    }

    /// Features of clips that met this condition, in order; what a clip meets depends on its content alone.
    ///
    /// # Errors
    /// [`FeatureError`] of the first clip that fails.
    pub fn features(
        self,
        clips: &[Clip],
        frontend: &FrontendConfig,
        features: &[Feature],
    ) -> Result<Vec<ClipFeatures>, FeatureError> {
        if frontend.sample_rate != RATE {
            return Err(FeatureError::Rate {
                found: frontend.sample_rate,
                needed: RATE,
            });
        }
        clips
            .par_iter()
            .map(|clip| {
                let samples = spoken_samples(&clip.path, frontend)?;
                let seed = clip
                    .content
                    .0
                    .first_chunk::<8>()
                    .copied()
                    .unwrap_or_default();
                let samples = self.apply(samples, u64::from_le_bytes(seed))?;
                Ok(extract_samples(frontend, features, &samples)?.1)
            })
            .collect()
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clean => f.pad("clean"),
            Self::Noise(snr_db) => f.pad(&format!("noise:{snr_db}dB")),
            Self::Level(db) => f.pad(&format!("level:{db}dB")),
            Self::Telephone => f.pad("telephone"),
            Self::Reverb => f.pad("reverb"),
        }
    }
}

/// A condition that is not known.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not a condition: give clean, noise:10dB (any ratio from -20 to 60), level:-20dB (-60 to 40), telephone or reverb"
)]
pub struct UnknownCondition(String);

impl FromStr for Condition {
    type Err = UnknownCondition;

    fn from_str(text: &str) -> Result<Self, UnknownCondition> {
        let decibels = |name: &str, range: RangeInclusive<f32>| {
            let number = text.strip_prefix(name)?.strip_suffix("dB")?;
            number.parse().ok().filter(|db| range.contains(db))
        };
        match text {
            "clean" => Ok(Self::Clean),
            "telephone" => Ok(Self::Telephone),
            "reverb" => Ok(Self::Reverb),
            _ => decibels("noise:", -20.0..=60.0)
                .map(Self::Noise)
                .or_else(|| decibels("level:", -60.0..=40.0).map(Self::Level))
                .ok_or_else(|| UnknownCondition(text.to_owned())),
        }
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> Self {
        condition.to_string()
    }
}

impl TryFrom<String> for Condition {
    type Error = UnknownCondition;

    fn try_from(text: String) -> Result<Self, UnknownCondition> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_read_as_it_is_written_and_others_are_refused() {
        for condition in Condition::ALL.into_iter().chain([Condition::Level(-20.0)]) {
            assert_eq!(
                condition.to_string().parse::<Condition>().unwrap(),
                condition
            );
        }
        for wrong in [
            "noise",
            "noise:dB",
            "noise:99dB",
            "noise:NaNdB",
            "level:-99dB",
            "rain",
        ] {
            assert!(wrong.parse::<Condition>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_voice_is_softer_by_so_many_decibels_and_no_louder_than_full_scale() {
        let level = |db| Condition::Level(db).apply(vec![0.5, -0.2, 0.0], 1).unwrap();
        assert_eq!(level(20.0), [1.0, -1.0, 0.0]);
        for (softer, expected) in level(-20.0).into_iter().zip([0.05, -0.02, 0.0]) {
            assert!((softer - expected).abs() < 1e-6, "{softer} {expected}");
        }
    }

    #[test]
    fn every_condition_changes_a_voice_keeps_its_length_and_is_the_same_again() {
        let voice: Vec<f32> = (0..8_000).map(|i| 0.2 * (i as f32 * 0.11).sin()).collect();
        for condition in Condition::ALL {
            let out = condition.apply(voice.clone(), 5).unwrap();
            assert_eq!(out.len(), voice.len());
            assert_eq!(out == voice, condition == Condition::Clean, "{condition}");
            assert_eq!(out, condition.apply(voice.clone(), 5).unwrap());
        }
    }
}
