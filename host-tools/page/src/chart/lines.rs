//! Lines, with bands around them.

use super::Chart;
use super::axis::Axis;
use super::bars::precise;
use super::frame::draw;
use super::ink::Ink;
use super::plot::Size;
use crate::PageError;

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    /// For the legend.
    pub name: String,
    /// Its colour.
    pub ink: Ink,
    /// Points from left to right.
    pub points: Vec<(f64, f64)>,
    /// Lower and upper end of a band at each x; empty for none.
    pub band: Vec<(f64, f64, f64)>,
    /// Whether every point gets a dot that tells its value.
    pub dots: bool,
}

impl Line {
    /// A line without dots or band.
    #[must_use]
    pub fn new(name: &str, ink: Ink, points: Vec<(f64, f64)>) -> Self {
        Self {
            name: name.to_owned(),
            ink,
            points,
            band: Vec::new(),
            dots: false,
        }
    }

    /// With a dot at each point.
    #[must_use]
    pub fn dotted(mut self) -> Self {
        self.dots = true;
        self
    }
}

/// Lines over common axes.
#[derive(Clone, Debug)]
pub struct Lines {
    /// The lines.
    pub lines: Vec<Line>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// A dashed line from one point to another, for comparison.
    pub guide: Option<((f64, f64), (f64, f64))>,
    /// Points that are named.
    pub marks: Vec<((f64, f64), String)>,
}

impl Lines {
    /// Lines without guide or marks.
    #[must_use]
    pub fn new(lines: Vec<Line>, x: Axis, y: Axis) -> Self {
        Self {
            lines,
            x,
            y,
            guide: None,
            marks: Vec::new(),
        }
    }

    /// Draws them.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, size: Size) -> Result<Chart, PageError> {
        let legend = if self.lines.len() > 1 {
            self.lines
                .iter()
                .map(|line| (line.name.clone(), line.ink))
                .collect()
        } else {
            Vec::new()
        };
        draw(
            size,
            &self.x,
            &self.y,
            &legend,
            self.description(),
            |plot| {
                let (low, high) = (self.y.range.start, self.y.range.end);
                if let Some((from, to)) = self.guide {
                    plot.guide(from, to)?;
                }
                for line in &self.lines {
                    let upper = line.band.iter().map(|&(x, _, high)| (x, high));
                    let lower = line.band.iter().rev().map(|&(x, low, _)| (x, low));
                    let band = upper
                        .chain(lower)
                        .map(|(x, y)| (x, y.clamp(low, high)))
                        .collect();
                    plot.polygon(band, line.ink, 0.16)?;
                }
                for line in &self.lines {
                    let points: Vec<_> = line
                        .points
                        .iter()
                        .filter(|(x, y)| x.is_finite() && y.is_finite())
                        .map(|&(x, y)| (x, y.clamp(low, high)))
                        .collect();
                    plot.tip(&line.name);
                    plot.line(points.clone(), line.ink, 2.0)?;
                    for point in points.into_iter().filter(|_| line.dots) {
                        plot.tip(format!(
                            "{} {}: {}",
                            line.name,
                            self.x.label(point.0),
                            precise(&self.y, point.1)
                        ));
                        plot.dot(point, 4, line.ink)?;
                    }
                }
                for (point, name) in &self.marks {
                    plot.dot(*point, 4, Ink::Text)?;
                    let right = point.0 > (self.x.range.start + self.x.range.end) / 2.0;
                    plot.note(name, *point, (if right { -7.0 } else { 7.0 }, -8.0), right);
                }
                Ok(())
            },
        )
    }

    fn description(&self) -> String {
        let lines: Vec<String> = self
            .lines
            .iter()
            .filter_map(|line| {
                let (first, last) = (line.points.first()?, line.points.last()?);
                Some(format!(
                    "{} from {} at {} to {} at {}",
                    line.name,
                    precise(&self.y, first.1),
                    self.x.label(first.0),
                    precise(&self.y, last.1),
                    self.x.label(last.0)
                ))
            })
            .collect();
        format!(
            "Lines, {} over {}: {}.",
            self.y.title,
            self.x.title,
            lines.join("; ")
        )
    }
}
