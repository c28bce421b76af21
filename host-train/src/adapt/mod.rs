//! A model file fitted to the voices of one site or speaker, from a few labelled clips.
//!
//! Comes in: a model file, and clips sorted into classes. Goes out: a new model file whose output layer is moved toward those
//! clips ([`fit`]), with its provenance; everything before that layer, the front end and the calibration stay. Held-back clips
//! decide first whether it is any better ([`Verdict`]): a worse one is not written.

mod error;
pub mod fit;
pub mod head;
mod stored;
pub mod trial;
mod verdict;

use prost::Message;
use undertone_model::onnx::ModelProto;
use undertone_model::{Adaptation, Model, ModelError, SelfTest, seal};

use crate::evaluation::model::{listen, logits};
use crate::features::ClipFeatures;
use crate::network::streaming::STATISTICS;
use fit::{Enrolled, PRIOR};
use head::Head;

pub use error::AdaptError;
pub use verdict::{FEWEST, Score, Verdict, judge};
pub(crate) use verdict::{answers, score};

/// What the head reads of a clip, and the clip's class.
///
/// # Errors
/// [`ModelError`] if the clip does not fit the model or inference fails.
pub fn enrol(
    model: &Model,
    head: &Head,
    clip: &ClipFeatures,
    target: usize,
) -> Result<Enrolled, ModelError> {
    let mut statistics = vec![0.0; STATISTICS * model.metadata().width];
    listen(model, clip)?.statistics(&mut statistics)?;
    Ok(Enrolled {
        hidden: head.hidden(&statistics),
        target,
    })
}

/// The bytes of `file` adapted to `clips`, whose content has the hash `content`, and how held-back clips judged it.
///
/// # Errors
/// [`AdaptError`]; [`AdaptError::Worse`] if held-back clips are against it.
pub fn adapt(
    file: &[u8],
    clips: &[(ClipFeatures, usize)],
    content: &str,
) -> Result<(Vec<u8>, Verdict), AdaptError> {
    let model = Model::from_bytes(file)?;
    let mut metadata = model.metadata().clone();
    let mut proto =
        ModelProto::decode(file).map_err(|error| AdaptError::Head(error.to_string()))?;
    let head = Head::of(&metadata, &proto)?;
    let enrolled = clips
        .iter()
        .map(|(clip, target)| enrol(&model, &head, clip, *target))
        .collect::<Result<Vec<_>, _>>()?;
    let (labels, temperature) = (&metadata.labels, metadata.temperature);
    let verdict = judge(&head, labels, &enrolled, temperature, PRIOR)?;
    if !verdict.accepts() {
        return Err(AdaptError::Worse { verdict });
    }
    fit::fit(&head, &enrolled, temperature, PRIOR).write(&mut proto)?;
    metadata.provenance.adapted = Some(Adaptation {
        from: metadata.content_hash.clone(),
        clips: clips.len(),
        content: content.to_owned(),
    });
    let written = Model::unverified(proto.clone(), metadata.clone())?;
    let rows = metadata.rows();
    let input = ClipFeatures {
        rows,
        values: SelfTest::input(metadata.self_test.frames, rows),
    };
    metadata.self_test.logits = logits(&written, &input)?;
    let bytes = seal(&mut proto, &metadata)?;
    Model::from_bytes(&bytes)?;
    Ok((bytes, verdict))
}
