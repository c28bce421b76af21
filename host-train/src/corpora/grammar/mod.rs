//! The published file names. Each corpus has a grammar that reads a stem (and, where the release needs it,
//! the name of its folder) and says whether the name is its own and what it means.

mod crema_d;
mod ravdess;
mod savee;
mod tess;

use super::clip::{Corpus, Intensity, Sex, Spoken};
use super::labels::Emotion;

/// What a well-formed name says about its clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The published stem.
    pub(crate) id: String,
    pub(crate) speaker: String,
    pub(crate) emotion: Emotion,
    pub(crate) spoken: Spoken,
    pub(crate) intensity: Option<Intensity>,
    pub(crate) sex: Option<Sex>,
    pub(crate) age: Option<u8>,
}

/// What one grammar makes of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A speech clip.
    Clip(Parsed),
    /// A clip of RAVDESS's song subset: known, counted and not used.
    Song,
    /// The name has this corpus's shape, but says something that the corpus does not hold.
    Wrong(String),
    /// The name is not shaped like this corpus's.
    Foreign,
}

/// Reads `stem`, which lies in the folder named `folder`, by the grammar that it is shaped after.
///
/// The shapes exclude each other, so the order does not matter.
pub(crate) fn read(stem: &str, folder: Option<&str>) -> Option<(Corpus, Reading)> {
    Corpus::ALL
        .into_iter()
        .map(|corpus| (corpus, read_as(corpus, stem, folder)))
        .find(|(_, reading)| *reading != Reading::Foreign)
}

fn read_as(corpus: Corpus, stem: &str, folder: Option<&str>) -> Reading {
    match corpus {
        Corpus::Ravdess => ravdess::read(stem, folder),
        Corpus::Tess => tess::read(stem, folder),
        Corpus::Savee => savee::read(stem, folder),
        Corpus::CremaD => crema_d::read(stem),
    }
}

/// How the names of `corpus` are built, for a message.
pub(crate) const fn shape(corpus: Corpus) -> &'static str {
    match corpus {
        Corpus::Ravdess => "seven two-digit fields, such as 03-01-05-02-01-01-12",
        Corpus::Tess => "speaker, word and emotion, such as OAF_back_fear",
        Corpus::Savee => "speaker, emotion and number, such as DC_a01",
        Corpus::CremaD => "actor, sentence, emotion and level, such as 1001_DFA_ANG_XX",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_published_name_is_claimed_by_its_own_corpus_only() {
        for (stem, folder, corpus) in [
            ("03-01-05-02-01-01-12", "Actor_12", Corpus::Ravdess),
            ("OAF_back_fear", "OAF_Fear", Corpus::Tess),
            ("DC_a01", "savee", Corpus::Savee),
            ("a01", "DC", Corpus::Savee),
            ("1001_DFA_ANG_XX", "AudioWAV", Corpus::CremaD),
        ] {
            let claims: Vec<_> = Corpus::ALL
                .into_iter()
                .filter(|&c| read_as(c, stem, Some(folder)) != Reading::Foreign)
                .collect();
            assert_eq!(claims, [corpus], "{stem}");
            assert!(matches!(
                read(stem, Some(folder)),
                Some((_, Reading::Clip(_)))
            ));
        }
    }

    #[test]
    fn names_of_no_corpus_are_claimed_by_none() {
        for stem in [
            "",
            "song",
            "track-01",
            "2024-01-01",
            "2024_05_01_12",
            "holiday_in_rome",
            "ä_ö_ü",
            "-",
            "_",
            "03a01Fa",
        ] {
            assert_eq!(read(stem, Some("Music")), None, "{stem}");
        }
    }
}
