//! Clips and their features to examples.

use std::path::PathBuf;

use super::batch::Example;
use super::classes::Classes;
use crate::corpora::Clip;
use crate::features::ClipFeatures;

/// A clip whose emotion is none of the classes that are told apart.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: is labelled {emotion}, which is none of the classes {}: leave its corpus out, or use `--set classes=product`",
    path.display(),
    classes.join(", ")
)]
pub struct Untold {
    /// The clip.
    pub path: PathBuf,
    /// What it is labelled.
    pub emotion: &'static str,
    /// What is told apart.
    pub classes: Vec<String>,
}

/// Examples of clips whose features are there.
///
/// # Errors
/// [`Untold`], of the first such clip.
pub fn label(
    clips: &[Clip],
    features: Vec<ClipFeatures>,
    classes: Classes,
) -> Result<Vec<Example>, Untold> {
    clips
        .iter()
        .zip(features)
        .map(|(clip, features)| {
            let target = classes.index(clip.emotion).ok_or_else(|| Untold {
                path: clip.path.clone(),
                emotion: clip.emotion.name(),
                classes: classes.names(),
            })?;
            Ok(Example {
                features,
                target,
                known: classes.known(clip.corpus),
                group: clip.corpus as usize,
                ..Example::default()
            })
        })
        .collect()
}
