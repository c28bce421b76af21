//! Points of several groups.

use std::fmt::Write;

use super::Chart;
use super::axis::{Axis, around};
use super::frame::draw;
use super::ink::Ink;
use super::plot::{Size, stroke_class};
use crate::PageError;

/// Points that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// For the legend.
    pub name: String,
    /// Their colour.
    pub ink: Ink,
    /// Where they lie.
    pub points: Vec<(f64, f64)>,
}

/// Groups of points on a plane whose axes mean nothing, such as a map of embeddings.
#[derive(Clone, Debug)]
pub struct Scatter {
    /// The groups.
    pub groups: Vec<Group>,
}

impl Scatter {
    /// Draws them; a group is one path, so that thousands of points stay small.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, size: Size) -> Result<Chart, PageError> {
        let points = || self.groups.iter().flat_map(|group| group.points.iter());
        let x = Axis::hidden(around(points().map(|p| p.0)));
        let y = Axis::hidden(around(points().map(|p| p.1)));
        let legend = self
            .groups
            .iter()
            .map(|group| {
                (
                    format!("{} ({})", group.name, group.points.len()),
                    group.ink,
                )
            })
            .collect();
        let names: Vec<&str> = self
            .groups
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        let description = format!("{} points of {}.", points().count(), names.join(", "));
        draw(size, &x, &y, &legend, description, |plot| {
            for Group { ink, points, .. } in &self.groups {
                let mut path = String::new();
                for point in points
                    .iter()
                    .filter(|(x, y)| x.is_finite() && y.is_finite())
                {
                    let (x, y) = plot.at(*point);
                    let _ = write!(path, "M{x:.1} {y:.1}h0");
                }
                plot.raw(&format!("<path class=\"l {}\" stroke-width=\"4.5\" stroke-opacity=\".62\" d=\"{path}\"/>", stroke_class(*ink)));
            }
            Ok(())
        })
    }
}
