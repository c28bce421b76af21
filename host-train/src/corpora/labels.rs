//! The emotions that the corpora name, and the seven classes that the product tells apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An emotion as a corpus labels it. Every corpus uses a subset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emotion {
    /// No emotion acted.
    Neutral,
    /// RAVDESS only: a second baseline, close to neutral.
    Calm,
    /// Happiness.
    Happy,
    /// Sadness.
    Sad,
    /// Anger.
    Angry,
    /// Fear.
    Fear,
    /// Disgust.
    Disgust,
    /// Surprise; pleasant surprise in TESS.
    Surprise,
}

impl Emotion {
    /// All emotions, in the order in which tables and label indices of RAVDESS's eight classes use them.
    pub const ALL: [Self; 8] = [
        Self::Neutral,
        Self::Calm,
        Self::Happy,
        Self::Sad,
        Self::Angry,
        Self::Fear,
        Self::Disgust,
        Self::Surprise,
    ];

    /// Lower-case English name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Calm => "calm",
            Self::Happy => "happy",
            Self::Sad => "sad",
            Self::Angry => "angry",
            Self::Fear => "fear",
            Self::Disgust => "disgust",
            Self::Surprise => "surprise",
        }
    }

    /// The product class: the same name, with calm merged into neutral.
    #[must_use]
    pub const fn label(self) -> Label {
        match self {
            Self::Neutral | Self::Calm => Label::Neutral,
            Self::Happy => Label::Happy,
            Self::Sad => Label::Sad,
            Self::Angry => Label::Angry,
            Self::Fear => Label::Fear,
            Self::Disgust => Label::Disgust,
            Self::Surprise => Label::Surprise,
        }
    }
}

impl fmt::Display for Emotion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One of the product's seven classes; the discriminant is its index in a model's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it
pub enum Label {
    Neutral,
    Happy,
    Sad,
    Angry,
    Fear,
    Disgust,
    Surprise,
}

impl Label {
    /// All labels, in the order of a model's output.
    pub const ALL: [Self; 7] = [
        Self::Neutral,
        Self::Happy,
        Self::Sad,
        Self::Angry,
        Self::Fear,
        Self::Disgust,
        Self::Surprise,
    ];

    /// Position in [`Label::ALL`], 0..7.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Lower-case English name, as it stands in the model file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Happy => "happy",
            Self::Sad => "sad",
            Self::Angry => "angry",
            Self::Fear => "fear",
            Self::Disgust => "disgust",
            Self::Surprise => "surprise",
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calm_merges_into_neutral_and_every_other_emotion_keeps_its_name() {
        for emotion in Emotion::ALL {
            let expected = if emotion == Emotion::Calm {
                "neutral"
            } else {
                emotion.name()
            };
            assert_eq!(emotion.label().name(), expected);
        }
    }

    #[test]
    fn an_index_is_the_position_in_the_published_order() {
        for (position, label) in Label::ALL.into_iter().enumerate() {
            assert_eq!(label.index(), position);
        }
        let names: Vec<_> = Label::ALL.iter().map(|l| l.name()).collect();
        assert_eq!(
            names,
            [
                "neutral", "happy", "sad", "angry", "fear", "disgust", "surprise"
            ]
        );
    }
}
