//! Figures of merit of a classifier.
//!
//! Unweighted accuracy (UA) is the mean recall over the classes that occur. The expected calibration error follows
//! Guo et al. 2017, with [`BINS`] equal-width bins of confidence. Coverage is the share of clips that are answered
//! when the least confident are not.

use serde::{Deserialize, Serialize};

/// Bins of the calibration error.
pub const BINS: usize = 15;

/// One classified clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Probability of each class; classes that cannot occur have 0.
    pub probabilities: Vec<f32>,
    /// True class.
    pub target: usize,
}

impl Outcome {
    /// The most probable class; the first one on a tie.
    #[must_use]
    pub fn predicted(&self) -> usize {
        let mut best = 0;
        for (class, probability) in self.probabilities.iter().enumerate() {
            if *probability > self.probabilities[best] {
                best = class;
            }
        }
        best
    }

    /// Probability of the predicted class.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        self.probabilities
            .get(self.predicted())
            .copied()
            .unwrap_or(0.0)
    }

    fn correct(&self) -> bool {
        self.predicted() == self.target
    }
}

/// Figures of one set of outcomes; shares are 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Number of clips.
    pub clips: usize,
    /// Mean recall over the classes that occur.
    pub unweighted_accuracy: f64,
    /// Share of clips that are right.
    pub accuracy: f64,
    /// Mean F1 over the classes that occur.
    pub macro_f1: f64,
    /// F1 of each class; `None` for one that does not occur.
    pub f1: Vec<Option<f64>>,
    /// Recall of each class; `None` for one that does not occur.
    pub recall: Vec<Option<f64>>,
    /// Precision of each class; `None` for one that is never predicted.
    pub precision: Vec<Option<f64>>,
    /// Expected calibration error.
    pub calibration_error: f64,
    /// UA of the three quarters of the clips that are most confident.
    pub unweighted_accuracy_at_75: f64,
    /// What is answered and how well, from everything to the most confident tenth.
    pub risk_coverage: Vec<Coverage>,
    /// Clips by true class (row) and predicted class (column).
    pub confusion: Vec<Vec<usize>>,
}

/// Figures of the most confident clips alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Share of the clips that is answered.
    pub coverage: f64,
    /// Share of these that is wrong.
    pub risk: f64,
    /// UA of these.
    pub unweighted_accuracy: f64,
}

impl Figures {
    /// Figures of `outcomes` over `classes` classes.
    #[must_use]
    pub fn of(outcomes: &[Outcome], classes: usize) -> Self {
        let confusion = confusion(outcomes.iter(), classes);
        let recall: Vec<Option<f64>> = (0..classes)
            .map(|class| share(confusion[class][class], confusion[class].iter().sum()))
            .collect();
        let precision: Vec<Option<f64>> = (0..classes)
            .map(|class| {
                share(
                    confusion[class][class],
                    confusion.iter().map(|row| row[class]).sum(),
                )
            })
            .collect();
        let f1: Vec<Option<f64>> = (0..classes)
            .map(|class| {
                let recall = recall[class]?;
                let precision = precision[class].unwrap_or(0.0);
                Some(if recall + precision > 0.0 {
                    2.0 * recall * precision / (recall + precision)
                } else {
                    0.0
                })
            })
            .collect();
        let right = (0..classes).map(|class| confusion[class][class]).sum();
        let mut confident: Vec<&Outcome> = outcomes.iter().collect();
        confident.sort_by(|a, b| b.confidence().total_cmp(&a.confidence()));
        let three_quarters = &confident[..(outcomes.len() * 3).div_ceil(4)];
        Self {
            clips: outcomes.len(),
            unweighted_accuracy: mean(&recall),
            accuracy: share(right, outcomes.len()).unwrap_or(0.0),
            macro_f1: mean(&f1),
            calibration_error: calibration_error(outcomes),
            unweighted_accuracy_at_75: unweighted_accuracy(three_quarters.iter().copied(), classes),
            risk_coverage: risk_coverage(&confident, classes),
            f1,
            recall,
            precision,
            confusion,
        }
    }
}

/// Figures of the first tenths of outcomes sorted by falling confidence.
fn risk_coverage(confident: &[&Outcome], classes: usize) -> Vec<Coverage> {
    (1..=10)
        .rev()
        .map(|tenths| {
            let answered = &confident[..(confident.len() * tenths).div_ceil(10)];
            let right = answered.iter().filter(|outcome| outcome.correct()).count();
            Coverage {
                coverage: tenths as f64 / 10.0,
                risk: share(answered.len() - right, answered.len()).unwrap_or(0.0),
                unweighted_accuracy: unweighted_accuracy(answered.iter().copied(), classes),
            }
        })
        .collect()
}

/// UA of `outcomes` over `classes` classes; 0 without outcomes.
pub fn unweighted_accuracy<'a>(outcomes: impl Iterator<Item = &'a Outcome>, classes: usize) -> f64 {
    let confusion = confusion(outcomes, classes);
    let recall: Vec<Option<f64>> = confusion
        .iter()
        .enumerate()
        .map(|(class, row)| share(row[class], row.iter().sum()))
        .collect();
    mean(&recall)
}

/// Mean gap between confidence and accuracy, weighted by the clips in each bin of confidence.
#[must_use]
pub fn calibration_error(outcomes: &[Outcome]) -> f64 {
    let mut bins = [(0usize, 0usize, 0.0f64); BINS];
    for outcome in outcomes {
        let confidence = f64::from(outcome.confidence());
        let (count, right, sum) = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        *count += 1;
        *right += usize::from(outcome.correct());
        *sum += confidence;
    }
    let gaps = bins
        .iter()
        .map(|&(_, right, sum)| (right as f64 - sum).abs());
    gaps.sum::<f64>() / outcomes.len().max(1) as f64
}

fn confusion<'a>(outcomes: impl Iterator<Item = &'a Outcome>, classes: usize) -> Vec<Vec<usize>> {
    let mut confusion = vec![vec![0; classes]; classes];
    for outcome in outcomes {
        confusion[outcome.target][outcome.predicted()] += 1;
    }
    confusion
}

fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(values: &[Option<f64>]) -> f64 {
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    known.iter().sum::<f64>() / known.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(probabilities: [f32; 3], target: usize) -> Outcome {
        Outcome {
            probabilities: probabilities.to_vec(),
            target,
        }
    }

    #[test]
    fn unweighted_accuracy_is_the_mean_recall_of_the_classes_that_occur() {
        let outcomes = [
            outcome([0.9, 0.1, 0.0], 0),
            outcome([0.8, 0.2, 0.0], 0),
            outcome([0.7, 0.3, 0.0], 0),
            outcome([0.6, 0.4, 0.0], 1),
        ];
        let figures = Figures::of(&outcomes, 3);
        assert!((figures.unweighted_accuracy - 0.5).abs() < 1e-9);
        assert!((figures.accuracy - 0.75).abs() < 1e-9);
        assert_eq!(figures.recall, [Some(1.0), Some(0.0), None]);
        assert_eq!(figures.precision, [Some(0.75), None, None]);
        assert_eq!(figures.confusion[1], [1, 0, 0]);
    }

    #[test]
    fn a_confident_and_always_wrong_classifier_has_a_calibration_error_of_its_confidence() {
        let outcomes = vec![outcome([0.9, 0.1, 0.0], 1); 10];
        assert!((calibration_error(&outcomes) - 0.9).abs() < 1e-6);
        let half = [outcome([0.5, 0.4, 0.1], 0), outcome([0.5, 0.4, 0.1], 1)];
        assert!(calibration_error(&half) < 1e-6);
        // Too sure in one bin and too unsure in another is no balance: |0 - 0.9| and |1 - 0.4|, a half each.
        let both = [outcome([0.9, 0.1, 0.0], 1), outcome([0.4, 0.3, 0.3], 0)];
        assert!((calibration_error(&both) - 0.75).abs() < 1e-6);
    }

    #[test]
    fn the_f1_of_a_class_weighs_what_is_missed_and_what_is_taken_for_it() {
        // Of class 0 two of three are found, and one of class 1 is taken for it: precision and recall 2/3. Of class 1 both are 1/2.
        let outcomes = [
            outcome([0.9, 0.1, 0.0], 0),
            outcome([0.9, 0.1, 0.0], 0),
            outcome([0.1, 0.9, 0.0], 0),
            outcome([0.9, 0.1, 0.0], 1),
            outcome([0.1, 0.9, 0.0], 1),
        ];
        let figures = Figures::of(&outcomes, 3);
        let expected = [Some(2.0 / 3.0), Some(0.5), None];
        for (found, expected) in figures.f1.iter().zip(expected) {
            assert_eq!(found.is_some(), expected.is_some());
            assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-9);
        }
        assert!((figures.macro_f1 - (2.0 / 3.0 + 0.5) / 2.0).abs() < 1e-9);
    }

    #[test]
    fn leaving_out_the_least_confident_quarter_can_raise_the_score() {
        let mut outcomes = vec![
            outcome([0.9, 0.1, 0.0], 0),
            outcome([0.1, 0.9, 0.0], 1),
            outcome([0.2, 0.8, 0.0], 1),
        ];
        outcomes.push(outcome([0.5, 0.45, 0.05], 1));
        let figures = Figures::of(&outcomes, 3);
        assert!((figures.unweighted_accuracy_at_75 - 1.0).abs() < 1e-9);
        assert!(figures.unweighted_accuracy < 1.0);
    }

    #[test]
    fn the_risk_falls_with_the_coverage_where_confidence_means_something() {
        let outcomes: Vec<Outcome> = (0..10u8)
            .map(|n| {
                let confidence = 0.55 + 0.04 * f32::from(n);
                outcome([confidence, 1.0 - confidence, 0.0], usize::from(n < 4))
            })
            .collect();
        let curve = Figures::of(&outcomes, 3).risk_coverage;
        assert_eq!((curve[0].coverage, curve[9].coverage), (1.0, 0.1));
        assert!((curve[0].risk - 0.4).abs() < 1e-9 && curve[4].risk.abs() < 1e-9);
        assert!(curve.windows(2).all(|pair| pair[1].risk <= pair[0].risk));
    }

    #[test]
    fn no_outcomes_give_zeros_and_no_panic() {
        let figures = Figures::of(&[], 3);
        assert_eq!((figures.clips, figures.unweighted_accuracy), (0, 0.0));
    }
}
