//! Tracks over one time axis: what a recording holds and what was heard in it.

use plotters::style::text_anchor::{HPos, VPos};

use super::Chart;
use super::axis::Axis;
use super::ink::Ink;
use super::plot::{Legend, Size, draw, fill_class};
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
    /// Hatched: an answer that is none.
    pub hatched: bool,
}

/// Waveform, spans and level of one channel, from top to bottom.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// Seconds of the axis.
    pub seconds: f64,
    /// The waveform.
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

impl Timeline {
    /// Draws it.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, width: u32) -> Result<Chart, PageError> {
        let rows = self.rows.len() as f64;
        let total = rows + LEVEL + WAVE;
        let mut names: Vec<String> = vec![String::new(); LEVEL as usize];
        names[0] = "level, dBFS".into();
        names.extend(self.rows.iter().rev().map(|row| row.0.clone()));
        names.extend([String::new(), "waveform".into(), String::new()]);
        let y = Axis::names("", names);
        let x = Axis::numbers("time in s", 0.0..self.seconds);
        let legend: Legend = self.legend.clone();
        let size = Size {
            width,
            height: 70 + (total * 30.0) as u32,
        };
        draw(size, &x, &y, &legend, self.description(), |plot| {
            plot.raw("<defs><pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path class=\"ks\" stroke-width=\"2.5\" d=\"M0 0V6\"/></pattern></defs>");
            let middle = LEVEL + rows + WAVE / 2.0;
            let path = outline(
                &self.envelope.parts,
                self.envelope.seconds,
                |(time, value)| plot.at((time, middle + value * (WAVE / 2.0 - 0.1))),
            );
            plot.raw(&format!(
                "<path class=\"{}\" d=\"{path}\"/>",
                fill_class(Ink::Accent)
            ));
            for (index, (_, spans)) in self.rows.iter().enumerate() {
                let base = LEVEL + rows - 1.0 - index as f64;
                plot.line(
                    vec![(0.0, base + 0.5), (self.seconds, base + 0.5)],
                    Ink::Grid,
                    1.0,
                )?;
                for span in spans {
                    let (from, to) = ((span.seconds.0, base + 0.12), (span.seconds.1, base + 0.88));
                    plot.tip(&span.tip);
                    plot.rect(from, to, span.ink, span.strength.clamp(0.12, 1.0))?;
                    let ((left, bottom), (right, top)) = (plot.at(from), plot.at(to));
                    if span.hatched {
                        plot.raw(&format!("<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"url(#hatch)\" pointer-events=\"none\"/>", right - left, bottom - top));
                    }
                    if right - left > 6.2 * span.label.chars().count() as f64 + 4.0
                        && !span.label.is_empty()
                    {
                        plot.text(
                            &span.label,
                            ((from.0 + to.0) / 2.0, base + 0.5),
                            (0, 0),
                            Ink::Text,
                            HPos::Center,
                            VPos::Center,
                        )?;
                    }
                }
            }
            let height = |db: f64| (db.clamp(FLOOR_DB, 0.0) - FLOOR_DB) / -FLOOR_DB * (LEVEL - 0.1);
            for db in [-60.0, -40.0, -20.0] {
                plot.line(
                    vec![(0.0, height(db)), (self.seconds, height(db))],
                    Ink::Grid,
                    1.0,
                )?;
                plot.text(
                    &format!("{db:.0}").replace('-', "−"),
                    (self.seconds, height(db)),
                    (-2, 0),
                    Ink::Muted,
                    HPos::Right,
                    VPos::Bottom,
                )?;
            }
            plot.line(
                self.level
                    .iter()
                    .map(|&(time, db)| (time, height(db)))
                    .collect(),
                Ink::Muted,
                1.4,
            )?;
            Ok(())
        })
    }

    fn description(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|(name, spans)| format!("{name} {} parts", spans.len()))
            .collect();
        format!(
            "{:.1} s of sound: waveform, {}, level.",
            self.seconds,
            rows.join(", ")
        )
    }
}
