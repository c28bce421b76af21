//! One labelled recording and what its corpus says about it.

mod corpus;
mod votes;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::labels::{Emotion, Label};

pub use corpus::Corpus;
pub use votes::Votes;

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
    fn a_speaker_is_shown_with_its_corpus() {
        assert_eq!(
            SpeakerId::new(Corpus::CremaD, "1001").to_string(),
            "crema-d/1001"
        );
    }
}
