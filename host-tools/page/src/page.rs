//! The page: head, findings, sections.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::finding::{Mood, list};
use crate::markup::{Html, escape};
use crate::section::Section;

const STYLE: &str = concat!(
    include_str!("shell/palette.css"),
    include_str!("shell/chart.css"),
    include_str!("shell/page.css")
);
const SCRIPT: &str = include_str!("shell/page.js");

/// A page under construction.
#[derive(Clone, Debug)]
pub struct Page {
    title: String,
    subtitle: Html,
    facts: Vec<(String, String)>,
    findings: Vec<(Mood, Html)>,
    sections: Vec<Section>,
    footer: Html,
}

impl Page {
    /// A page without sections.
    #[must_use]
    pub fn new(title: &str, subtitle: impl Into<Html>) -> Self {
        Self {
            title: title.to_owned(),
            subtitle: subtitle.into(),
            facts: Vec::new(),
            findings: Vec::new(),
            sections: Vec::new(),
            footer: Html::default(),
        }
    }

    /// A number at the top: what it is, and its value.
    pub fn fact(&mut self, name: &str, value: impl Into<String>) {
        self.facts.push((name.to_owned(), value.into()));
    }

    /// A sentence at the top that answers a question of the reader.
    pub fn finding(&mut self, mood: Mood, text: impl Into<Html>) {
        self.findings.push((mood, text.into()));
    }

    /// Adds a section.
    pub fn section(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// What stands at the end: how the page was made.
    pub fn footer(&mut self, text: impl Into<Html>) {
        self.footer = text.into();
    }

    /// The whole file.
    #[must_use]
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let script_hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; media-src data:; \
             style-src 'unsafe-inline'; script-src 'sha256-{script_hash}'; base-uri 'none'; form-action 'none'\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><meta name=\"referrer\" content=\"no-referrer\">\
             <link rel=\"icon\" href=\"data:,\"><title>{title}</title><style>{STYLE}</style></head><body>\
             <a class=\"skip\" href=\"#content\">To the content</a><header><div class=\"bar\"><span class=\"brand\">Undertone</span>\
             <button type=\"button\" id=\"theme\" aria-label=\"Light or dark\">◐</button></div>\
             <h1>{title}</h1><p class=\"lead\">{}</p>",
            self.subtitle
        );
        if !self.facts.is_empty() {
            out.push_str("<dl class=\"facts\">");
            for (name, value) in &self.facts {
                let _ = write!(
                    out,
                    "<div><dt>{}</dt><dd>{}</dd></div>",
                    escape(name),
                    escape(value)
                );
            }
            out.push_str("</dl>");
        }
        if !self.findings.is_empty() {
            out.push_str(&list(self.findings.iter().cloned()));
        }
        out.push_str("</header><nav aria-label=\"Sections\"><ol>");
        for (index, section) in self.sections.iter().enumerate() {
            let _ = write!(
                out,
                "<li><a href=\"#s{index}\">{}</a></li>",
                escape(&section.heading)
            );
        }
        out.push_str("</ol></nav><main id=\"content\">");
        for (index, section) in self.sections.iter().enumerate() {
            let _ = write!(
                out,
                "<section id=\"s{index}\" aria-labelledby=\"h{index}\"><h2 id=\"h{index}\">{}</h2>{}</section>",
                escape(&section.heading),
                section.body
            );
        }
        let _ = writeln!(
            out,
            "</main><footer>{}</footer><script>{SCRIPT}</script></body></html>",
            self.footer
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    #[test]
    fn a_page_names_nothing_outside_itself_and_lets_no_text_become_markup() {
        let hostile = "</title><script>alert(1)</script>";
        let mut page = Page::new(hostile, hostile);
        page.fact(hostile, hostile);
        page.finding(Mood::Bad, hostile);
        let mut section = Section::new(hostile);
        let mut table = Table::new(hostile, &[hostile]);
        table.row(vec![hostile.into()]);
        section.text(hostile).heading(hostile).table(&table);
        section.details(hostile, &section.clone());
        page.section(section);
        page.footer(hostile);
        let html = page.html();
        assert_eq!(html.matches("<script>").count(), 1);
        assert_eq!(html.matches("</title>").count(), 1);
        assert!(
            !html.contains("http://") && !html.contains("https://") && !html.contains("@import")
        );
    }

    #[test]
    fn the_policy_allows_exactly_the_script_that_is_there() {
        let html = Page::new("t", "").html();
        let script = html.split("<script>").nth(1).unwrap();
        let script = script.split("</script>").next().unwrap();
        let hash = STANDARD.encode(Sha256::digest(script.as_bytes()));
        assert!(html.contains(&format!("'sha256-{hash}'")));
    }
}
