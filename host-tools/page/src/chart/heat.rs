//! Matrices of shares: confusions.

use plotters::style::text_anchor::{HPos, VPos};

use super::Chart;
use super::axis::Axis;
use super::frame::draw;
use super::ink::Ink;
use super::plot::Size;
use crate::PageError;

/// Counts by row and column, each row coloured by its shares.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// Names of rows, from the top, and of columns, from the left.
    pub names: Vec<String>,
    /// What rows and columns are.
    pub titles: (String, String),
    /// Counts, row by row.
    pub counts: Vec<Vec<usize>>,
}

impl Matrix {
    /// Draws it: the diagonal in one colour, everything beside it in another. Rows without counts stay empty.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, width: u32) -> Result<Chart, PageError> {
        let count = self.names.len();
        let x = Axis::names(&self.titles.1, self.names.clone());
        let y = Axis::names(&self.titles.0, self.names.iter().rev().cloned().collect());
        let size = Size {
            width,
            height: width * 5 / 6,
        };
        draw(size, &x, &y, &Vec::new(), self.description(), |plot| {
            for (row, counts) in self.counts.iter().enumerate() {
                let total: usize = counts.iter().sum();
                let y = (count - 1 - row) as f64;
                for (column, &cell) in counts.iter().enumerate() {
                    let share = cell as f64 / total.max(1) as f64;
                    let at = (column as f64 + 0.03, y + 0.03);
                    let to = (column as f64 + 0.97, y + 0.97);
                    let ink = if row == column { Ink::Accent } else { Ink::Bad };
                    let tip = format!(
                        "{} called {}: {cell} of {total} ({:.1} %)",
                        self.names[row],
                        self.names[column],
                        100.0 * share
                    );
                    if total == 0 {
                        plot.rect(at, to, Ink::Grid, 0.35)?;
                        continue;
                    }
                    plot.rect(at, to, Ink::Grid, 0.5)?;
                    plot.tip(tip);
                    plot.rect(at, to, ink, (share * 0.92).max(0.001))?;
                    if share >= 0.005 {
                        let color = if share > 0.55 {
                            Ink::Surface
                        } else {
                            Ink::Text
                        };
                        let middle = (column as f64 + 0.5, y + 0.5);
                        plot.text(
                            &format!("{:.0}", 100.0 * share),
                            middle,
                            (0, 0),
                            color,
                            HPos::Center,
                            VPos::Center,
                        )?;
                    }
                }
            }
            Ok(())
        })
    }

    fn description(&self) -> String {
        let rows: Vec<String> = self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, row)| row.iter().sum::<usize>() > 0)
            .map(|(index, row)| {
                let total: usize = row.iter().sum();
                format!(
                    "{} right in {:.0} %",
                    self.names[index],
                    100.0 * row[index] as f64 / total as f64
                )
            })
            .collect();
        format!(
            "Matrix of {} by {} in percent of each row: {}.",
            self.titles.0,
            self.titles.1,
            rows.join(", ")
        )
    }
}
