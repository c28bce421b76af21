//! One labelled recording and what its corpus says about it.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::labels::{Emotion, Label};

/// A supported corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corpus {
    /// Livingstone & Russo 2018, speech subset.
    Ravdess,
    /// Pichora-Fuller & Dupuis 2020.
    Tess,
    /// Haq & Jackson 2010.
    Savee,
    /// Cao et al. 2014.
    CremaD,
}

impl Corpus {
    /// All corpora, in table order.
    pub const ALL: [Self; 4] = [Self::Ravdess, Self::Tess, Self::Savee, Self::CremaD];

    /// Name as published.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ravdess => "RAVDESS",
            Self::Tess => "TESS",
            Self::Savee => "SAVEE",
            Self::CremaD => "CREMA-D",
        }
    }

    /// Lower-case key used in speaker names, files and JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ravdess => "ravdess",
            Self::Tess => "tess",
            Self::Savee => "savee",
            Self::CremaD => "crema-d",
        }
    }

    /// Speech clips in the published release.
    #[must_use]
    pub const fn published_clips(self) -> usize {
        match self {
            Self::Ravdess => 1440,
            Self::Tess => 2800,
            Self::Savee => 480,
            Self::CremaD => 7442,
        }
    }

    /// Speakers in the published release.
    #[must_use]
    pub const fn published_speakers(self) -> usize {
        match self {
            Self::Ravdess => 24,
            Self::Tess => 2,
            Self::Savee => 4,
            Self::CremaD => 91,
        }
    }

    /// Emotions that the corpus labels, in the order of [`Emotion::ALL`].
    #[must_use]
    pub const fn emotions(self) -> &'static [Emotion] {
        use Emotion::{Angry, Disgust, Fear, Happy, Neutral, Sad, Surprise};
        match self {
            Self::Ravdess => &Emotion::ALL,
            Self::Tess | Self::Savee => &[Neutral, Happy, Sad, Angry, Fear, Disgust, Surprise],
            Self::CremaD => &[Neutral, Happy, Sad, Angry, Fear, Disgust],
        }
    }
}

impl fmt::Display for Corpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A speaker, unique across corpora; shown as `ravdess/01`, `tess/OAF`, `savee/DC`, `crema-d/1001`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpeakerId {
    /// The corpus that names the speaker.
    pub corpus: Corpus,
    /// The name within the corpus, as published.
    pub name: String,
}

impl SpeakerId {
    /// The speaker `name` of `corpus`.
    pub fn new(corpus: Corpus, name: impl Into<String>) -> Self {
        Self {
            corpus,
            name: name.into(),
        }
    }
}

impl fmt::Display for SpeakerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.corpus.key(), self.name)
    }
}

impl Serialize for SpeakerId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A speaker's sex as the corpus states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Sex {
    Female,
    Male,
}

/// How strongly the emotion was to be acted, where the corpus says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Intensity {
    /// RAVDESS, `01`.
    Normal,
    /// RAVDESS, `02`.
    Strong,
    /// CREMA-D, `LO`.
    Low,
    /// CREMA-D, `MD`.
    Medium,
    /// CREMA-D, `HI`.
    High,
}

/// What is said in the clip.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoken {
    /// RAVDESS: statement 1 or 2.
    Statement(u8),
    /// TESS: the word after "Say the word".
    Word(String),
    /// SAVEE: the number of the sentence within its emotion, 1..=30.
    Sentence(u8),
    /// CREMA-D: the three-letter code of one of twelve sentences.
    Code(String),
}

/// SHA-256 of a clip file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What listeners, hearing the voice alone, chose for one CREMA-D clip: the number of votes per emotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[allow(missing_docs)] // the names say it
pub struct Votes {
    pub neutral: u16,
    pub happy: u16,
    pub sad: u16,
    pub angry: u16,
    pub fear: u16,
    pub disgust: u16,
}

impl Votes {
    /// Votes for `emotion`; zero for the emotions that listeners could not choose.
    #[must_use]
    pub const fn of(&self, emotion: Emotion) -> u16 {
        match emotion {
            Emotion::Neutral => self.neutral,
            Emotion::Happy => self.happy,
            Emotion::Sad => self.sad,
            Emotion::Angry => self.angry,
            Emotion::Fear => self.fear,
            Emotion::Disgust => self.disgust,
            Emotion::Calm | Emotion::Surprise => 0,
        }
    }

    /// All votes.
    #[must_use]
    pub fn total(&self) -> u32 {
        Emotion::ALL.iter().map(|&e| u32::from(self.of(e))).sum()
    }

    /// The emotion with the most votes; `None` on a tie or without votes.
    #[must_use]
    pub fn majority(&self) -> Option<Emotion> {
        let most = Emotion::ALL.iter().map(|&e| self.of(e)).max()?;
        let mut winners = Emotion::ALL.into_iter().filter(|&e| self.of(e) == most);
        let winner = winners.next()?;
        (most > 0 && winners.next().is_none()).then_some(winner)
    }
}

/// One labelled recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clip {
    /// The corpus it belongs to.
    pub corpus: Corpus,
    /// The published file stem; unique within the corpus. SAVEE's `DC/a01` is `DC_a01`.
    pub id: String,
    /// Where the file lies, as reached from the folder that was given.
    #[serde(serialize_with = "lossy_path")]
    pub path: PathBuf,
    /// Who speaks.
    pub speaker: SpeakerId,
    /// The corpus's own label: the emotion that the speaker was asked to act.
    pub emotion: Emotion,
    /// The product class of [`Clip::emotion`].
    pub label: Label,
    /// What is said.
    pub spoken: Spoken,
    /// How strongly it was to be acted.
    pub intensity: Option<Intensity>,
    /// The speaker's sex.
    pub sex: Option<Sex>,
    /// The speaker's age in years.
    pub age: Option<u8>,
    /// What listeners chose.
    pub votes: Option<Votes>,
    /// Hash of the file's bytes.
    pub content: ContentHash,
}

#[cfg(test)]
impl Clip {
    /// A clip for tests; `content` stands for its bytes.
    pub(crate) fn example(corpus: Corpus, speaker: &str, emotion: Emotion, content: u8) -> Self {
        Self {
            corpus,
            id: format!("{speaker}-{emotion}-{content}"),
            path: format!("{speaker}-{content}.wav").into(),
            speaker: SpeakerId::new(corpus, speaker),
            emotion,
            label: emotion.label(),
            spoken: Spoken::Statement(1),
            intensity: None,
            sex: None,
            age: None,
            votes: None,
            content: ContentHash([content; 32]),
        }
    }
}

/// Serialises a path as text; bytes that are no UTF-8 are replaced, because JSON cannot carry them.
pub(crate) fn lossy_path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_majority_needs_more_votes_than_any_other_emotion() {
        let votes = Votes {
            sad: 4,
            neutral: 3,
            ..Votes::default()
        };
        assert_eq!(votes.majority(), Some(Emotion::Sad));
        assert_eq!(votes.total(), 7);
        let tie = Votes {
            sad: 4,
            fear: 4,
            ..Votes::default()
        };
        assert_eq!(tie.majority(), None);
        assert_eq!(Votes::default().majority(), None);
    }

    #[test]
    fn a_speaker_is_shown_with_its_corpus() {
        assert_eq!(
            SpeakerId::new(Corpus::CremaD, "1001").to_string(),
            "crema-d/1001"
        );
    }
}
