//! The supported corpora, as published.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::corpora::labels::Emotion;

/// A supported corpus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

    /// The corpus whose [`key`](Self::key) this is.
    #[must_use]
    pub fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|corpus| corpus.key() == key)
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
