//! A model file fitted to the voices of one site, speaker or corpus, from labelled clips.
//!
//! Comes in: a model file, and clips sorted into classes. Goes out: a new model file whose output layer is moved toward those
//! clips ([`fit`]), or whose head is a new one where there are many ([`regression`]), with its provenance; everything before the head,
//! the front end and the calibration stay. Held-back clips decide which way is better ([`judge`]), and whether it is any better at all
//! ([`Verdict`]): a worse file is not written.

mod enrolled;
mod error;
pub mod fit;
pub mod head;
pub mod regression;
mod stored;
pub mod trial;
mod verdict;
mod way;

use prost::Message;
use rayon::prelude::*;
use undertone_model::onnx::ModelProto;
use undertone_model::{Adaptation, Metadata, Model, SelfTest, seal};

use crate::evaluation::model::logits;
use crate::features::ClipFeatures;
use fit::PRIOR;
use head::Head;

pub(crate) use enrolled::label_of;
pub use enrolled::{Enrolled, enrol};
pub use error::AdaptError;
pub use verdict::{FEWEST, Score, Verdict, judge};
pub(crate) use verdict::{answers, score};
pub use way::{Fitted, Way};

/// Fewest clips of each class for a new head. The fewest that one was measured on are the 45 of three SAVEE speakers.
const MANY: usize = 30;

/// A file that was fitted to clips.
#[derive(Clone, Debug)]
pub struct Adapted {
    /// The new file.
    pub bytes: Vec<u8>,
    /// How it was fitted.
    pub way: Way,
    /// How held-back clips judged that.
    pub verdict: Verdict,
}

/// `file` adapted to `clips`, features and class of each, whose content has the hash `content`: by moving its output layer, or, where
/// there are many of every class and those held back are for it, with a new head.
///
/// # Errors
/// [`AdaptError`]; [`AdaptError::Worse`] if held-back clips are against it.
pub fn adapt(
    file: &[u8],
    clips: &[(ClipFeatures, usize)],
    content: &str,
) -> Result<Adapted, AdaptError> {
    let given = Given::of(file, clips)?;
    let moved = Way::Moved { prior: PRIOR };
    let (mut way, mut verdict) = (moved, given.judge(moved)?);
    if given.may_be_new() {
        let new = given.judge(Way::Regressed)?;
        if new.preferred_to(&verdict) {
            (way, verdict) = (Way::Regressed, new);
        }
    }
    if !verdict.accepts() {
        return Err(AdaptError::Worse { verdict });
    }
    let bytes = given.written(way, content)?;
    Ok(Adapted {
        bytes,
        way,
        verdict,
    })
}

/// `file` with a new head that is fitted to `clips`, which nobody judges; classes without clips are never its answer.
///
/// # Errors
/// [`AdaptError`].
pub fn new_head(
    file: &[u8],
    clips: &[(ClipFeatures, usize)],
    content: &str,
) -> Result<Vec<u8>, AdaptError> {
    Given::of(file, clips)?.written(Way::Regressed, content)
}

/// A model file, and what its head reads of the clips.
struct Given {
    proto: ModelProto,
    metadata: Metadata,
    head: Head,
    clips: Vec<Enrolled>,
}

impl Given {
    fn of(file: &[u8], clips: &[(ClipFeatures, usize)]) -> Result<Self, AdaptError> {
        let model = Model::from_bytes(file)?;
        let metadata = model.metadata().clone();
        let proto =
            ModelProto::decode(file).map_err(|error| AdaptError::Head(error.to_string()))?;
        let head = Head::of(&metadata, &proto)?;
        let clips = clips
            .par_iter()
            .enumerate()
            .map(|(index, (clip, target))| {
                let clip = enrol(&model, &head, clip, *target)?;
                clip.ok_or(AdaptError::Short { number: index + 1 })
            })
            .collect::<Result<_, AdaptError>>()?;
        Ok(Self {
            proto,
            metadata,
            head,
            clips,
        })
    }

    fn judge(&self, way: Way) -> Result<Verdict, AdaptError> {
        let (labels, temperature) = (&self.metadata.labels, self.metadata.temperature);
        judge(&self.head, labels, &self.clips, temperature, way)
    }

    /// Whether there is enough of every class for a head that knows of nothing else.
    fn may_be_new(&self) -> bool {
        let given = |class| {
            let of = self.clips.iter().filter(|clip| clip.target == class);
            of.count() >= MANY
        };
        (0..self.metadata.labels.len()).all(given)
    }

    fn written(mut self, way: Way, content: &str) -> Result<Vec<u8>, AdaptError> {
        let fitted = way.fit(&self.head, &self.clips, self.metadata.temperature)?;
        fitted.write(&mut self.proto)?;
        let metadata = &mut self.metadata;
        metadata.provenance.adapted = Some(Adaptation {
            from: metadata.content_hash.clone(),
            clips: self.clips.len(),
            content: content.to_owned(),
        });
        let written = Model::unverified(self.proto.clone(), metadata.clone())?;
        let rows = metadata.rows();
        let input = ClipFeatures {
            rows,
            values: SelfTest::input(metadata.self_test.frames, rows),
        };
        metadata.self_test.logits = logits(&written, &input)?;
        let bytes = seal(&mut self.proto, metadata)?;
        Model::from_bytes(&bytes)?;
        Ok(bytes)
    }
}
