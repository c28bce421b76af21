//! How feature rows are scaled before the network: by fixed statistics of the training frames, and, if the recipe says so,
//! against what was heard in the last seconds. All of it can be streamed, and stands in the exported graph, but for a floor, which the
//! file's metadata hold and the box's stream puts under the rows before.

use serde::{Deserialize, Serialize};
use undertone_dsp::Floor;

use crate::features::ClipFeatures;

/// Frames that the running mean looks back at.
pub const TAPS: usize = 256;
/// How much less a frame weighs than the next one: the mean lags by 0.66 s.
const DECAY: f64 = 0.985;

/// What follows the fixed normalisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Nothing.
    #[default]
    Fixed,
    /// Each row less its running mean: the level and colour of microphone and room go.
    RunningMean,
}

/// Weights of the running mean, the present frame first; their sum is 1.
#[must_use]
pub fn taps() -> Vec<f32> {
    let weights = (0..TAPS).map(|age| DECAY.powi(age as i32));
    let sum: f64 = weights.clone().sum();
    weights.map(|weight| (weight / sum) as f32).collect()
}

/// Normalisation of feature rows: `(value - mean) / deviation`, then `scaling`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Mean of each row.
    pub mean: Vec<f32>,
    /// Standard deviation of each row, never 0.
    pub deviation: Vec<f32>,
    /// What follows.
    #[serde(default)]
    pub scaling: Scaling,
    /// What is put under the rows before, which then are log-mel bands.
    #[serde(default)]
    pub floor: Option<Floor>,
}

impl Normalisation {
    /// Statistics over all frames of `clips`, which are the training clips and no others, over `floor`.
    #[must_use]
    pub fn fit<'a>(
        clips: impl Iterator<Item = &'a ClipFeatures>,
        rows: usize,
        floor: Option<Floor>,
    ) -> Self {
        let mut count = 0.0f64;
        let mut sum = vec![0.0f64; rows];
        let mut square = vec![0.0f64; rows];
        let mut raised = Vec::new();
        for clip in clips {
            let values = match floor {
                Some(floor) => {
                    raised.clone_from(&clip.values);
                    floor.raise_all(&mut raised, rows);
                    &raised
                }
                None => &clip.values,
            };
            for frame in values.chunks_exact(rows) {
                count += 1.0;
                for (row, &value) in frame.iter().enumerate() {
                    sum[row] += f64::from(value);
                    square[row] += f64::from(value).powi(2);
                }
            }
        }
        let count = count.max(1.0);
        let mean: Vec<f64> = sum.iter().map(|sum| sum / count).collect();
        let deviation = square
            .iter()
            .zip(&mean)
            .map(|(square, mean)| (square / count - mean * mean).max(0.0).sqrt())
            // A row that is constant but for rounding is not blown up (scikit-learn's `StandardScaler` does so too).
            .map(|deviation| {
                if deviation > 1e-6 {
                    deviation as f32
                } else {
                    1.0
                }
            })
            .collect();
        Self {
            mean: mean.iter().map(|&mean| mean as f32).collect(),
            deviation,
            scaling: Scaling::Fixed,
            floor,
        }
    }

    /// Puts the floor under the frames of a whole utterance, and normalises them in place; before the first frame lies the training mean.
    pub fn apply(&self, clip: &mut ClipFeatures) {
        if let Some(floor) = self.floor {
            floor.raise_all(&mut clip.values, clip.rows);
        }
        for frame in clip.values.chunks_exact_mut(clip.rows) {
            for ((value, mean), deviation) in frame.iter_mut().zip(&self.mean).zip(&self.deviation)
            {
                *value = (*value - mean) / deviation;
            }
        }
        if self.scaling == Scaling::RunningMean {
            against_mean(clip);
        }
    }
}

/// Takes the running mean from every value. What lies before the clip counts as 0.
fn against_mean(clip: &mut ClipFeatures) {
    let rows = clip.rows;
    let heard = clip.values.clone();
    let first = f64::from(taps()[0]);
    let leaving = DECAY.powi(TAPS as i32);
    let mut means = vec![0.0f64; rows];
    for (t, frame) in clip.values.chunks_exact_mut(rows).enumerate() {
        for (row, value) in frame.iter_mut().enumerate() {
            let old = match t.checked_sub(TAPS) {
                Some(old) => f64::from(heard[old * rows + row]),
                None => 0.0,
            };
            let mean = &mut means[row];
            *mean = DECAY * *mean + first * (f64::from(*value) - leaving * old);
            *value -= *mean as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalised_rows_have_mean_0_and_deviation_1_and_a_constant_row_stays_finite() {
        let values = (0..40).flat_map(|i| [i as f32, 7.0]).collect();
        let mut clip = ClipFeatures { rows: 2, values };
        Normalisation::fit(std::iter::once(&clip), 2, None).apply(&mut clip);
        let again = Normalisation::fit(std::iter::once(&clip), 2, None);
        assert!(again.mean[0].abs() < 1e-5 && (again.deviation[0] - 1.0).abs() < 1e-4);
        assert!(clip.values.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn what_is_fitted_over_a_floor_is_normalised_over_it() {
        let floor = Floor {
            low_db: 10.0,
            high_db: 10.0,
            hold: 4,
            release_db: 0.0,
        };
        let mut clip = ClipFeatures {
            rows: 1,
            values: vec![-90.0, -20.0, -90.0, -24.0],
        };
        let fitted = Normalisation::fit(std::iter::once(&clip), 1, Some(floor));
        assert_eq!((fitted.mean[0], fitted.floor), (-26.0, Some(floor)));
        fitted.apply(&mut clip);
        let mean = clip.values.iter().sum::<f32>();
        assert!(mean.abs() < 1e-5, "{:?}", clip.values);
        assert_eq!(clip.values[0], clip.values[2]);
    }

    fn scaled(scaling: Scaling, values: &[f32]) -> Vec<f32> {
        let normalisation = Normalisation {
            mean: vec![0.0],
            deviation: vec![1.0],
            scaling,
            floor: None,
        };
        let mut clip = ClipFeatures {
            rows: 1,
            values: values.to_vec(),
        };
        normalisation.apply(&mut clip);
        clip.values
    }

    #[test]
    fn the_running_mean_is_the_weighted_sum_of_the_last_frames() {
        let values: Vec<f32> = (0..TAPS + 100).map(|i| ((i * 37) % 11) as f32).collect();
        let out = scaled(Scaling::RunningMean, &values);
        for t in [0, 1, 50, TAPS - 1, TAPS, TAPS + 99] {
            let past = values[..=t].iter().rev().zip(taps());
            let mean: f32 = past.map(|(value, weight)| value * weight).sum();
            assert!((out[t] - (values[t] - mean)).abs() < 1e-3, "{t}");
        }
    }

    #[test]
    fn a_louder_recording_ends_up_where_the_softer_one_does() {
        let values: Vec<f32> = (0..600).map(|i| (i as f32 * 0.7).sin()).collect();
        let louder: Vec<f32> = values.iter().map(|value| value + 2.0).collect();
        let [soft, loud] = [&values, &louder].map(|values| scaled(Scaling::RunningMean, values));
        let far = (soft[599] - loud[599]).abs();
        assert!(far < 0.15, "{far}");
        let fixed = scaled(Scaling::Fixed, &louder)[599] - scaled(Scaling::Fixed, &values)[599];
        assert!((fixed - 2.0).abs() < 1e-5);
    }
}
