//! Whether an adapted head is any better, by clips held back from it.

use super::AdaptError;
use super::Way;
use super::enrolled::Enrolled;
use super::head::Head;
use crate::evaluation::metrics::{Outcome, unweighted_accuracy};
use crate::training::validate::probabilities;

/// Fewest clips of a class: one to fit, one to hold back.
pub const FEWEST: usize = 2;
/// Most parts that the clips are held back in.
const PARTS: usize = 3;

/// How well a head answers some clips.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean recall of the classes that occur, 0 to 1.
    pub unweighted_accuracy: f64,
    /// Mean negative log-likelihood of the true class, at the model's temperature.
    pub log_loss: f64,
}

/// The head given and the adapted one, on clips that neither was fitted to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// The head given.
    pub before: Score,
    /// The adapted one.
    pub after: Score,
}

impl Verdict {
    /// Whether the adapted head is no worse by either score.
    #[must_use]
    pub fn accepts(&self) -> bool {
        self.after.unweighted_accuracy >= self.before.unweighted_accuracy
            && self.after.log_loss <= self.before.log_loss
    }

    /// Whether this adapted head is the one to take of two: it is accepted, and the other is not, or is no better by either score and
    /// worse by one.
    #[must_use]
    pub fn preferred_to(&self, other: &Self) -> bool {
        let more = self.after.unweighted_accuracy - other.after.unweighted_accuracy;
        let less = other.after.log_loss - self.after.log_loss;
        let beats = more >= 0.0 && less >= 0.0 && more + less > 0.0;
        self.accepts() && (beats || !other.accepts())
    }
}

/// Holds back each class's clips in turn, fits `head` to the others in this `way`, and compares. Clips come in any order.
///
/// # Errors
/// [`AdaptError::Few`] and [`AdaptError::OneClass`].
pub fn judge(
    head: &Head,
    labels: &[String],
    clips: &[Enrolled],
    temperature: f32,
    way: Way,
) -> Result<Verdict, AdaptError> {
    let count = |class| clips.iter().filter(|clip| clip.target == class).count();
    let counts: Vec<usize> = (0..labels.len()).map(count).collect();
    let given = counts.iter().filter(|count| **count > 0).count();
    if given < 2 {
        return Err(AdaptError::OneClass(given));
    }
    for (label, &found) in labels.iter().zip(&counts) {
        if found > 0 && found < FEWEST {
            return Err(AdaptError::Few {
                label: label.clone(),
                found,
            });
        }
    }
    let least = counts.iter().copied().filter(|count| *count > 0).min();
    let parts = least.unwrap_or(FEWEST).min(PARTS);
    let mut seen = vec![0; labels.len()];
    let part: Vec<usize> = clips
        .iter()
        .map(|clip| {
            seen[clip.target] += 1;
            (seen[clip.target] - 1) % parts
        })
        .collect();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for held in 0..parts {
        let side = |back: bool| -> Vec<Enrolled> {
            let clips = clips.iter().zip(&part);
            let clips = clips.filter(|(_, part)| (**part == held) == back);
            clips.map(|(clip, _)| clip.clone()).collect()
        };
        let fitted = way.fit(head, &side(false), temperature)?;
        let back = side(true);
        let given = |clip: &Enrolled| head.logits(&clip.hidden);
        before.extend(answers(given, &counts, &back, temperature));
        let fitted = |clip: &Enrolled| fitted.logits(clip);
        after.extend(answers(fitted, &counts, &back, temperature));
    }
    Ok(Verdict {
        before: score(&before, labels.len()),
        after: score(&after, labels.len()),
    })
}

/// What a head answers, over the classes that there are clips of.
pub(crate) fn answers(
    head: impl Fn(&Enrolled) -> Vec<f32>,
    counts: &[usize],
    clips: &[Enrolled],
    temperature: f32,
) -> Vec<Outcome> {
    let answer = |clip: &Enrolled| {
        let mut logits = head(clip);
        for (logit, count) in logits.iter_mut().zip(counts) {
            if *count == 0 {
                *logit = -1e4;
            }
        }
        Outcome {
            probabilities: probabilities(&logits, temperature),
            target: clip.target,
        }
    };
    clips.iter().map(answer).collect()
}

pub(crate) fn score(outcomes: &[Outcome], classes: usize) -> Score {
    let losses = outcomes.iter().map(|outcome| {
        let probability = outcome.probabilities[outcome.target];
        -f64::from(probability.max(1e-12)).ln()
    });
    Score {
        unweighted_accuracy: unweighted_accuracy(outcomes.iter(), classes),
        log_loss: losses.sum::<f64>() / outcomes.len().max(1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapt::fit::{self, PRIOR};
    use crate::adapt::head::Dense;

    const MOVED: Way = Way::Moved { prior: PRIOR };

    /// Two classes told apart by the first of two activations.
    fn head() -> Head {
        Head::of_output(Dense {
            weight: vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0],
            bias: vec![0.0, 0.0, -3.0],
        })
    }

    fn labels() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    /// A speaker who means class 1 by the second activation.
    fn speaker() -> Vec<Enrolled> {
        let clip = |n: usize| Enrolled {
            hidden: vec![1.0 + 0.01 * n as f32, if n % 2 == 1 { 2.0 } else { 0.1 }],
            statistics: Vec::new(),
            target: n % 2,
        };
        (0..8).map(clip).collect()
    }

    #[test]
    fn a_speaker_who_differs_is_learnt_and_held_back_clips_are_for_it() {
        let verdict = judge(&head(), &labels(), &speaker(), 1.0, MOVED).unwrap();
        assert_eq!(verdict.before.unweighted_accuracy, 0.5);
        assert_eq!(verdict.after.unweighted_accuracy, 1.0);
        assert!(verdict.accepts());
    }

    #[test]
    fn of_two_heads_the_one_that_is_better_or_the_only_one_accepted_is_taken() {
        let score = |unweighted_accuracy, log_loss| Score {
            unweighted_accuracy,
            log_loss,
        };
        let verdict = |after| Verdict {
            before: score(0.60, 1.2),
            after,
        };
        let moved = verdict(score(0.66, 1.1));
        for (new, taken) in [
            (score(0.67, 1.1), true),
            (score(0.66, 1.1), false),
            (score(0.70, 1.15), false),
            (score(0.65, 1.0), false),
        ] {
            assert_eq!(verdict(new).preferred_to(&moved), taken, "{new:?}");
        }
        let refused = verdict(score(0.66, 1.25));
        assert!(verdict(score(0.65, 1.0)).preferred_to(&refused));
        assert!(!verdict(score(0.55, 1.0)).preferred_to(&refused));
    }

    #[test]
    fn labels_drawn_at_random_are_refused() {
        let mut clips = speaker();
        for (index, clip) in clips.iter_mut().enumerate() {
            // Nothing that can be heard goes with these labels, and the head given is right about most.
            clip.hidden = if index == 3 {
                vec![-1.0, 0.0]
            } else {
                vec![f32::from(u8::from(index % 2 == 0)) * 2.0 - 1.0, 0.0]
            };
            clip.target = usize::from(index % 2 == 1);
        }
        clips[0].target = 1;
        clips[1].target = 0;
        let verdict = judge(&head(), &labels(), &clips, 1.0, Way::Moved { prior: 1e-3 }).unwrap();
        assert!(!verdict.accepts(), "{verdict:?}");
    }

    #[test]
    fn a_strong_prior_leaves_the_head_as_it_is_and_classes_without_clips_stay_in_any_case() {
        let near = fit::fit(&head(), &speaker(), 1.0, 1e6);
        for (now, was) in near.output.weight.iter().zip(&head().output.weight) {
            assert!((now - was).abs() < 1e-3, "{now} {was}");
        }
        let far = fit::fit(&head(), &speaker(), 1.0, 0.01);
        assert_ne!(far.output.weight, head().output.weight);
        assert_eq!(far.output.bias[2], -3.0);
        assert_eq!((far.output.weight[2], far.output.weight[5]), (0.0, 0.0));
    }

    #[test]
    fn too_few_clips_or_classes_are_refused_by_name() {
        let clips = speaker();
        let judge = |clips: &[Enrolled]| judge(&head(), &labels(), clips, 1.0, MOVED);
        let error = judge(&clips[..3]).unwrap_err().to_string();
        assert!(error.contains("1 clips of b"), "{error}");
        let one: Vec<Enrolled> = clips.iter().step_by(2).cloned().collect();
        assert!(matches!(judge(&one), Err(AdaptError::OneClass(1))));
        assert!(matches!(judge(&[]), Err(AdaptError::OneClass(0))));
    }
}
