//! Sentences that answer a question of the reader, and how good or bad the answer is.

use std::fmt::Write;

use crate::markup::Html;

/// What a finding means for the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Something to look at.
    Warn,
    /// Something that is wrong.
    Bad,
}

impl Mood {
    const fn mark(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Good => ("good", "✓", "good"),
            Self::Note => ("note", "i", "note"),
            Self::Warn => ("warn", "!", "look at this"),
            Self::Bad => ("bad", "✕", "wrong"),
        }
    }
}

/// Findings below each other, as markup.
pub(crate) fn list(findings: impl IntoIterator<Item = (Mood, Html)>) -> String {
    let mut out = String::from("<ul class=\"findings\">");
    for (mood, text) in findings {
        let (class, mark, word) = mood.mark();
        let _ = write!(
            out,
            "<li class=\"{class}\"><span class=\"mark\" role=\"img\" aria-label=\"{word}\">{mark}</span><span>{text}</span></li>"
        );
    }
    out.push_str("</ul>");
    out
}
