//! Bars: grouped, stacked, with intervals.

use super::Chart;
use super::axis::{Axis, Ticks};
use super::frame::draw;
use super::ink::Ink;
use super::plot::Size;
use crate::PageError;

/// Values under one name, one for each group of bars.
#[derive(Clone, Debug)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// Its colour.
    pub ink: Ink,
    /// One value for each group; `None` where there is none.
    pub values: Vec<Option<f64>>,
    /// Lower and upper end of an interval around each value; empty for none.
    pub intervals: Vec<Option<(f64, f64)>>,
}

impl Series {
    /// Values without intervals.
    #[must_use]
    pub fn new(name: &str, ink: Ink, values: Vec<Option<f64>>) -> Self {
        Self {
            name: name.to_owned(),
            ink,
            values,
            intervals: Vec::new(),
        }
    }
}

/// Groups of vertical bars.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Names of the groups, from left to right.
    pub groups: Vec<String>,
    /// The bars of each group.
    pub series: Vec<Series>,
    /// On top of each other instead of beside each other.
    pub stacked: bool,
    /// The vertical axis.
    pub y: Axis,
    /// A level to compare with, and what it is.
    pub level: Option<(f64, String)>,
    /// Colours of single bars instead of the series' one, when there is one series.
    pub inks: Vec<Ink>,
    /// Too many groups to write their names below; they still tell them when the pointer rests on them.
    pub unnamed: bool,
    /// Names of colours; empty for those of the series, where there are several.
    pub legend: Vec<(String, Ink)>,
}

impl Bars {
    /// Bars beside each other.
    #[must_use]
    pub fn new(groups: Vec<String>, series: Vec<Series>, y: Axis) -> Self {
        Self {
            groups,
            series,
            stacked: false,
            y,
            level: None,
            inks: Vec::new(),
            unnamed: false,
            legend: Vec::new(),
        }
    }

    /// Draws them.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, size: Size) -> Result<Chart, PageError> {
        let mut x = Axis::names("", self.groups.clone());
        if self.unnamed {
            x.ticks = Ticks::Names(Vec::new());
        }
        let legend = if self.series.len() > 1 {
            self.series
                .iter()
                .map(|series| (series.name.clone(), series.ink))
                .collect()
        } else {
            self.legend.clone()
        };
        draw(size, &x, &self.y, &legend, self.description(), |plot| {
            let base = self.y.range.start.max(0.0);
            let (low, high) = (self.y.range.start, self.y.range.end);
            let lanes = if self.stacked {
                1
            } else {
                self.series.len().max(1)
            };
            let gap = if self.groups.len() > 40 { 0.06 } else { 0.14 };
            let width = (1.0 - 2.0 * gap) / lanes as f64;
            for group in 0..self.groups.len() {
                let mut top = base;
                for (lane, series) in self.series.iter().enumerate() {
                    let Some(value) = series
                        .values
                        .get(group)
                        .copied()
                        .flatten()
                        .filter(|v| v.is_finite())
                    else {
                        continue;
                    };
                    let lane = if self.stacked { 0 } else { lane };
                    let from = group as f64 + gap + width * lane as f64;
                    let (bottom, end) = if self.stacked {
                        (top, top + value)
                    } else {
                        (base, value)
                    };
                    top = end;
                    let ink = self
                        .inks
                        .get(group)
                        .copied()
                        .filter(|_| self.series.len() == 1)
                        .unwrap_or(series.ink);
                    let inset = if lanes > 1 { width * 0.04 } else { 0.0 };
                    plot.tip(self.tip(group, series, value));
                    plot.rect(
                        (from + inset, bottom.clamp(low, high)),
                        (from + width - inset, end.clamp(low, high)),
                        ink,
                        1.0,
                    )?;
                    if let Some((least, most)) = series.intervals.get(group).copied().flatten() {
                        let middle = from + width / 2.0;
                        plot.line(
                            vec![
                                (middle, least.clamp(low, high)),
                                (middle, most.clamp(low, high)),
                            ],
                            Ink::Text,
                            1.5,
                        )?;
                    }
                }
            }
            if let Some((level, what)) = &self.level {
                plot.guide((0.0, *level), (self.groups.len() as f64, *level))?;
                plot.note(what, (self.groups.len() as f64, *level), (-2.0, -4.0), true);
            }
            Ok(())
        })
    }

    fn tip(&self, group: usize, series: &Series, value: f64) -> String {
        let group = &self.groups[group];
        let parts = [group.as_str(), series.name.as_str()];
        let named: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}: {}", named.join(", "), precise(&self.y, value))
    }

    fn description(&self) -> String {
        let mut parts = Vec::new();
        for (index, group) in self.groups.iter().enumerate().take(24) {
            for series in &self.series {
                if let Some(value) = series.values.get(index).copied().flatten() {
                    parts.push(format!(
                        "{group} {} {}",
                        series.name,
                        precise(&self.y, value)
                    ));
                }
            }
        }
        format!("Bars, {}: {}.", self.y.title, parts.join("; "))
    }
}

/// A value with one more decimal than a tick has.
pub(super) fn precise(axis: &Axis, value: f64) -> String {
    match axis.ticks {
        Ticks::Percent => format!("{:.1} %", 100.0 * value),
        _ if (value - value.round()).abs() < 1e-9 => format!("{value:.0}"),
        _ if value.abs() >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
