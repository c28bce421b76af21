//! Emotions and corpora have the same colours on every page.

use undertone_page::chart::Ink;

use crate::corpora::{Corpus, Emotion};

/// The colour of an emotion.
pub(super) const fn emotion(emotion: Emotion) -> Ink {
    Ink::Series(emotion as u8)
}

/// The colour of a corpus, none of the emotions'.
pub(super) const fn corpus(corpus: Corpus) -> Ink {
    Ink::Series(8 + corpus as u8)
}
