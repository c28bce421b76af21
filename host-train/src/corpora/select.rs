//! Clips for training and testing: loading, and the check that nothing leaks.

use std::collections::HashMap;
use std::path::Path;

use super::clip::{Clip, ContentHash, SpeakerId};
use super::error::CorpusError;
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
    use crate::corpora::clip::Corpus;
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
