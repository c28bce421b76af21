//! Distributions as ridges, one above the other.

use plotters::style::text_anchor::{HPos, VPos};

use super::Chart;
use super::axis::{Axis, around};
use super::frame::draw;
use super::ink::Ink;
use super::plot::Size;
use crate::PageError;

/// Points at which a density is drawn.
const POINTS: usize = 64;

/// Distributions of one quantity, one ridge for each name; a stroke marks the median.
#[derive(Clone, Debug)]
pub struct Ridge {
    /// Names, colours and values.
    pub rows: Vec<(String, Ink, Vec<f64>)>,
    /// Title of the horizontal axis, with the unit.
    pub title: String,
    /// What the axis spans; `None` for the values between the 0.5 and 99.5 % of all.
    pub range: Option<(f64, f64)>,
}

impl Ridge {
    /// Draws them, 26 pixels a row.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, width: u32) -> Result<Chart, PageError> {
        let rows: Vec<(&str, Ink, Vec<f64>)> = self
            .rows
            .iter()
            .map(|(name, ink, values)| {
                let mut values: Vec<f64> =
                    values.iter().copied().filter(|v| v.is_finite()).collect();
                values.sort_by(f64::total_cmp);
                (name.as_str(), *ink, values)
            })
            .collect();
        let range = self.range.map_or_else(
            || {
                let mut all: Vec<f64> = rows.iter().flat_map(|row| row.2.iter().copied()).collect();
                all.sort_by(f64::total_cmp);
                around(
                    [quantile(&all, 0.005), quantile(&all, 0.995)]
                        .into_iter()
                        .flatten(),
                )
            },
            |(low, high)| low..high,
        );
        let count = rows.len();
        // The first name stands on top; axes count from below.
        let names = rows.iter().rev().map(|row| row.0.to_owned()).collect();
        let mut y = Axis::names("", names);
        y.range.end += 0.6;
        let x = Axis::numbers(&self.title, range.clone());
        let size = Size {
            width,
            height: 52 + 26 * count as u32,
        };
        draw(size, &x, &y, &Vec::new(), self.description(&rows), |plot| {
            for (index, (name, ink, values)) in rows.iter().enumerate() {
                let base = (count - 1 - index) as f64 + 0.12;
                let Some(median) = quantile(values, 0.5) else {
                    plot.text(
                        "none",
                        (x.range.start, base + 0.4),
                        (4, 0),
                        Ink::Muted,
                        HPos::Left,
                        VPos::Center,
                    )?;
                    continue;
                };
                let curve = density(values, x.range.start, x.range.end);
                let most = curve
                    .iter()
                    .map(|point| point.1)
                    .fold(f64::MIN_POSITIVE, f64::max);
                let height = |density: f64| base + 1.25 * density / most;
                let mut outline: Vec<(f64, f64)> =
                    curve.iter().map(|&(x, d)| (x, height(d))).collect();
                plot.line(
                    vec![(x.range.start, base), (x.range.end, base)],
                    Ink::Grid,
                    1.0,
                )?;
                let line = outline.clone();
                outline.push((x.range.end, base));
                outline.push((x.range.start, base));
                let (lower, upper) = (
                    quantile(values, 0.25).unwrap_or(median),
                    quantile(values, 0.75).unwrap_or(median),
                );
                plot.tip(format!(
                    "{name}: median {}, half of them from {} to {}, {} values",
                    show(median),
                    show(lower),
                    show(upper),
                    values.len()
                ));
                plot.polygon(outline, *ink, 0.55)?;
                plot.line(line, *ink, 1.5)?;
                if x.range.contains(&median) {
                    plot.line(vec![(median, base), (median, base + 0.45)], Ink::Text, 2.0)?;
                }
            }
            Ok(())
        })
    }

    fn description(&self, rows: &[(&str, Ink, Vec<f64>)]) -> String {
        let medians: Vec<String> = rows
            .iter()
            .filter_map(|(name, _, values)| {
                Some(format!("{name} {}", show(quantile(values, 0.5)?)))
            })
            .collect();
        format!(
            "Distributions of {}; medians: {}.",
            self.title,
            medians.join(", ")
        )
    }
}

fn show(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

/// The value below which a share of sorted values lies; `None` without values.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share * last as f64;
    let low = at as usize;
    let (a, b) = (sorted.get(low)?, sorted.get((low + 1).min(last))?);
    Some(a + (at - low as f64) * (b - a))
}

/// Gaussian kernel density of sorted values at evenly spaced points, bandwidth by Silverman's rule (1986, eq. 3.31).
fn density(sorted: &[f64], low: f64, high: f64) -> Vec<(f64, f64)> {
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    let deviation = (sorted.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
    let middle =
        (quantile(sorted, 0.75).unwrap_or(mean) - quantile(sorted, 0.25).unwrap_or(mean)) / 1.34;
    let spread = if middle > 0.0 {
        middle.min(deviation)
    } else {
        deviation
    };
    let bandwidth = (0.9 * spread * count.powf(-0.2)).max((high - low) / 200.0);
    // Values are counted into fine bins first, so that the cost does not grow with their number.
    const BINS: usize = 512;
    let mut bins = vec![0.0; BINS];
    for value in sorted {
        let at = (value - low) / (high - low) * BINS as f64;
        if (0.0..BINS as f64).contains(&at) {
            bins[at as usize] += 1.0;
        }
    }
    (0..POINTS)
        .map(|point| {
            let x = low + (high - low) * point as f64 / (POINTS - 1) as f64;
            let sum: f64 = bins
                .iter()
                .enumerate()
                .filter(|(_, weight)| **weight > 0.0)
                .map(|(bin, weight)| {
                    let center = low + (high - low) * (bin as f64 + 0.5) / BINS as f64;
                    weight * (-0.5 * ((x - center) / bandwidth).powi(2)).exp()
                })
                .sum();
            (x, sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_density_is_highest_where_the_values_are() {
        let mut values: Vec<f64> = (0..200).map(|i| 3.0 + f64::from(i % 10) * 0.01).collect();
        values.push(9.0);
        values.sort_by(f64::total_cmp);
        let curve = density(&values, 0.0, 10.0);
        let top = curve.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        assert!((top.0 - 3.05).abs() < 0.2, "{top:?}");
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), Some(2.0));
        assert_eq!(quantile(&[], 0.5), None);
    }
}
