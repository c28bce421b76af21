//! How figures near 100 % come about, and what remains of them.
//!
//! The field's notebooks make altered copies of every clip first and split at random afterwards, so that nearly every test
//! vector has a copy of its own recording in training, by one of only two actresses; and they let that test set choose the
//! epoch. [`sides`](sides::sides) does the same with TESS (four copies of 2800 clips, 80 to 20), and beside it the honest way: the same copies of
//! one actress in training, the clips of the other, unaltered, to test on, and the epoch chosen without them.

pub mod sides;

use std::path::Path;

use burn::tensor::Device;

use super::condition::Condition;
use super::date::today;
use super::measure::MeasureError;
use super::metrics::{Figures, Outcome};
use super::results::{FoldResult, HeadOf};
use super::speakers::by_speaker;
use crate::corpora::{Clip, Corpus, Emotion};
use crate::export::ExportError;
use crate::network::NetworkConfig;
use crate::network::classic::ClassicConfig;
use crate::training::checkpoint::{EpochFigures, Plan, RunFolder};
use crate::training::normalise::Normalisation;
use crate::training::prepare::hash;
use crate::training::recipe::Recipe;
use crate::training::run::{Material, train};
use crate::training::validate::{logits, probabilities};
use sides::sides;

/// How TESS is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Copies first, then at random.
    Leaky,
    /// The actress of this fold is only tested on.
    Unheard(u8),
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Leaky, Self::Unheard(1), Self::Unheard(2)];

    /// Name of the fold among the results.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Leaky => "leaky".to_owned(),
            Self::Unheard(fold) => format!("unheard-{fold}"),
        }
    }
}

/// Trains the classic network one way, resuming what `folder` holds, and scores its best epoch.
///
/// # Errors
/// [`MeasureError`].
pub fn measure(
    clips: &[Clip],
    way: Way,
    (recipe, shape): (&Recipe, Option<ClassicConfig>),
    folder: &Path,
    device: &Device,
    report: impl FnMut(usize, &EpochFigures),
) -> Result<FoldResult, MeasureError> {
    let sides = sides(clips, way, recipe)?;
    if sides.tested.is_empty() || sides.heard.is_empty() {
        return Err(MeasureError::NoClips {
            fold: way.name(),
            corpus: Corpus::Tess,
        });
    }
    let rows = sides
        .train
        .first()
        .map_or(0, |example| example.features.rows);
    let names = recipe.classes.names();
    let shape = shape.unwrap_or_else(|| ClassicConfig::new(rows, names.len()));
    let plan = Plan {
        recipe: recipe.clone(),
        network: NetworkConfig::Classic(shape.clone()),
        labels: names,
        corpora: vec![Corpus::Tess.key().to_owned()],
        clips: [hash(&sides.heard), String::new(), hash(&sides.tested)],
        normalisation: Normalisation::fit(sides.train.iter().map(|one| &one.features), rows, None),
    };
    let material = Material {
        train: &sides.train,
        validation: &sides.validation,
        bank: None,
    };
    let state = train(folder, &plan, material, device, report)?;
    let (_, validation) = state.best.ok_or(ExportError::Untrained)?;
    let (folder, ..) = RunFolder::load(folder)?;
    let network = folder.best(shape.init(device))?;
    let emotions = Corpus::Tess.emotions();
    let places: Vec<usize> = emotions
        .iter()
        .filter_map(|&one| recipe.classes.index(one))
        .collect();
    let outcomes: Vec<Outcome> = logits(&network, &sides.test, &plan.normalisation, device)
        .iter()
        .zip(&sides.tested)
        .map(|(all, clip)| {
            let logits: Vec<f32> = places.iter().map(|&place| all[place]).collect();
            Outcome {
                probabilities: probabilities(&logits, 1.0),
                target: class(emotions, clip.emotion),
            }
        })
        .collect();
    let speakers: Vec<String> = sides
        .tested
        .iter()
        .map(|clip| clip.speaker.to_string())
        .collect();
    Ok(FoldResult {
        fold: way.name(),
        seed: recipe.seed,
        task: "all".to_owned(),
        condition: Condition::Clean,
        head: HeadOf::Run,
        date: today(),
        model: None,
        validation,
        classes: emotions.to_vec(),
        figures: Figures::of(&outcomes, emotions.len()),
        speakers: by_speaker(
            speakers.iter().map(String::as_str).zip(&outcomes),
            emotions.len(),
        ),
    })
}

fn class(emotions: &[Emotion], emotion: Emotion) -> usize {
    emotions.iter().position(|one| *one == emotion).unwrap_or(0)
}
