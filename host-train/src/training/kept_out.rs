//! Who a run never hears.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use undertone_model::Provenance;

use super::TrainingError;
use crate::corpora::folds::FoldTable;
use crate::corpora::{Clip, Corpus, CorpusError, Protocol};

/// The speakers that a run keeps out; written `nobody`, `fold-1`, `luna-3`, `tess`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub enum KeptOut {
    /// Everybody is heard.
    #[default]
    Nobody,
    /// The speakers of this fold of every corpus, by [`protocol_of`].
    Fold(u8),
    /// The RAVDESS speakers of this fold of Luna-Jiménez et al., and nobody else.
    Luna(u8),
    /// A whole corpus.
    Corpus(Corpus),
}

/// The fold table by which each corpus is split when all are trained on together.
#[must_use]
pub const fn protocol_of(corpus: Corpus) -> Protocol {
    match corpus {
        Corpus::CremaD => Protocol::CremaDHicmae,
        Corpus::Ravdess => Protocol::RavdessEmobox,
        Corpus::Savee => Protocol::SaveeSpeaker,
        Corpus::Tess => Protocol::TessSpeaker,
    }
}

impl KeptOut {
    /// Whom the network of a model file never heard.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`] if the file names speakers that are not known.
    pub fn of(provenance: &Provenance) -> Result<Self, TrainingError> {
        match (&provenance.kept_out, provenance.fold) {
            (Some(named), _) => named.parse(),
            (None, Some(fold)) => Ok(Self::Fold(fold)),
            (None, None) => Ok(Self::Nobody),
        }
    }

    /// What [`KeptOut::of`] reads: `fold` and `kept_out` of a model file's provenance.
    #[must_use]
    pub fn recorded(self) -> (Option<u8>, Option<String>) {
        match self {
            Self::Nobody => (None, None),
            Self::Fold(fold) => (Some(fold), None),
            Self::Luna(_) | Self::Corpus(_) => (None, Some(self.to_string())),
        }
    }

    /// The number of the fold, if it is one.
    #[must_use]
    const fn fold(self) -> Option<u8> {
        match self {
            Self::Fold(fold) | Self::Luna(fold) => Some(fold),
            Self::Nobody | Self::Corpus(_) => None,
        }
    }

    /// The fold table that decides about a corpus's speakers, and the fold that is kept out.
    ///
    /// # Errors
    /// [`CorpusError::FoldTable`] if the embedded table is broken.
    pub(super) fn table(self, corpus: Corpus) -> Result<Option<(FoldTable, u8)>, CorpusError> {
        let (protocol, fold) = match self {
            Self::Fold(fold) => (protocol_of(corpus), fold),
            Self::Luna(fold) if corpus == Corpus::Ravdess => (Protocol::RavdessLuna, fold),
            Self::Luna(_) | Self::Nobody | Self::Corpus(_) => return Ok(None),
        };
        Ok(Some((protocol.table()?, fold)))
    }

    /// Why nobody of `clips` is kept out although somebody should be.
    pub(super) fn empty(self, clips: &[Clip]) -> CorpusError {
        let protocols: Vec<Protocol> = match self {
            Self::Luna(_) => vec![Protocol::RavdessLuna],
            _ => Corpus::ALL
                .into_iter()
                .filter(|corpus| clips.iter().any(|clip| clip.corpus == *corpus))
                .map(protocol_of)
                .collect(),
        };
        match (protocols.iter().max_by_key(|one| one.folds()), self.fold()) {
            (Some(most), Some(fold)) if !(1..=most.folds()).contains(&fold) => {
                CorpusError::NoSuchFold {
                    protocol: most.name(),
                    fold,
                    folds: most.folds(),
                }
            }
            _ => CorpusError::EmptySide {
                split: self.to_string(),
                side: "test",
            },
        }
    }
}

impl fmt::Display for KeptOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.pad("nobody"),
            Self::Fold(fold) => f.pad(&format!("fold-{fold}")),
            Self::Luna(fold) => f.pad(&format!("luna-{fold}")),
            Self::Corpus(corpus) => f.pad(corpus.key()),
        }
    }
}

impl FromStr for KeptOut {
    type Err = TrainingError;

    fn from_str(text: &str) -> Result<Self, TrainingError> {
        let fold = |prefix: &str| text.strip_prefix(prefix)?.parse::<u8>().ok();
        if text == "nobody" {
            Ok(Self::Nobody)
        } else if let Some(fold) = fold("fold-") {
            Ok(Self::Fold(fold))
        } else if let Some(fold) = fold("luna-") {
            Ok(Self::Luna(fold))
        } else if let Some(corpus) = Corpus::of_key(text) {
            Ok(Self::Corpus(corpus))
        } else {
            Err(TrainingError::Recipe {
                field: "kept_out",
                value: text.to_owned(),
                allowed: "nobody, fold-N, luna-N, ravdess, tess, savee or crema-d",
            })
        }
    }
}

impl From<KeptOut> for String {
    fn from(kept_out: KeptOut) -> Self {
        kept_out.to_string()
    }
}

impl TryFrom<String> for KeptOut {
    type Error = TrainingError;

    fn try_from(text: String) -> Result<Self, TrainingError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_out_is_read_as_it_is_written() {
        let corpora = Corpus::ALL.map(KeptOut::Corpus);
        let others = [KeptOut::Nobody, KeptOut::Fold(3), KeptOut::Luna(5)];
        for kept_out in others.into_iter().chain(corpora) {
            assert_eq!(kept_out.to_string().parse::<KeptOut>().unwrap(), kept_out);
        }
        for wrong in ["", "fold-", "fold-x", "fold-300", "emodb"] {
            assert!(wrong.parse::<KeptOut>().is_err(), "{wrong:?}");
        }
    }
}
