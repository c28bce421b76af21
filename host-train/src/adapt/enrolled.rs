//! A clip as a head sees it.

use undertone_model::{Model, ModelError};

use super::head::Head;
use crate::corpora::Clip;
use crate::evaluation::model::listen;
use crate::features::ClipFeatures;
use crate::network::streaming::STATISTICS;

/// A clip as a head sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolled {
    /// What the encoder's steps are pooled to.
    pub statistics: Vec<f32>,
    /// Activations of the hidden layer.
    pub hidden: Vec<f32>,
    /// The clip's class.
    pub target: usize,
}

/// Which of a file's labels a clip's is; a file that does not tell calm apart calls it neutral. `None` for one that it lacks.
pub(crate) fn label_of(clip: &Clip, labels: &[String]) -> Option<usize> {
    let names = [clip.emotion.name(), clip.label.name()];
    let mut places = names
        .iter()
        .filter_map(|name| labels.iter().position(|label| label == name));
    places.next()
}

/// What the head reads of a clip, and the clip's class; `None` for a clip too short for an answer.
///
/// # Errors
/// [`ModelError`] if the clip does not fit the model or inference fails.
pub fn enrol(
    model: &Model,
    head: &Head,
    clip: &ClipFeatures,
    target: usize,
) -> Result<Option<Enrolled>, ModelError> {
    let mut statistics = vec![0.0; STATISTICS * model.metadata().width];
    let heard = listen(model, clip)?.statistics(&mut statistics)?;
    Ok(heard.then(|| Enrolled {
        hidden: head.hidden(&statistics),
        statistics,
        target,
    }))
}
