//! Tables that sort.

use std::fmt::Write;

use crate::markup::{Html, escape};

/// A cell: what is shown, and what it is sorted by.
#[derive(Clone, Debug)]
pub struct Cell {
    shown: Html,
    key: Option<f64>,
    number: bool,
}

impl Cell {
    /// A number with so many decimals.
    #[must_use]
    pub fn number(value: f64, decimals: usize) -> Self {
        Self {
            shown: Html::text(&format!("{value:.decimals$}")),
            key: Some(value),
            number: true,
        }
    }

    /// A count.
    #[must_use]
    pub fn count(value: usize) -> Self {
        Self::number(value as f64, 0)
    }

    /// A share of 0 to 1 as percent with one decimal.
    #[must_use]
    pub fn percent(share: f64) -> Self {
        Self {
            shown: Html::text(&format!("{:.1} %", 100.0 * share)),
            key: Some(share),
            number: true,
        }
    }

    /// A share that may not be known.
    #[must_use]
    pub fn percent_or_dash(share: Option<f64>) -> Self {
        share.map_or_else(Self::none, Self::percent)
    }

    /// Nothing to say; sorted last.
    #[must_use]
    pub fn none() -> Self {
        Self {
            shown: Html::text("–"),
            key: None,
            number: true,
        }
    }
}

impl<T: Into<Html>> From<T> for Cell {
    fn from(content: T) -> Self {
        Self {
            shown: content.into(),
            key: None,
            number: false,
        }
    }
}

/// Rows under named columns; a click on a name sorts by it.
#[derive(Clone, Debug)]
pub struct Table {
    caption: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    #[must_use]
    pub fn new(caption: &str, columns: &[&str]) -> Self {
        Self {
            caption: caption.to_owned(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells beyond the columns are left out, missing ones are empty.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(crate) fn html(&self) -> String {
        let mut out = format!(
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{0}\"><table class=\"sortable\"><caption>{0}</caption><thead><tr>",
            escape(&self.caption)
        );
        let numeric = |column: usize| {
            let first = self.rows.iter().find_map(|row| row.get(column));
            first.is_some_and(|cell| cell.number)
        };
        for (index, column) in self.columns.iter().enumerate() {
            let class = if numeric(index) { " class=\"n\"" } else { "" };
            let _ = write!(
                out,
                "<th scope=\"col\"{class} aria-sort=\"none\"><button type=\"button\">{}</button></th>",
                escape(column)
            );
        }
        out.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            out.push_str("<tr>");
            for index in 0..self.columns.len() {
                let Some(cell) = row.get(index) else {
                    out.push_str("<td></td>");
                    continue;
                };
                let class = if cell.number { " class=\"n\"" } else { "" };
                let key = cell
                    .key
                    .map_or_else(String::new, |key| format!(" data-k=\"{key}\""));
                let (open, close) = if index == 0 {
                    ("<th scope=\"row\"", "</th>")
                } else {
                    ("<td", "</td>")
                };
                let _ = write!(out, "{open}{class}{key}>{}{close}", cell.shown);
            }
            out.push_str("</tr>");
        }
        out.push_str("</tbody></table></div>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_the_value_that_they_are_sorted_by_and_rows_are_filled_up() {
        let mut table = Table::new("a & b", &["name", "share", "more"]);
        table.row(vec!["x".into(), Cell::percent(0.1234)]);
        let html = table.html();
        assert!(html.contains("data-k=\"0.1234\">12.3 %"), "{html}");
        assert!(html.contains("<caption>a &amp; b</caption>"));
        assert!(html.contains("<td></td></tr>"));
    }
}
