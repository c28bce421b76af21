//! Which speakers a run trains on, validates on and never hears.

use std::collections::BTreeSet;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::kept_out::KeptOut;
use crate::corpora::select::assert_disjoint;
use crate::corpora::{Clip, Corpus, CorpusError, SpeakerId};

/// Share of a corpus's training speakers that validate, where a recipe names none.
pub(super) const VALIDATION_SHARE: f64 = 0.1;
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

/// Keeps the speakers of `kept_out` apart, and draws the validation speakers by `seed` from the others.
///
/// # Errors
/// [`CorpusError`] if nobody is there to be kept out, a fold table is broken or does not name a speaker, or a speaker or a recording would be on two
/// sides.
pub fn split(clips: &[Clip], kept_out: KeptOut, seed: u64) -> Result<RunClips, CorpusError> {
    split_with(clips, kept_out, seed, VALIDATION_SHARE)
}

/// As [`split`], with another share (0 to 1) of a corpus's training speakers to validate.
///
/// # Errors
/// As [`split`].
pub fn split_with(
    clips: &[Clip],
    kept_out: KeptOut,
    seed: u64,
    share: f64,
) -> Result<RunClips, CorpusError> {
    let mut split = RunClips::default();
    for corpus in Corpus::ALL {
        let clips: Vec<&Clip> = clips.iter().filter(|clip| clip.corpus == corpus).collect();
        let table = kept_out.table(corpus)?;
        if let Some((table, _)) = &table {
            let without = |clip: &&&Clip| table.fold_of(&clip.speaker).is_none();
            if let Some(clip) = clips.iter().find(without) {
                return Err(CorpusError::NoFoldForSpeaker {
                    protocol: table.protocol().name(),
                    speaker: clip.speaker.clone(),
                });
            }
        }
        let test = |clip: &Clip| match &table {
            Some((table, fold)) => table.fold_of(&clip.speaker) == Some(*fold),
            None => kept_out == KeptOut::Corpus(clip.corpus),
        };
        let trained: BTreeSet<&SpeakerId> = clips
            .iter()
            .filter(|clip| !test(clip))
            .map(|clip| &clip.speaker)
            .collect();
        let validation = draw(trained.into_iter().collect(), seed, share);
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
    if kept_out != KeptOut::Nobody && split.test.is_empty() {
        return Err(kept_out.empty(clips));
    }
    assert_disjoint(&split.train, &split.test)?;
    assert_disjoint(&split.validation, &split.test)?;
    assert_disjoint(&split.train, &split.validation)?;
    Ok(split)
}

fn draw(mut speakers: Vec<&SpeakerId>, seed: u64, share: f64) -> BTreeSet<&SpeakerId> {
    if speakers.len() < FEWEST_SPEAKERS {
        return BTreeSet::new();
    }
    let count = (speakers.len() as f64 * share).round() as usize;
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
        } = split(&clips(), KeptOut::Fold(1), 1).unwrap();
        assert_eq!(train.len() + validation.len() + test.len(), 28);
        assert_eq!((validation.len(), test.len()), (2, 5));
        assert!(validation.iter().all(|clip| clip.corpus == Corpus::Ravdess));
        assert!(test.iter().any(|clip| clip.corpus == Corpus::Savee));
    }

    #[test]
    fn without_a_fold_nobody_is_kept_out() {
        let all = split(&clips(), KeptOut::Nobody, 1).unwrap();
        assert!(all.test.is_empty());
        assert_eq!(all.train.len() + all.validation.len(), 28);
    }

    #[test]
    fn a_corpus_or_a_fold_of_another_table_is_kept_out_whole() {
        let savee = split(&clips(), KeptOut::Corpus(Corpus::Savee), 1).unwrap();
        assert_eq!(savee.test.len(), 4);
        assert!(savee.test.iter().all(|clip| clip.corpus == Corpus::Savee));
        let luna = split(&clips(), KeptOut::Luna(2), 1).unwrap();
        assert!(luna.test.iter().all(|clip| clip.corpus == Corpus::Ravdess));
        assert_ne!(
            luna.test,
            split(&clips(), KeptOut::Fold(2), 1).unwrap().test
        );
        let tess = split(&clips(), KeptOut::Corpus(Corpus::Tess), 1);
        assert!(matches!(tess, Err(CorpusError::EmptySide { .. })));
    }

    #[test]
    fn a_fold_that_no_corpus_has_is_refused_instead_of_training_on_everybody() {
        for fold in [0, 7] {
            let refused = split(&clips(), KeptOut::Fold(fold), 1);
            assert!(matches!(
                refused,
                Err(CorpusError::NoSuchFold { folds: 6, .. })
            ));
        }
        let mut stranger = clips();
        stranger[3].speaker.name = "25".to_owned();
        assert!(matches!(
            split(&stranger, KeptOut::Fold(1), 1),
            Err(CorpusError::NoFoldForSpeaker { .. })
        ));
        assert!(split(&stranger, KeptOut::Nobody, 1).is_ok());
        let savee = &clips()[24..26];
        assert!(split(savee, KeptOut::Fold(1), 1).is_ok());
        assert!(matches!(
            split(savee, KeptOut::Fold(4), 1),
            Err(CorpusError::EmptySide { side: "test", .. })
        ));
    }
}
