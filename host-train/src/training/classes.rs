//! What a network tells apart.

use serde::{Deserialize, Serialize};

use crate::corpora::{Clip, Corpus, Emotion, Label};

/// The outputs of a network, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Classes {
    /// The product's seven labels; calm counts as neutral.
    #[default]
    Product,
    /// The product's labels but surprise, for runs on CREMA-D alone: nothing there would teach it.
    WithoutSurprise,
    /// RAVDESS's eight emotions, as its protocols ask; the other corpora know no calm.
    CalmApart,
}

impl Classes {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Product, Self::WithoutSurprise, Self::CalmApart];

    /// Those whose names are `labels`, in that order.
    #[must_use]
    pub fn of(labels: &[String]) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|classes| classes.names() == labels)
    }

    /// These, less the product label that no corpus of the training clips `heard` has.
    #[must_use]
    pub fn taught_by(self, heard: &[Clip]) -> Self {
        let surprised = |clip: &Clip| clip.corpus.emotions().contains(&Emotion::Surprise);
        let all_taught = heard.iter().any(surprised);
        match self {
            Self::Product if !all_taught => Self::WithoutSurprise,
            other => other,
        }
    }

    /// Names, in the order of the outputs.
    #[must_use]
    pub fn names(self) -> Vec<String> {
        match self {
            Self::Product | Self::WithoutSurprise => Label::ALL
                .into_iter()
                .filter(|label| self == Self::Product || *label != Label::Surprise)
                .map(|label| label.name().to_owned())
                .collect(),
            Self::CalmApart => Emotion::ALL
                .map(|emotion| emotion.name().to_owned())
                .to_vec(),
        }
    }

    /// Which output an emotion belongs to, if any.
    #[must_use]
    pub fn index(self, emotion: Emotion) -> Option<usize> {
        match self {
            // The last of the product's labels, so that the others keep their places.
            Self::WithoutSurprise if emotion == Emotion::Surprise => None,
            Self::Product | Self::WithoutSurprise => Some(emotion.label().index()),
            Self::CalmApart => Some(emotion as usize),
        }
    }

    /// Which outputs a corpus labels; the others have no part in its clips' loss and score.
    #[must_use]
    pub fn known(self, corpus: Corpus) -> Vec<bool> {
        let mut known = vec![false; self.names().len()];
        for &emotion in corpus.emotions() {
            if let Some(index) = self.index(emotion) {
                known[index] = true;
            }
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_emotion_has_the_output_of_its_own_name_and_calm_only_where_it_stands_apart() {
        for classes in Classes::ALL {
            let names = classes.names();
            assert_eq!(Classes::of(&names), Some(classes));
            for emotion in Emotion::ALL {
                let Some(index) = classes.index(emotion) else {
                    assert_eq!(emotion, Emotion::Surprise);
                    assert_eq!(classes, Classes::WithoutSurprise);
                    continue;
                };
                let merged = classes != Classes::CalmApart && emotion == Emotion::Calm;
                let name = if merged { "neutral" } else { emotion.name() };
                assert_eq!(names[index], name);
            }
        }
        assert_eq!(Classes::of(&[]), None);
    }

    #[test]
    fn surprise_is_left_out_where_no_corpus_teaches_it() {
        let taught = |classes: Classes, corpora: &[Corpus]| {
            let clip = |corpus: &Corpus| Clip::example(*corpus, "01", Emotion::Sad, 1);
            classes.taught_by(&corpora.iter().map(clip).collect::<Vec<_>>())
        };
        let alone = taught(Classes::Product, &[Corpus::CremaD]);
        assert_eq!(alone, Classes::WithoutSurprise);
        assert_eq!(alone.names().len(), 6);
        assert_eq!(alone.known(Corpus::CremaD), [true; 6]);
        let both = [Corpus::CremaD, Corpus::Savee];
        assert_eq!(taught(Classes::Product, &both), Classes::Product);
        assert_eq!(taught(Classes::CalmApart, &both[..1]), Classes::CalmApart);
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
