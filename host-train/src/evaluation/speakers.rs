//! What a figure is worth over people: clips of one speaker succeed or fail together, so that speakers are what counts.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use super::metrics::Outcome;

/// Samples of the bootstrap.
const SAMPLES: usize = 2_000;
/// Share of the samples that the interval holds.
const INSIDE: f64 = 0.95;

/// How one speaker's clips were answered, by true class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// Clips of each class.
    pub clips: Vec<usize>,
    /// Of these, the ones answered rightly.
    pub right: Vec<usize>,
}

impl Answers {
    /// Adds another speaker's, or the same one's in another run.
    pub fn add(&mut self, other: &Self) {
        for (mine, other) in [
            (&mut self.clips, &other.clips),
            (&mut self.right, &other.right),
        ] {
            mine.resize(mine.len().max(other.len()), 0);
            mine.iter_mut()
                .zip(other)
                .for_each(|(mine, other)| *mine += other);
        }
    }

    /// Mean recall of the classes that occur.
    #[must_use]
    pub fn unweighted_accuracy(&self) -> f64 {
        let occurring = self
            .clips
            .iter()
            .zip(&self.right)
            .filter(|(clips, _)| **clips > 0);
        let recall: Vec<f64> = occurring
            .map(|(&clips, &right)| right as f64 / clips as f64)
            .collect();
        recall.iter().sum::<f64>() / recall.len().max(1) as f64
    }
}

/// Answers by speaker.
pub type BySpeaker = BTreeMap<String, Answers>;

/// Sorts outcomes by who speaks.
pub fn by_speaker<'a>(
    outcomes: impl IntoIterator<Item = (&'a str, &'a Outcome)>,
    classes: usize,
) -> BySpeaker {
    let mut all = BySpeaker::new();
    for (speaker, outcome) in outcomes {
        let answers = all.entry(speaker.to_owned()).or_insert_with(|| Answers {
            clips: vec![0; classes],
            right: vec![0; classes],
        });
        answers.clips[outcome.target] += 1;
        answers.right[outcome.target] += usize::from(outcome.predicted() == outcome.target);
    }
    all
}

/// The 10, 50 and 90 % speakers by their own UA (nearest rank); `None` without speakers.
#[must_use]
pub fn quantiles(speakers: &BySpeaker) -> Option<[f64; 3]> {
    let mut scores: Vec<f64> = speakers
        .values()
        .map(Answers::unweighted_accuracy)
        .collect();
    scores.sort_by(f64::total_cmp);
    let last = scores.len().checked_sub(1)?;
    Some([0.1, 0.5, 0.9].map(|share| scores[(share * last as f64).round() as usize]))
}

/// Where UA lies in 95 % of samples of as many speakers, drawn with replacement (cluster bootstrap); `None` for fewer than two
/// speakers, which say nothing about others.
#[must_use]
pub fn interval(speakers: &BySpeaker) -> Option<[f64; 2]> {
    let speakers: Vec<&Answers> = speakers.values().collect();
    if speakers.len() < 2 {
        return None;
    }
    let mut rng = StdRng::seed_from_u64(1);
    let mut scores: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let mut all = Answers::default();
            for _ in 0..speakers.len() {
                all.add(speakers[rng.random_range(0..speakers.len())]);
            }
            all.unweighted_accuracy()
        })
        .collect();
    scores.sort_by(f64::total_cmp);
    let outside = (SAMPLES as f64 * (1.0 - INSIDE) / 2.0) as usize;
    Some([scores[outside], scores[SAMPLES - 1 - outside]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speakers(scores: &[usize]) -> BySpeaker {
        let answers = scores.iter().map(|&right| Answers {
            clips: vec![10, 10],
            right: vec![right, right],
        });
        (0..).map(|n| format!("s{n:02}")).zip(answers).collect()
    }

    #[test]
    fn outcomes_are_counted_for_their_speaker_and_class() {
        let outcome = |best: usize, target| Outcome {
            probabilities: (0..2)
                .map(|class| f32::from(u8::from(class == best)))
                .collect(),
            target,
        };
        let outcomes = [
            ("a", outcome(0, 0)),
            ("a", outcome(1, 0)),
            ("b", outcome(1, 1)),
        ];
        let counted = by_speaker(outcomes.iter().map(|(name, one)| (*name, one)), 2);
        assert_eq!((counted["a"].clips[0], counted["a"].right[0]), (2, 1));
        assert_eq!(counted["a"].unweighted_accuracy(), 0.5);
        assert_eq!(counted["b"].unweighted_accuracy(), 1.0);
    }

    #[test]
    fn quantiles_are_those_of_the_speakers() {
        let all = speakers(&[10, 0, 5, 4, 6, 3, 7, 2, 8, 1, 9]);
        assert_eq!(quantiles(&all), Some([0.1, 0.5, 0.9]));
        assert_eq!(quantiles(&BySpeaker::new()), None);
    }

    #[test]
    fn the_interval_is_wide_where_speakers_differ_and_a_point_where_they_do_not() {
        let [low, high] = interval(&speakers(&[0, 10, 0, 10, 0, 10])).unwrap();
        assert!(low <= 0.2 && high >= 0.8, "{low} {high}");
        assert_eq!(interval(&speakers(&[7; 6])), Some([0.7, 0.7]));
        assert_eq!(interval(&speakers(&[7])), None);
    }
}
