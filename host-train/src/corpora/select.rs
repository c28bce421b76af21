//! Clips for training and testing: loading, splitting by protocol, and the check that nothing leaks.

use std::collections::HashMap;
use std::path::Path;

use super::clip::{Clip, ContentHash, Corpus, SpeakerId};
use super::error::CorpusError;
use super::folds::Protocol;
use super::import::{Refused, import};

/// All clips below `folders`, sorted by corpus and id. `on_refused` hears of every file that is not used.
///
/// # Errors
/// As [`import()`].
pub fn load<P: AsRef<Path>>(
    folders: &[P],
    mut on_refused: impl FnMut(&Refused),
) -> Result<Vec<Clip>, CorpusError> {
    let import = import(folders)?;
    import.refused.iter().for_each(&mut on_refused);
    Ok(import.clips)
}

/// Two sets of clips that share no speaker and no content: every function here that gives one has checked it.
#[derive(Clone, Debug)]
pub struct Split<'a> {
    /// Clips to train on, also to validate on: validation speakers come from here ([`Split::hold_out`]).
    pub train: Vec<&'a Clip>,
    /// Clips to test on, once.
    pub test: Vec<&'a Clip>,
}

impl<'a> Split<'a> {
    fn new(train: Vec<&'a Clip>, test: Vec<&'a Clip>, name: &str) -> Result<Self, CorpusError> {
        for (side, clips) in [("train", &train), ("test", &test)] {
            if clips.is_empty() {
                return Err(CorpusError::EmptySide {
                    split: name.to_owned(),
                    side,
                });
            }
        }
        assert_disjoint(train.iter().copied(), test.iter().copied())?;
        Ok(Self { train, test })
    }

    /// Splits the training side again: clips of `speakers` become the test side of the result, to validate on.
    ///
    /// # Errors
    /// If a side is empty or content is shared.
    pub fn hold_out(&self, speakers: &[SpeakerId]) -> Result<Self, CorpusError> {
        let (validation, train) = self
            .train
            .iter()
            .copied()
            .partition(|clip| speakers.contains(&clip.speaker));
        Self::new(train, validation, "validation speakers")
    }
}

/// The clips of the protocol's corpus, tested on `fold` and trained on the other folds.
///
/// # Errors
/// If there is no such fold, a speaker has none, a side is empty, or content is shared.
pub fn fold(clips: &[Clip], protocol: Protocol, fold: u8) -> Result<Split<'_>, CorpusError> {
    if !(1..=protocol.folds()).contains(&fold) {
        return Err(CorpusError::NoSuchFold {
            protocol: protocol.name(),
            fold,
            folds: protocol.folds(),
        });
    }
    let table = protocol.table()?;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for clip in clips.iter().filter(|c| c.corpus == protocol.corpus()) {
        match table.fold_of(&clip.speaker) {
            Some(of_speaker) if of_speaker == fold => test.push(clip),
            Some(_) => train.push(clip),
            None => {
                return Err(CorpusError::NoFoldForSpeaker {
                    protocol: protocol.name(),
                    speaker: clip.speaker.clone(),
                });
            }
        }
    }
    Split::new(train, test, &format!("{protocol}, fold {fold}"))
}

/// Tested on all of `corpus`, trained on all the others.
///
/// # Errors
/// If a side is empty or content is shared.
pub fn without_corpus(clips: &[Clip], corpus: Corpus) -> Result<Split<'_>, CorpusError> {
    let (test, train) = clips.iter().partition(|clip| clip.corpus == corpus);
    Split::new(train, test, &format!("{corpus} unseen"))
}

/// Refuses a split in which a speaker, or the same file content, is on both sides.
///
/// # Errors
/// [`CorpusError::SharedSpeaker`] or [`CorpusError::SharedContent`], naming the first such pair.
pub fn assert_disjoint<'a>(
    train: impl IntoIterator<Item = &'a Clip>,
    test: impl IntoIterator<Item = &'a Clip>,
) -> Result<(), CorpusError> {
    let mut speakers: HashMap<&SpeakerId, &Clip> = HashMap::new();
    let mut contents: HashMap<&ContentHash, &Clip> = HashMap::new();
    for clip in train {
        speakers.entry(&clip.speaker).or_insert(clip);
        contents.entry(&clip.content).or_insert(clip);
    }
    for clip in test {
        if let Some(heard) = speakers.get(&clip.speaker) {
            return Err(CorpusError::SharedSpeaker {
                speaker: clip.speaker.clone(),
                train: heard.path.clone(),
                test: clip.path.clone(),
            });
        }
        if let Some(same) = contents.get(&clip.content) {
            return Err(CorpusError::SharedContent {
                train: same.path.clone(),
                test: clip.path.clone(),
            });
        }
    }
    Ok(())
}

/// Sets apart the clips whose content also occurs under another product class: no label of theirs can be trusted.
///
/// Gives the others, in order, and those set apart.
#[must_use]
pub fn set_contradictions_apart(clips: Vec<Clip>) -> (Vec<Clip>, Vec<Clip>) {
    let mut labels = HashMap::new();
    let mut contradicted = HashMap::new();
    for clip in &clips {
        let first = *labels.entry(clip.content).or_insert(clip.label);
        if first != clip.label {
            contradicted.insert(clip.content, ());
        }
    }
    clips
        .into_iter()
        .partition(|clip| !contradicted.contains_key(&clip.content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpora::labels::Emotion;

    #[test]
    fn a_shared_speaker_is_refused_even_when_the_clips_differ() {
        let train = [Clip::example(Corpus::Tess, "OAF", Emotion::Sad, 1)];
        let test = [Clip::example(Corpus::Tess, "OAF", Emotion::Sad, 2)];
        assert!(matches!(
            assert_disjoint(&train, &test),
            Err(CorpusError::SharedSpeaker { .. })
        ));
    }

    #[test]
    fn shared_content_is_refused_even_between_speakers_and_corpora() {
        let train = [Clip::example(Corpus::Tess, "OAF", Emotion::Sad, 1)];
        let test = [Clip::example(Corpus::Savee, "DC", Emotion::Sad, 1)];
        assert!(matches!(
            assert_disjoint(&train, &test),
            Err(CorpusError::SharedContent { .. })
        ));
    }

    #[test]
    fn speakers_of_the_same_name_in_two_corpora_are_two_speakers() {
        let train = [Clip::example(Corpus::Ravdess, "01", Emotion::Sad, 1)];
        let test = [Clip::example(Corpus::CremaD, "01", Emotion::Sad, 2)];
        assert!(assert_disjoint(&train, &test).is_ok());
    }

    #[test]
    fn every_clip_of_the_protocol_is_tested_in_exactly_one_fold() {
        let clips: Vec<_> = (1..=24)
            .map(|actor| {
                Clip::example(Corpus::Ravdess, &format!("{actor:02}"), Emotion::Sad, actor)
            })
            .collect();
        for protocol in [Protocol::RavdessEmobox, Protocol::RavdessLuna] {
            let mut tested = 0;
            for number in 1..=protocol.folds() {
                let split = fold(&clips, protocol, number).unwrap();
                assert_eq!(split.train.len() + split.test.len(), 24);
                tested += split.test.len();
            }
            assert_eq!(tested, 24);
        }
    }

    #[test]
    fn a_fold_that_is_not_there_and_a_side_without_clips_are_refused() {
        let clips = [Clip::example(Corpus::Tess, "OAF", Emotion::Sad, 1)];
        let split = |number| fold(&clips, Protocol::TessSpeaker, number).map(|_| ());
        assert!(matches!(split(0), Err(CorpusError::NoSuchFold { .. })));
        assert!(matches!(split(3), Err(CorpusError::NoSuchFold { .. })));
        assert!(matches!(
            split(1),
            Err(CorpusError::EmptySide { side: "train", .. })
        ));
        assert!(matches!(
            split(2),
            Err(CorpusError::EmptySide { side: "test", .. })
        ));
    }

    #[test]
    fn validation_speakers_leave_the_training_side() {
        let clips: Vec<_> = (1..=4)
            .zip(["DC", "JE", "JK", "KL"])
            .map(|(content, name)| Clip::example(Corpus::Savee, name, Emotion::Sad, content))
            .collect();
        let split = fold(&clips, Protocol::SaveeSpeaker, 1).unwrap();
        let held_out = split.train[0].speaker.clone();
        let inner = split.hold_out(std::slice::from_ref(&held_out)).unwrap();
        assert_eq!(inner.test.len(), 1);
        assert_eq!(inner.test[0].speaker, held_out);
        assert_eq!(inner.train.len(), 2);
    }

    #[test]
    fn an_unseen_corpus_is_only_tested() {
        let clips = [
            Clip::example(Corpus::Tess, "OAF", Emotion::Sad, 1),
            Clip::example(Corpus::Savee, "DC", Emotion::Sad, 2),
        ];
        let split = without_corpus(&clips, Corpus::Savee).unwrap();
        assert_eq!(split.test, [&clips[1]]);
        assert_eq!(split.train, [&clips[0]]);
    }

    #[test]
    fn content_under_two_classes_is_set_apart_and_content_twice_under_one_is_not() {
        let clips = vec![
            Clip::example(Corpus::CremaD, "1006", Emotion::Happy, 1),
            Clip::example(Corpus::CremaD, "1006", Emotion::Neutral, 1),
            Clip::example(Corpus::Ravdess, "07", Emotion::Happy, 2),
            Clip::example(Corpus::Ravdess, "07", Emotion::Happy, 2),
            Clip::example(Corpus::Ravdess, "08", Emotion::Calm, 3),
            Clip::example(Corpus::Ravdess, "08", Emotion::Neutral, 3),
        ];
        let (kept, apart) = set_contradictions_apart(clips);
        assert_eq!(kept.len(), 4);
        assert!(apart.iter().all(|c| c.content == ContentHash([1; 32])));
        assert_eq!(apart.len(), 2);
    }
}
