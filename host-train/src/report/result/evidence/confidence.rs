//! How confidence and being right go together: a reliability diagram's bins and a curve of risk by coverage.

use super::{Bin, Coverage};
use crate::evaluation::metrics::Outcome;

/// Bins of the reliability diagram.
const BINS: usize = 10;
/// Points of a risk-coverage curve.
const POINTS: usize = 20;

/// Outcomes in bins of equal width by their confidence; empty bins are left out.
pub(in crate::report::result) fn reliability(outcomes: &[Outcome]) -> Vec<Bin> {
    let mut bins = [(0usize, 0usize, 0.0f64); BINS];
    for outcome in outcomes {
        let confidence = f64::from(outcome.confidence());
        let (clips, right, sum) = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *clips += 1;
        *right += usize::from(outcome.predicted() == outcome.target);
        *sum += confidence;
    }
    bins.into_iter()
        .filter(|bin| bin.0 > 0)
        .map(|(clips, right, sum)| Bin {
            confidence: sum / clips as f64,
            accuracy: right as f64 / clips as f64,
            clips,
        })
        .collect()
}

/// Risk when only the most confident are answered, from all of them down to a twentieth.
pub(in crate::report::result) fn coverage(outcomes: &[Outcome]) -> Vec<Coverage> {
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()));
    (1..=POINTS)
        .rev()
        .filter_map(|point| {
            let answered = sorted
                .get(..(sorted.len() * point).div_ceil(POINTS))
                .filter(|answered| !answered.is_empty())?;
            let wrong = answered
                .iter()
                .filter(|outcome| outcome.predicted() != outcome.target)
                .count();
            Some(Coverage {
                coverage: point as f64 / POINTS as f64,
                risk: wrong as f64 / answered.len() as f64,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(confidence: f32, right: bool) -> Outcome {
        Outcome {
            probabilities: vec![confidence, 1.0 - confidence],
            target: usize::from(!right),
        }
    }

    #[test]
    fn reliability_puts_accuracy_beside_confidence() {
        let outcomes = [
            outcome(0.92, true),
            outcome(0.94, false),
            outcome(0.61, true),
        ];
        let bins = reliability(&outcomes);
        assert_eq!(bins.len(), 2);
        assert!((bins[1].confidence - 0.93).abs() < 1e-6 && (bins[1].accuracy - 0.5).abs() < 1e-9);
        assert_eq!((bins[0].clips, bins[0].accuracy), (1, 1.0));
    }

    #[test]
    fn risk_falls_with_coverage_where_the_confident_are_right() {
        let outcomes: Vec<Outcome> = (0..20u8)
            .map(|i| outcome(0.55 + 0.02 * f32::from(i), i >= 5))
            .collect();
        let curve = coverage(&outcomes);
        assert_eq!(curve.len(), 20);
        assert!((curve[0].risk - 0.25).abs() < 1e-9 && curve[10].risk == 0.0);
        assert!(coverage(&[]).is_empty());
    }
}
