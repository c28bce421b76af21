//! A run's file with a head of its own for one corpus, as a site that has many labelled clips would make it.

use std::path::Path;

use sha2::{Digest, Sha256};
use undertone_model::Model;

use super::{MeasureError, model_of, read};
use crate::adapt::{label_of, new_head};
use crate::corpora::{Clip, Corpus};
use crate::digest;
use crate::evaluation::plan::Run;
use crate::features::Extractor;
use crate::training::split::split;

/// The model `given`, which is of the file, with a new head, fitted to what the run has heard of `corpus`, validation speakers included, and nobody else.
///
/// # Errors
/// [`MeasureError`]; [`MeasureError::Adapt`] if the run has heard nothing of the corpus.
pub fn with_own_head(
    (file, given): (&Path, &Model),
    run: &Run,
    corpus: Corpus,
    clips: &[Clip],
    extractor: &Extractor,
) -> Result<Model, MeasureError> {
    let bytes = read(file)?;
    let metadata = given.metadata();
    let sides = split(clips, run.kept_out, run.seed)?;
    let heard = sides.train.into_iter().chain(sides.validation);
    let (heard, targets): (Vec<Clip>, Vec<usize>) = heard
        .filter(|clip| clip.corpus == corpus)
        .filter_map(|clip| label_of(&clip, &metadata.labels).map(|place| (clip, place)))
        .unzip();
    let mut content = Sha256::new();
    heard.iter().for_each(|clip| content.update(clip.content.0));
    let features = extractor.run(&heard)?;
    // As a site would leave out what gives no answer.
    let stride = metadata.stride;
    let clips: Vec<_> = features
        .into_iter()
        .zip(targets)
        .filter(|(clip, _)| clip.frames() >= stride)
        .collect();
    let adapted = new_head(&bytes, &clips, &digest::short(content, 16));
    let adapted = adapted.map_err(|source| MeasureError::Adapt {
        path: file.to_owned(),
        corpus,
        source,
    })?;
    model_of(file, &adapted)
}
