//! Mean and deviation of every feature row over the training frames.

use serde::{Deserialize, Serialize};

use crate::features::ClipFeatures;

/// Fixed normalisation of feature rows: `(value - mean) / deviation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalisation {
    /// Mean of each row.
    pub mean: Vec<f32>,
    /// Standard deviation of each row, never 0.
    pub deviation: Vec<f32>,
}

impl Normalisation {
    /// Statistics over all frames of `clips`, which are the training clips and no others.
    #[must_use]
    pub fn fit<'a>(clips: impl Iterator<Item = &'a ClipFeatures>, rows: usize) -> Self {
        let mut count = 0.0f64;
        let mut sum = vec![0.0f64; rows];
        let mut square = vec![0.0f64; rows];
        for frame in clips.flat_map(|clip| clip.values.chunks_exact(rows)) {
            count += 1.0;
            for (row, &value) in frame.iter().enumerate() {
                sum[row] += f64::from(value);
                square[row] += f64::from(value).powi(2);
            }
        }
        let count = count.max(1.0);
        let mean: Vec<f64> = sum.iter().map(|sum| sum / count).collect();
        let deviation = square
            .iter()
            .zip(&mean)
            .map(|(square, mean)| (square / count - mean * mean).max(0.0).sqrt().max(1e-3) as f32)
            .collect();
        Self {
            mean: mean.iter().map(|&mean| mean as f32).collect(),
            deviation,
        }
    }

    /// Normalises frames in place.
    pub fn apply(&self, clip: &mut ClipFeatures) {
        for frame in clip.values.chunks_exact_mut(clip.rows) {
            for ((value, mean), deviation) in frame.iter_mut().zip(&self.mean).zip(&self.deviation)
            {
                *value = (*value - mean) / deviation;
            }
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
        Normalisation::fit(std::iter::once(&clip), 2).apply(&mut clip);
        let again = Normalisation::fit(std::iter::once(&clip), 2);
        assert!(again.mean[0].abs() < 1e-5 && (again.deviation[0] - 1.0).abs() < 1e-4);
        assert!(clip.values.iter().all(|value| value.is_finite()));
    }
}
