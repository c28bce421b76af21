//! What a network is asked to answer for a clip: one class, or a distribution.
//!
//! A distribution can say what listeners heard (CREMA-D's votes on the voice alone), or what teachers answer
//! (Hinton et al. 2015); label smoothing then takes from whatever is asked.

use undertone_model::{Model, ModelError};

use super::classes::Classes;
use super::validate::probabilities;
use crate::corpora::{Clip, Emotion};
use crate::evaluation::model::logits;
use crate::features::ClipFeatures;
use rayon::prelude::*;

/// The distribution of one class.
#[must_use]
pub fn certain(target: usize, classes: usize) -> Vec<f32> {
    let mut goal = vec![0.0; classes];
    goal[target] = 1.0;
    goal
}

/// `share` of `other` in `goal`.
pub fn mix(goal: &mut [f32], other: &[f32], share: f32) {
    for (goal, other) in goal.iter_mut().zip(other) {
        *goal += share * (other - *goal);
    }
}

/// `smoothing` of what a class is given, shared by the other classes that are `known`.
pub fn smooth(goal: &mut [f32], known: &[bool], smoothing: f32) {
    let others = known.iter().filter(|known| **known).count().max(2) - 1;
    for (goal, _) in goal.iter_mut().zip(known).filter(|(_, known)| **known) {
        *goal = *goal * (1.0 - smoothing) + (1.0 - *goal) * smoothing / others as f32;
    }
}

/// What listeners heard, as a distribution over `classes`; `None` for a clip without votes.
#[must_use]
pub fn votes(clip: &Clip, classes: Classes) -> Option<Vec<f32>> {
    let votes = clip.votes.as_ref()?;
    let total = votes.total();
    let mut heard = vec![0.0; classes.names().len()];
    for emotion in Emotion::ALL {
        if let Some(index) = classes.index(emotion) {
            heard[index] += f32::from(votes.of(emotion)) / total.max(1) as f32;
        }
    }
    (total > 0).then_some(heard)
}

/// The mean of what `teachers` answer for each clip, over the classes that its corpus knows, softened by `temperature`.
///
/// # Errors
/// [`ModelError`] of the first clip that fails.
pub fn taught(
    teachers: &[Model],
    clips: &[(&ClipFeatures, Vec<bool>)],
    temperature: f32,
) -> Result<Vec<Vec<f32>>, ModelError> {
    clips
        .par_iter()
        .map(|(features, known)| {
            let mut mean = vec![0.0; known.len()];
            for teacher in teachers {
                let mut logits = logits(teacher, features)?;
                for (logit, known) in logits.iter_mut().zip(known) {
                    if !known {
                        *logit = -1e4;
                    }
                }
                let soft = probabilities(&logits, temperature * teacher.metadata().temperature);
                for (mean, soft) in mean.iter_mut().zip(soft) {
                    *mean += soft / teachers.len() as f32;
                }
            }
            Ok(mean)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpora::{Corpus, Votes};

    #[test]
    fn smoothing_takes_from_the_target_and_gives_to_the_other_known_classes_alone() {
        let mut goal = certain(1, 4);
        smooth(&mut goal, &[true, true, true, false], 0.1);
        assert_eq!(goal, [0.05, 0.9, 0.05, 0.0]);
    }

    #[test]
    fn votes_become_shares_and_a_clip_without_them_has_none() {
        let mut clip = Clip::example(Corpus::CremaD, "1001", Emotion::Sad, 1);
        assert_eq!(votes(&clip, Classes::Product), None);
        clip.votes = Some(Votes {
            sad: 6,
            neutral: 2,
            ..Votes::default()
        });
        let heard = votes(&clip, Classes::CalmApart).unwrap();
        assert_eq!((heard[0], heard[3]), (0.25, 0.75));
        let mut goal = certain(3, 8);
        mix(&mut goal, &heard, 0.5);
        assert_eq!((goal[0], goal[3]), (0.125, 0.875));
    }
}
