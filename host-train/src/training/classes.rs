//! What a network tells apart.

use serde::{Deserialize, Serialize};

use crate::corpora::{Corpus, Emotion, Label};

/// The outputs of a network, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Classes {
    /// The product's seven labels; calm counts as neutral.
    #[default]
    Product,
    /// RAVDESS's eight emotions, as its protocols ask; the other corpora know no calm.
    CalmApart,
}

impl Classes {
    /// Names, in the order of the outputs.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        match self {
            Self::Product => Label::ALL.map(|label| label.name().to_owned()).to_vec(),
            Self::CalmApart => Emotion::ALL
                .map(|emotion| emotion.name().to_owned())
                .to_vec(),
        }
    }

    /// Which output an emotion belongs to.
    #[must_use]
    pub fn index(self, emotion: Emotion) -> usize {
        match self {
            Self::Product => emotion.label().index(),
            Self::CalmApart => emotion as usize,
        }
    }

    /// Which outputs a corpus labels; the others have no part in its clips' loss and score.
    #[must_use]
    pub fn known(self, corpus: Corpus) -> Vec<bool> {
        let mut known = vec![false; self.names().len()];
        for &emotion in corpus.emotions() {
            known[self.index(emotion)] = true;
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emotion_has_the_output_of_its_own_name_and_calm_only_where_it_stands_apart() {
        for classes in [Classes::Product, Classes::CalmApart] {
            let names = classes.names();
            for emotion in Emotion::ALL {
                let name = names[classes.index(emotion)].as_str();
                let merged = classes == Classes::Product && emotion == Emotion::Calm;
                assert_eq!(name, if merged { "neutral" } else { emotion.name() });
            }
        }
    }

    #[test]
    fn crema_d_knows_no_surprise_and_only_ravdess_knows_calm() {
        let known = |classes: Classes, corpus| -> Vec<String> {
            let names = classes.names().into_iter().zip(classes.known(corpus));
            names
                .filter(|(_, known)| *known)
                .map(|(name, _)| name)
                .collect()
        };
        assert_eq!(known(Classes::Product, Corpus::CremaD).len(), 6);
        assert_eq!(known(Classes::Product, Corpus::Ravdess).len(), 7);
        assert_eq!(known(Classes::CalmApart, Corpus::Ravdess).len(), 8);
        assert!(!known(Classes::CalmApart, Corpus::Tess).contains(&"calm".to_owned()));
        assert!(!known(Classes::CalmApart, Corpus::CremaD).contains(&"surprise".to_owned()));
    }
}
