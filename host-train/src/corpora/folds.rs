//! Speaker folds of the evaluation protocols, embedded from `host-train/folds/` (sources: its README).

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::clip::{Corpus, SpeakerId};
use super::error::CorpusError;
use super::labels::Emotion;

/// A published way to split one corpus by speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// CREMA-D, 6 classes, the 5 folds of HiCMAE.
    CremaDHicmae,
    /// RAVDESS, 8 classes, the 6 folds of EmoBox.
    RavdessEmobox,
    /// RAVDESS, 8 classes, the 5 folds of Luna-Jiménez et al.
    RavdessLuna,
    /// SAVEE, 7 classes, leave one speaker out.
    SaveeSpeaker,
    /// TESS, 7 classes, from one actress to the other, both ways.
    TessSpeaker,
}

impl Protocol {
    /// All protocols.
    pub const ALL: [Self; 5] = [
        Self::CremaDHicmae,
        Self::RavdessEmobox,
        Self::RavdessLuna,
        Self::SaveeSpeaker,
        Self::TessSpeaker,
    ];

    /// Name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CremaDHicmae => "crema-d-hicmae",
            Self::RavdessEmobox => "ravdess-emobox",
            Self::RavdessLuna => "ravdess-luna",
            Self::SaveeSpeaker => "savee-speaker",
            Self::TessSpeaker => "tess-speaker",
        }
    }

    /// The protocol called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// The corpus that it splits.
    #[must_use]
    pub const fn corpus(self) -> Corpus {
        match self {
            Self::CremaDHicmae => Corpus::CremaD,
            Self::RavdessEmobox | Self::RavdessLuna => Corpus::Ravdess,
            Self::SaveeSpeaker => Corpus::Savee,
            Self::TessSpeaker => Corpus::Tess,
        }
    }

    /// The classes that are told apart, by the corpus's own labels.
    #[must_use]
    pub const fn emotions(self) -> &'static [Emotion] {
        self.corpus().emotions()
    }

    /// Number of folds; they are numbered from 1.
    #[must_use]
    pub const fn folds(self) -> u8 {
        match self {
            Self::RavdessEmobox => 6,
            Self::CremaDHicmae | Self::RavdessLuna => 5,
            Self::SaveeSpeaker => 4,
            Self::TessSpeaker => 2,
        }
    }

    const fn source(self) -> (&'static str, &'static str) {
        match self {
            Self::CremaDHicmae => (
                "crema-d-hicmae.csv",
                include_str!("../../folds/crema-d-hicmae.csv"),
            ),
            Self::RavdessEmobox => (
                "ravdess-emobox.csv",
                include_str!("../../folds/ravdess-emobox.csv"),
            ),
            Self::RavdessLuna => (
                "ravdess-luna.csv",
                include_str!("../../folds/ravdess-luna.csv"),
            ),
            Self::SaveeSpeaker => (
                "savee-emobox.csv",
                include_str!("../../folds/savee-emobox.csv"),
            ),
            Self::TessSpeaker => (
                "tess-speaker.csv",
                include_str!("../../folds/tess-speaker.csv"),
            ),
        }
    }

    /// The protocol's table of speakers.
    ///
    /// # Errors
    /// [`CorpusError::FoldTable`] if the embedded table is broken.
    pub fn table(self) -> Result<FoldTable, CorpusError> {
        let (name, text) = self.source();
        FoldTable::parse(self, name, text)
    }

    /// The fold of `speaker`; `None` for a speaker of another corpus or one that the table does not name.
    ///
    /// Parses the table: take [`Protocol::table`] once to look up many.
    ///
    /// # Errors
    /// [`CorpusError::FoldTable`] if the embedded table is broken.
    pub fn fold_of(self, speaker: &SpeakerId) -> Result<Option<u8>, CorpusError> {
        Ok(self.table()?.fold_of(speaker))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which speaker is tested in which fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldTable {
    protocol: Protocol,
    folds: BTreeMap<String, u8>,
}

impl FoldTable {
    fn parse(protocol: Protocol, table: &'static str, text: &str) -> Result<Self, CorpusError> {
        let broken = |line: usize, reason: String| CorpusError::FoldTable {
            table,
            line,
            reason,
        };
        let mut folds = BTreeMap::new();
        let mut lines = text.lines().enumerate();
        match lines.next() {
            Some((_, "speaker,fold")) => {}
            _ => return Err(broken(1, "does not begin with `speaker,fold`".into())),
        }
        for (index, line) in lines {
            let line_number = index + 1;
            let (speaker, fold) = line
                .split_once(',')
                .ok_or_else(|| broken(line_number, format!("`{line}` is not `speaker,fold`")))?;
            let fold = fold
                .parse()
                .ok()
                .filter(|fold| (1..=protocol.folds()).contains(fold))
                .ok_or_else(|| {
                    broken(
                        line_number,
                        format!("fold `{fold}` is not in 1..={}", protocol.folds()),
                    )
                })?;
            if folds.insert(speaker.to_owned(), fold).is_some() {
                return Err(broken(
                    line_number,
                    format!("speaker `{speaker}` has two folds"),
                ));
            }
        }
        Ok(Self { protocol, folds })
    }

    /// The protocol that the table belongs to.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The fold of `speaker`, from 1; `None` for a speaker of another corpus or one that the table does not name.
    #[must_use]
    pub fn fold_of(&self, speaker: &SpeakerId) -> Option<u8> {
        (speaker.corpus == self.protocol.corpus())
            .then(|| self.folds.get(&speaker.name).copied())
            .flatten()
    }

    /// Number of speakers named.
    #[must_use]
    pub fn len(&self) -> usize {
        self.folds.len()
    }

    /// Whether no speaker is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folds.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_table_names_all_published_speakers_and_fills_every_fold() {
        for protocol in Protocol::ALL {
            let table = protocol.table().unwrap();
            assert_eq!(table.len(), protocol.corpus().published_speakers());
            for fold in 1..=protocol.folds() {
                assert!(
                    table.folds.values().any(|&f| f == fold),
                    "{protocol} {fold}"
                );
            }
        }
    }

    #[test]
    fn a_speaker_of_another_corpus_has_no_fold() {
        let table = Protocol::RavdessEmobox.table().unwrap();
        assert!(
            table
                .fold_of(&SpeakerId::new(Corpus::Ravdess, "01"))
                .is_some()
        );
        assert_eq!(table.fold_of(&SpeakerId::new(Corpus::CremaD, "01")), None);
        assert_eq!(table.fold_of(&SpeakerId::new(Corpus::Ravdess, "25")), None);
    }

    #[test]
    fn a_broken_table_is_refused_with_its_line() {
        let parse = |text| FoldTable::parse(Protocol::TessSpeaker, "t.csv", text);
        assert!(parse("speaker,fold\nOAF,1\n").is_ok());
        for text in [
            "",
            "OAF,1",
            "speaker,fold\nOAF",
            "speaker,fold\nOAF,3",
            "speaker,fold\nOAF,1\nOAF,2",
        ] {
            assert!(
                matches!(parse(text), Err(CorpusError::FoldTable { .. })),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_protocol_is_found_by_its_name() {
        for protocol in Protocol::ALL {
            assert_eq!(Protocol::from_name(protocol.name()), Some(protocol));
        }
        assert_eq!(Protocol::from_name("ravdess"), None);
    }
}
