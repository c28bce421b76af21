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
pub(super) const FEWEST_SPEAKERS: usize = 10;

/// All clips of a run by what they are for; no speaker is in two of the sets.
#[derive(Clone, Debug, Default)]
pub struct RunClips {
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
/// [`CorpusError`] if no corpus has clips in `fold`, a fold table is broken, or a speaker or a recording would be on two
/// sides.
pub fn split(clips: &[Clip], fold: Option<u8>, seed: u64) -> Result<RunClips, CorpusError> {
    let mut split = RunClips::default();
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
    if let Some(fold) = fold
        && split.test.is_empty()
    {
        return Err(without_test(clips, fold));
    }
    assert_disjoint(&split.train, &split.test)?;
    assert_disjoint(&split.validation, &split.test)?;
    assert_disjoint(&split.train, &split.validation)?;
    Ok(split)
}

/// Why `fold` keeps nobody out: no table has it, or its speakers are not there.
fn without_test(clips: &[Clip], fold: u8) -> CorpusError {
    let tables = Corpus::ALL
        .into_iter()
        .filter(|corpus| clips.iter().any(|clip| clip.corpus == *corpus))
        .map(protocol_of);
    match tables.max_by_key(|protocol| protocol.folds()) {
        Some(most) if !(1..=most.folds()).contains(&fold) => CorpusError::NoSuchFold {
            protocol: most.name(),
            fold,
            folds: most.folds(),
        },
        _ => CorpusError::EmptySide {
            split: format!("fold {fold}"),
            side: "test",
        },
    }
}

fn draw(mut speakers: Vec<&SpeakerId>, seed: u64) -> BTreeSet<&SpeakerId> {
    if speakers.len() < FEWEST_SPEAKERS {
        return BTreeSet::new();
    }
    let count = (speakers.len() as f64 * VALIDATION_SHARE).round() as usize;
    speakers.shuffle(&mut StdRng::seed_from_u64(seed));
    speakers.into_iter().take(count.max(2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpora::Emotion;

    /// One clip of every RAVDESS and every SAVEE speaker.
    fn clips() -> Vec<Clip> {
        let ravdess = (1..=24).map(|n| (Corpus::Ravdess, format!("{n:02}"), n));
        let savee = ["DC", "JE", "JK", "KL"].into_iter().zip(101..);
        ravdess
            .chain(savee.map(|(name, content)| (Corpus::Savee, name.to_owned(), content)))
            .map(|(corpus, name, content)| Clip::example(corpus, &name, Emotion::Sad, content))
            .collect()
    }

    #[test]
    fn a_fold_keeps_its_speakers_of_every_corpus_out_and_only_large_corpora_validate() {
        let RunClips {
            train,
            validation,
            test,
        } = split(&clips(), Some(1), 1).unwrap();
        assert_eq!(train.len() + validation.len() + test.len(), 28);
        assert_eq!((validation.len(), test.len()), (2, 5));
        assert!(validation.iter().all(|clip| clip.corpus == Corpus::Ravdess));
        assert!(test.iter().any(|clip| clip.corpus == Corpus::Savee));
    }

    #[test]
    fn without_a_fold_nobody_is_kept_out() {
        let all = split(&clips(), None, 1).unwrap();
        assert!(all.test.is_empty());
        assert_eq!(all.train.len() + all.validation.len(), 28);
    }

    #[test]
    fn a_fold_that_no_corpus_has_is_refused_instead_of_training_on_everybody() {
        for fold in [0, 7] {
            let refused = split(&clips(), Some(fold), 1);
            assert!(matches!(
                refused,
                Err(CorpusError::NoSuchFold { folds: 6, .. })
            ));
        }
        let savee = &clips()[24..26];
        assert!(split(savee, Some(1), 1).is_ok());
        assert!(matches!(
            split(savee, Some(4), 1),
            Err(CorpusError::EmptySide { side: "test", .. })
        ));
    }
}
