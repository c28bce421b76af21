//! Temperature and `unknown` threshold, fitted on validation speakers.

use crate::evaluation::metrics::Outcome;
use crate::training::batch::Example;
use crate::training::validate::probabilities;

/// Share of validation clips that are answered with a label; the least confident others are `unknown`.
pub const COVERAGE: f64 = 0.9;

/// How the box reads logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibration {
    /// Logits are divided by this.
    pub temperature: f32,
    /// Least probability of the best label for an answer.
    pub unknown_threshold: f32,
}

impl Calibration {
    /// Fits the temperature (Guo et al. 2017: least negative log-likelihood) by golden-section search on its logarithm,
    /// and the threshold at [`COVERAGE`].
    #[must_use]
    pub fn fit(logits: &[Vec<f32>], examples: &[Example]) -> Self {
        let cost = |log_temperature: f64| {
            let temperature = log_temperature.exp() as f32;
            logits
                .iter()
                .zip(examples)
                .map(|(logits, example)| {
                    -f64::from(probabilities(logits, temperature)[example.target].max(1e-12)).ln()
                })
                .sum::<f64>()
        };
        let temperature = minimum(cost, 0.1f64.ln(), 10f64.ln()).exp() as f32;
        let mut confidence: Vec<f32> = logits
            .iter()
            .map(|logits| {
                Outcome {
                    probabilities: probabilities(logits, temperature),
                    target: 0,
                }
                .confidence()
            })
            .collect();
        confidence.sort_by(f32::total_cmp);
        let index = ((1.0 - COVERAGE) * confidence.len() as f64) as usize;
        Self {
            temperature,
            unknown_threshold: confidence.get(index).copied().unwrap_or(0.0),
        }
    }
}

/// Where `cost`, which has one minimum between `low` and `high`, is least, to 1e-4.
fn minimum(cost: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    while high - low > 1e-4 {
        let (a, b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        if cost(a) < cost(b) {
            high = b;
        } else {
            low = a;
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::ClipFeatures;

    fn example(target: usize) -> Example {
        Example {
            features: ClipFeatures {
                rows: 1,
                values: vec![0.0],
            },
            target,
            known: vec![true; 2],
            ..Example::default()
        }
    }

    #[test]
    fn overconfident_logits_get_a_temperature_above_one() {
        // Three of four right, at logits that claim more than 99 %.
        let examples: Vec<Example> = [0, 0, 0, 1].into_iter().map(example).collect();
        let logits = vec![vec![5.0, 0.0]; 4];
        let fitted = Calibration::fit(&logits, &examples);
        // The likelihood is best where the confidence is 3/4: 5 / t = ln 3.
        assert!(
            (fitted.temperature - 5.0 / 3f32.ln()).abs() < 0.01,
            "{fitted:?}"
        );
        assert!((fitted.unknown_threshold - 0.75).abs() < 0.01, "{fitted:?}");
    }
}
