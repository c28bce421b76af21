//! Which speakers a run trains on, validates on and never hears.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::corpora::select::assert_disjoint;
use crate::corpora::{Clip, Corpus, CorpusError, Protocol, SpeakerId};

/// Share of a corpus's training speakers that validate.
const VALIDATION_SHARE: f64 = 0.1;
/// A corpus with fewer training speakers than this gives none to validation.
const FEWEST_SPEAKERS: usize = 10;

/// Clips by what they are for; no speaker is in two of the sets.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// Clips to train on.
    pub train: Vec<Clip>,
    /// Clips that choose the epoch and fit the temperature.
    pub validation: Vec<Clip>,
    /// Clips kept out of the run altogether.
    pub test: Vec<Clip>,
}

/// The fold table by which each corpus is split when all are trained on together.
#[must_use]
pub const fn protocol_of(corpus: Corpus) -> Protocol {
    match corpus {
        Corpus::CremaD => Protocol::CremaDHicmae,
        Corpus::Ravdess => Protocol::RavdessEmobox,
        Corpus::Savee => Protocol::SaveeSpeaker,
        Corpus::Tess => Protocol::TessSpeaker,
    }
}

/// Keeps the speakers of `fold` of every corpus out (none when `fold` is `None`), and draws the validation speakers by
/// `seed` from the others.
///
/// # Errors
/// [`CorpusError`] if a fold table is broken, or a speaker or a recording would be on two sides.
pub fn split(clips: &[Clip], fold: Option<u8>, seed: u64) -> Result<Split, CorpusError> {
    let mut split = Split::default();
    for corpus in Corpus::ALL {
        let clips: Vec<&Clip> = clips.iter().filter(|clip| clip.corpus == corpus).collect();
        let table = protocol_of(corpus).table()?;
        let test = |clip: &Clip| fold.is_some() && table.fold_of(&clip.speaker) == fold;
        let trained: BTreeSet<&SpeakerId> = clips
            .iter()
            .filter(|clip| !test(clip))
            .map(|clip| &clip.speaker)
            .collect();
        let validation = draw(trained.into_iter().collect(), seed);
        for clip in clips {
            let side = if test(clip) {
                &mut split.test
            } else if validation.contains(&clip.speaker) {
                &mut split.validation
            } else {
                &mut split.train
            };
            side.push(clip.clone());
        }
    }
    assert_disjoint(&split.train, &split.test)?;
    assert_disjoint(&split.validation, &split.test)?;
    assert_disjoint(&split.train, &split.validation)?;
    Ok(split)
}

fn draw(mut speakers: Vec<&SpeakerId>, seed: u64) -> BTreeSet<&SpeakerId> {
    if speakers.len() < FEWEST_SPEAKERS {
        return BTreeSet::new();
    }
    let count = (speakers.len() as f64 * VALIDATION_SHARE).round() as usize;
    speakers.shuffle(&mut StdRng::seed_from_u64(seed));
    speakers.into_iter().take(count.max(2)).collect()
}
