//! Tracks over one time axis: what a recording holds and what was heard in it.

use plotters::style::text_anchor::{HPos, VPos};

use super::Chart;
use super::axis::Axis;
use super::frame::{Legend, draw};
use super::ink::Ink;
use super::plot::{Plot, Size, fill_class};
use super::sound::{Envelope, outline};
use crate::PageError;

/// A stretch of time with a label.
#[derive(Clone, Debug)]
pub struct Span {
    /// Start and end in seconds.
    pub seconds: (f64, f64),
    /// What is written into it, where there is room.
    pub label: String,
    /// What it tells when the pointer rests on it.
    pub tip: String,
    /// Its colour.
    pub ink: Ink,
    /// How strong the colour is, 0 to 1.
    pub strength: f64,
    /// How much of its height is filled, from below, 0 to 1; the rest is faint.
    pub filled: f64,
    /// With a dashed edge: an answer that is none.
    pub open: bool,
}

/// Waveform, spans and level of one channel, from top to bottom.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Where the axis begins and ends, in seconds.
    pub seconds: (f64, f64),
    /// The waveform between the two.
    pub envelope: Envelope,
    /// Level over time in dBFS: seconds and level.
    pub level: Vec<(f64, f64)>,
    /// Rows of spans under their names, from the top.
    pub rows: Vec<(String, Vec<Span>)>,
    /// For the colours.
    pub legend: Vec<(String, Ink)>,
}

const WAVE: f64 = 3.0;
const LEVEL: f64 = 2.0;
const FLOOR_DB: f64 = -80.0;
/// The weakest colour of a span.
const FAINT: f64 = 0.12;

impl Timeline {
    /// Draws it.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, width: u32) -> Result<Chart, PageError> {
        let (start, end) = self.seconds;
        let rows = self.rows.len() as f64;
        let mut names: Vec<String> = vec![String::new(); LEVEL as usize];
        names[0] = "level, dBFS".into();
        names.extend(self.rows.iter().rev().map(|row| row.0.clone()));
        names.extend([String::new(), "waveform".into(), String::new()]);
        let y = Axis::names("", names);
        let x = Axis::numbers("time in s", start..end);
        let legend: Legend = self.legend.clone();
        let total = rows + LEVEL + WAVE;
        let size = Size {
            width,
            height: 70 + (total * 30.0) as u32,
        };
        draw(size, &x, &y, &legend, self.description(), |plot| {
            let middle = LEVEL + rows + WAVE / 2.0;
            let path = outline(
                &self.envelope.parts,
                self.envelope.seconds,
                |(time, value)| plot.at((start + time, middle + value * (WAVE / 2.0 - 0.1))),
            );
            plot.raw(&format!(
                "<path class=\"{}\" d=\"{path}\"/>",
                fill_class(Ink::Accent)
            ));
            for (index, (_, spans)) in self.rows.iter().enumerate() {
                let base = LEVEL + rows - 1.0 - index as f64;
                plot.line(vec![(start, base + 0.5), (end, base + 0.5)], Ink::Grid, 1.0)?;
                for span in spans {
                    self.span(plot, span, base)?;
                }
            }
            let height = |db: f64| (db.clamp(FLOOR_DB, 0.0) - FLOOR_DB) / -FLOOR_DB * (LEVEL - 0.1);
            for db in [-60.0, -40.0, -20.0] {
                plot.line(vec![(start, height(db)), (end, height(db))], Ink::Grid, 1.0)?;
                plot.note(
                    &format!("{db:.0}").replace('-', "−"),
                    (end, height(db)),
                    (-2.0, -2.0),
                    true,
                );
            }
            let level = self.level.iter();
            let level = level.map(|&(time, db)| (time.clamp(start, end), height(db)));
            plot.line(level.collect(), Ink::Muted, 1.4)
        })
    }

    fn span(&self, plot: &mut Plot<'_>, span: &Span, base: f64) -> Result<(), PageError> {
        let (start, end) = self.seconds;
        let from = (span.seconds.0.clamp(start, end), base + 0.12);
        let to = (span.seconds.1.clamp(start, end), base + 0.88);
        if to.0 <= from.0 {
            return Ok(());
        }
        plot.tip(&span.tip);
        let filled = from.1 + (to.1 - from.1) * span.filled.clamp(0.0, 1.0);
        let strength = span.strength.clamp(FAINT, 1.0);
        if filled < to.1 {
            plot.rect((from.0, filled), to, span.ink, FAINT)?;
            plot.tip(&span.tip);
        }
        plot.rect(from, (to.0, filled), span.ink, strength)?;
        let ((left, bottom), (right, top)) = (plot.at(from), plot.at(to));
        if span.open {
            plot.raw(&format!(
                "<rect class=\"l km\" stroke-dasharray=\"3 3\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" pointer-events=\"none\"/>",
                right - left,
                bottom - top
            ));
        }
        let room = right - left > 6.2 * span.label.chars().count() as f64 + 4.0;
        if room && !span.label.is_empty() {
            let middle = ((from.0 + to.0) / 2.0, base + 0.5);
            let (h, v) = (HPos::Center, VPos::Center);
            plot.text(&span.label, middle, (0, 0), Ink::Text, h, v)?;
        }
        Ok(())
    }

    fn description(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(name, spans)| format!("{name} {} parts", spans.len()))
            .collect();
        format!(
            "{:.1} s of sound: waveform, {}, level.",
            self.seconds.1 - self.seconds.0,
            rows.join(", ")
        )
    }
}
