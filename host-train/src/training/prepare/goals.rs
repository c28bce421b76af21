//! What is asked for of training clips beside their labels: listeners' votes and teachers' answers.

use undertone_model::Model;

use super::{PrepareError, hash};
use crate::training::batch::Example;
use crate::training::goal;
use crate::training::recipe::Recipe;
use crate::training::split::RunClips;

/// Puts votes and teachers' answers into what is asked for of the training clips.
pub(super) fn ask(
    split: &RunClips,
    train: &mut [Example],
    recipe: &Recipe,
    teachers: &[Model],
) -> Result<(), PrepareError> {
    let classes = recipe.classes;
    if recipe.votes > 0.0 {
        for (clip, example) in split.train.iter().zip(train.iter_mut()) {
            if let Some(heard) = goal::votes(clip, classes) {
                let mut soft = goal::certain(example.target, example.known.len());
                goal::mix(&mut soft, &heard, recipe.votes);
                example.soft = Some(soft);
            }
        }
    }
    let kept_out = hash(&split.test);
    for (teacher, named) in teachers.iter().zip(&recipe.teacher.models) {
        let metadata = teacher.metadata();
        let reason = if metadata.content_hash != *named {
            "is not the one that the recipe names"
        } else if metadata.labels != classes.names() {
            "tells other classes apart than the recipe"
        } else if metadata.frontend != recipe.frontend || metadata.features != recipe.features {
            "reads other features than the recipe"
        } else if metadata.provenance.clips.last() != Some(&kept_out) {
            "was trained on speakers that this run must not hear, or without some of its own"
        } else {
            continue;
        };
        return Err(PrepareError::Teacher {
            hash: metadata.content_hash.clone(),
            reason,
        });
    }
    if teachers.len() != recipe.teacher.models.len() {
        return Err(PrepareError::Teacher {
            hash: recipe.teacher.models.join(", "),
            reason: "is not given: name the model files with --teacher",
        });
    }
    if !teachers.is_empty() {
        let clips: Vec<_> = train
            .iter()
            .map(|example| (&example.features, example.known.clone()))
            .collect();
        let answers = goal::taught(teachers, &clips, recipe.teacher.temperature)?;
        for (example, answer) in train.iter_mut().zip(answers) {
            let mut soft = example.goal(0.0);
            goal::mix(&mut soft, &answer, recipe.teacher.share);
            example.soft = Some(soft);
        }
    }
    Ok(())
}
