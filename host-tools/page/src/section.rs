//! The parts of a page.

use std::fmt::Write;

use crate::figure::Figure;
use crate::finding::{Mood, list};
use crate::markup::{Html, escape};
use crate::table::Table;

/// A part of the page under a heading.
#[derive(Clone, Debug)]
pub struct Section {
    pub(crate) heading: String,
    pub(crate) body: String,
}

impl Section {
    /// An empty section.
    #[must_use]
    pub fn new(heading: &str) -> Self {
        Self {
            heading: heading.to_owned(),
            body: String::new(),
        }
    }

    /// A paragraph.
    pub fn text(&mut self, text: impl Into<Html>) -> &mut Self {
        let _ = write!(self.body, "<p>{}</p>", text.into());
        self
    }

    /// A heading within the section.
    pub fn heading(&mut self, text: &str) -> &mut Self {
        let _ = write!(self.body, "<h3>{}</h3>", escape(text));
        self
    }

    /// Findings, each with its mood.
    pub fn findings(&mut self, findings: impl IntoIterator<Item = (Mood, Html)>) -> &mut Self {
        self.body.push_str(&list(findings));
        self
    }

    /// One figure over the whole width.
    pub fn figure(&mut self, figure: &Figure) -> &mut Self {
        self.body.push_str(&figure.html());
        self
    }

    /// Figures beside each other, as many as fit.
    pub fn figures(&mut self, figures: &[Figure]) -> &mut Self {
        self.grid("grid", figures)
    }

    /// Small figures beside each other, up to four in a row.
    pub fn gallery(&mut self, figures: &[Figure]) -> &mut Self {
        self.grid("grid small", figures)
    }

    fn grid(&mut self, class: &str, figures: &[Figure]) -> &mut Self {
        let _ = write!(self.body, "<div class=\"{class}\">");
        for figure in figures {
            self.figure(figure);
        }
        self.body.push_str("</div>");
        self
    }

    /// A table; nothing if it has no rows.
    pub fn table(&mut self, table: &Table) -> &mut Self {
        if !table.is_empty() {
            self.body.push_str(&table.html());
        }
        self
    }

    /// Another part that is folded away until it is wanted.
    pub fn details(&mut self, summary: &str, inner: &Self) -> &mut Self {
        let _ = write!(
            self.body,
            "<details><summary>{}</summary>{}</details>",
            escape(summary),
            inner.body
        );
        self
    }
}
