//! What is there, counted against what was published.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::clip::{Clip, ContentHash, Corpus, Sex};
use super::import::{Import, Refused, SecondCopy};
use super::labels::{Emotion, Label};

/// How a count compares with the published one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "clips", rename_all = "snake_case")]
pub enum Completeness {
    /// Exactly the published number of clips.
    Complete,
    /// This many fewer than published.
    Missing(usize),
    /// This many more than published.
    More(usize),
}

impl Completeness {
    /// Compares `clips` with `published`.
    #[must_use]
    pub const fn of(clips: usize, published: usize) -> Self {
        if clips == published {
            Self::Complete
        } else if clips < published {
            Self::Missing(published - clips)
        } else {
            Self::More(clips - published)
        }
    }
}

/// One corpus as found.
#[derive(Clone, Debug, Serialize)]
pub struct CorpusReport {
    /// Which corpus.
    pub corpus: Corpus,
    /// Clips found, each id once.
    pub clips: usize,
    /// Clips in the published release.
    pub published: usize,
    /// How the two compare.
    pub completeness: Completeness,
    /// Speakers found.
    pub speakers: usize,
    /// Speakers in the published release.
    pub published_speakers: usize,
    /// Speakers known to be female and male.
    pub female_and_male: (usize, usize),
    /// Clips per original emotion.
    pub emotions: BTreeMap<Emotion, usize>,
    /// Clips with listeners' votes.
    pub with_votes: usize,
}

/// Clips whose files are the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IdenticalClips {
    /// Their ids, as `corpus/id`.
    pub clips: Vec<String>,
    /// Whether they carry different product classes.
    pub labels_differ: bool,
}

/// The outcome of a scan.
#[derive(Clone, Debug, Serialize)]
pub struct ScanReport {
    /// The corpora found, in table order.
    pub corpora: Vec<CorpusReport>,
    /// Clips per product class, all corpora together.
    pub labels: BTreeMap<Label, usize>,
    /// All clips.
    pub clips: usize,
    /// All speakers.
    pub speakers: usize,
    /// Files of RAVDESS's song subset, which is not used.
    pub songs: usize,
    /// Byte-identical clips.
    pub identical: Vec<IdenticalClips>,
    /// Clips whose published name is misspelt, as `corpus/id`.
    pub misspelt: Vec<String>,
    /// Second files of clips.
    pub copies: Vec<SecondCopy>,
    /// What is not used although it looks as if it should be.
    pub refused: Vec<Refused>,
    /// Files that are no audio, and hidden entries.
    pub ignored: usize,
}

impl ScanReport {
    /// Counts an import.
    #[must_use]
    pub fn new(import: &Import) -> Self {
        let clips = &import.clips;
        let mut labels: BTreeMap<_, _> = Label::ALL.into_iter().map(|l| (l, 0)).collect();
        for clip in clips {
            *labels.entry(clip.label).or_default() += 1;
        }
        Self {
            corpora: Corpus::ALL
                .into_iter()
                .filter_map(|corpus| CorpusReport::new(corpus, clips))
                .collect(),
            labels,
            clips: clips.len(),
            speakers: speakers(clips.iter()),
            songs: import.songs,
            identical: identical(clips.iter().map(|clip| (clip, clip.content))),
            misspelt: clips
                .iter()
                .filter(|clip| clip.corpus == Corpus::Tess && clip.id.starts_with("OA_"))
                .map(full_id)
                .collect(),
            copies: import.copies.clone(),
            refused: import.refused.clone(),
            ignored: import.ignored,
        }
    }
}

impl CorpusReport {
    /// `None` if there is no clip of `corpus`.
    fn new(corpus: Corpus, clips: &[Clip]) -> Option<Self> {
        let clips: Vec<_> = clips.iter().filter(|c| c.corpus == corpus).collect();
        if clips.is_empty() {
            return None;
        }
        let of_sex = |sex| speakers(clips.iter().copied().filter(|clip| clip.sex == Some(sex)));
        let mut emotions: BTreeMap<_, _> = corpus.emotions().iter().map(|&e| (e, 0)).collect();
        for clip in &clips {
            *emotions.entry(clip.emotion).or_default() += 1;
        }
        Some(Self {
            corpus,
            clips: clips.len(),
            published: corpus.published_clips(),
            completeness: Completeness::of(clips.len(), corpus.published_clips()),
            speakers: speakers(clips.iter().copied()),
            published_speakers: corpus.published_speakers(),
            female_and_male: (of_sex(Sex::Female), of_sex(Sex::Male)),
            emotions,
            with_votes: clips.iter().filter(|clip| clip.votes.is_some()).count(),
        })
    }
}

fn speakers<'a>(clips: impl Iterator<Item = &'a Clip>) -> usize {
    clips
        .map(|clip| &clip.speaker)
        .collect::<BTreeSet<_>>()
        .len()
}

/// `corpus/id`.
pub(crate) fn full_id(clip: &Clip) -> String {
    format!("{}/{}", clip.corpus.key(), clip.id)
}

/// Groups of clips with the same hash, in clip order.
pub(crate) fn identical<'a>(
    hashed: impl Iterator<Item = (&'a Clip, ContentHash)>,
) -> Vec<IdenticalClips> {
    let mut groups: BTreeMap<ContentHash, Vec<&Clip>> = BTreeMap::new();
    for (clip, hash) in hashed {
        groups.entry(hash).or_default().push(clip);
    }
    let mut identical: Vec<_> = groups
        .into_values()
        .filter(|group| group.len() > 1)
        .map(|group| IdenticalClips {
            labels_differ: group.iter().any(|clip| clip.label != group[0].label),
            clips: group.into_iter().map(full_id).collect(),
        })
        .collect();
    identical.sort_by(|a, b| a.clips.cmp(&b.clips));
    identical
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_complete_only_when_it_is_the_published_one() {
        assert_eq!(Completeness::of(480, 480), Completeness::Complete);
        assert_eq!(Completeness::of(479, 480), Completeness::Missing(1));
        assert_eq!(Completeness::of(482, 480), Completeness::More(2));
    }
}
