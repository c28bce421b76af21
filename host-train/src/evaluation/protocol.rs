//! What the published comparisons ask for: which speakers are kept out, which classes are told apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::corpora::{Corpus, Emotion};
use crate::training::kept_out::{KeptOut, protocol_of};

/// A comparison that others have published figures for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// CREMA-D, 5 folds of speakers (HiCMAE), 6 classes.
    CremaD,
    /// RAVDESS, 6 folds of speakers (EmoBox), 8 classes.
    RavdessEmobox,
    /// RAVDESS, 5 folds of speakers (Luna-Jiménez et al.), 8 classes.
    RavdessLuna,
    /// SAVEE, each speaker in turn, 7 classes.
    Savee,
    /// TESS, each actress in turn, 7 classes.
    Tess,
    /// Each corpus in turn, of which nothing is heard in training.
    ZeroShot,
    /// The classic network on altered copies of TESS split at random, and beside it the same network on an unheard actress.
    Leaky,
}

/// The classes that every corpus has.
pub const SHARED: [Emotion; 4] = [
    Emotion::Neutral,
    Emotion::Happy,
    Emotion::Sad,
    Emotion::Angry,
];

/// One part of a protocol: a set of speakers to test on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The protocol.
    pub protocol: Protocol,
    /// Its name within the protocol: a number, or a corpus.
    pub name: String,
    /// What a run must keep out.
    pub kept_out: KeptOut,
    /// Whose clips are tested on, among those kept out.
    pub corpus: Corpus,
    /// Which classes are told apart, each set a figure of its own.
    pub tasks: Vec<Task>,
}

/// A set of classes; clips of others are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// `all`, or `shared-4` and `shared` of zero-shot.
    pub name: &'static str,
    /// The classes.
    pub emotions: Vec<Emotion>,
}

impl Protocol {
    /// All protocols, in table order.
    pub const ALL: [Self; 7] = [
        Self::CremaD,
        Self::RavdessEmobox,
        Self::RavdessLuna,
        Self::Savee,
        Self::Tess,
        Self::ZeroShot,
        Self::Leaky,
    ];

    /// Name on the command line and of the results' file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CremaD => "crema-d",
            Self::RavdessEmobox => "ravdess-emobox",
            Self::RavdessLuna => "ravdess-luna",
            Self::Savee => "savee",
            Self::Tess => "tess",
            Self::ZeroShot => "zero-shot",
            Self::Leaky => "leaky",
        }
    }

    /// Its folds, that model files are scored on; none for [`Protocol::Leaky`], which has its own way ([`super::leaky`]).
    #[must_use]
    pub fn folds(self) -> Vec<Fold> {
        let corpus = match self {
            Self::CremaD => Corpus::CremaD,
            Self::RavdessEmobox => Corpus::Ravdess,
            Self::RavdessLuna => return self.numbered(Corpus::Ravdess, 5, KeptOut::Luna),
            Self::Savee => Corpus::Savee,
            Self::Tess => Corpus::Tess,
            Self::ZeroShot => return Corpus::ALL.map(|corpus| self.unheard(corpus)).to_vec(),
            Self::Leaky => return Vec::new(),
        };
        self.numbered(corpus, protocol_of(corpus).folds(), KeptOut::Fold)
    }

    fn numbered(self, corpus: Corpus, folds: u8, kept_out: fn(u8) -> KeptOut) -> Vec<Fold> {
        (1..=folds)
            .map(|fold| Fold {
                protocol: self,
                name: fold.to_string(),
                kept_out: kept_out(fold),
                corpus,
                tasks: vec![Task {
                    name: "all",
                    emotions: corpus.emotions().to_vec(),
                }],
            })
            .collect()
    }

    fn unheard(self, corpus: Corpus) -> Fold {
        let heard = |emotion: &Emotion| {
            let others = Corpus::ALL.into_iter().filter(|other| *other != corpus);
            others
                .into_iter()
                .any(|other| other.emotions().contains(emotion))
        };
        let shared = corpus.emotions().iter().copied().filter(heard).collect();
        Fold {
            protocol: self,
            name: corpus.key().to_owned(),
            kept_out: KeptOut::Corpus(corpus),
            corpus,
            tasks: vec![
                Task {
                    name: "shared-4",
                    emotions: SHARED.to_vec(),
                },
                Task {
                    name: "shared",
                    emotions: shared,
                },
            ],
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_has_the_folds_and_classes_that_were_published() {
        let folds = |protocol: Protocol| protocol.folds().len();
        let found = Protocol::ALL.map(folds);
        assert_eq!(found, [5, 6, 5, 4, 2, 4, 0]);
        let classes = |protocol: Protocol| protocol.folds()[0].tasks[0].emotions.len();
        let found = [
            Protocol::CremaD,
            Protocol::RavdessEmobox,
            Protocol::RavdessLuna,
            Protocol::Savee,
            Protocol::Tess,
            Protocol::ZeroShot,
        ]
        .map(classes);
        assert_eq!(found, [6, 8, 8, 7, 7, 4]);
    }

    #[test]
    fn zero_shot_asks_for_no_class_that_training_cannot_have_heard() {
        for fold in Protocol::ZeroShot.folds() {
            let all = &fold.tasks[1].emotions;
            assert!(!all.contains(&Emotion::Calm), "{}", fold.name);
            let surprise = all.contains(&Emotion::Surprise);
            assert_eq!(surprise, fold.corpus != Corpus::CremaD);
            assert!(SHARED.iter().all(|emotion| all.contains(emotion)));
        }
    }
}
