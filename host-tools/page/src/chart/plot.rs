//! Drawing into a chart, in the units of its axes.

use std::cell::RefCell;
use std::rc::Rc;

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, ShapeStyle, TextStyle};

use super::backend::{Body, Svg, UNIT};
use super::ink::Ink;
use crate::PageError;
use crate::markup::escape;

/// Size of text, in pixels.
pub(super) const TEXT: i32 = 11;

/// Room that a chart takes, in pixels of its own coordinates.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Size {
    /// The width of a page.
    pub const WIDE: Self = Self {
        width: 900,
        height: 280,
    };
    /// One of two or three beside each other.
    pub const HALF: Self = Self {
        width: 440,
        height: 280,
    };
    /// One of many.
    pub const SMALL: Self = Self {
        width: 340,
        height: 190,
    };

    /// The same width at another height.
    #[must_use]
    pub const fn tall(self, height: u32) -> Self {
        Self { height, ..self }
    }
}

pub(super) fn failed(error: impl std::fmt::Display) -> PageError {
    PageError::Chart(error.to_string())
}

/// A chart with axes, as [`frame`](super::frame) makes it.
pub(super) struct Plot<'a> {
    pub(super) context: ChartContext<'a, Svg, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    pub(super) root: &'a DrawingArea<Svg, Shift>,
    pub(super) body: Rc<RefCell<Body>>,
}

pub(super) fn style(ink: Ink, alpha: f64, width: f64, filled: bool) -> ShapeStyle {
    ShapeStyle {
        color: ink.code().mix(alpha),
        filled,
        stroke_width: (width * f64::from(UNIT)) as u32,
    }
}

pub(super) fn text_style(ink: Ink, h: HPos, v: VPos) -> TextStyle<'static> {
    ("sans-serif", TEXT * UNIT)
        .into_font()
        .color(&ink.code())
        .pos(Pos::new(h, v))
}

impl Plot<'_> {
    /// The next shape tells this when the pointer rests on it.
    pub(super) fn tip(&mut self, text: impl Into<String>) {
        self.body.borrow_mut().tip = Some(text.into());
    }

    pub(super) fn rect(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        ink: Ink,
        alpha: f64,
    ) -> Result<(), PageError> {
        let shape = Rectangle::new([from, to], style(ink, alpha, 1.0, true));
        self.context.plotting_area().draw(&shape).map_err(failed)
    }

    pub(super) fn line(
        &mut self,
        points: Vec<(f64, f64)>,
        ink: Ink,
        width: f64,
    ) -> Result<(), PageError> {
        if points.is_empty() {
            return Ok(());
        }
        let shape = PathElement::new(points, style(ink, 1.0, width, false));
        self.context.plotting_area().draw(&shape).map_err(failed)
    }

    /// A line that only guides the eye.
    pub(super) fn guide(&mut self, from: (f64, f64), to: (f64, f64)) -> Result<(), PageError> {
        let (a, b) = (self.at(from), self.at(to));
        self.raw(&format!(
            "<path class=\"l km\" stroke-dasharray=\"4 4\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
            a.0, a.1, b.0, b.1
        ));
        Ok(())
    }

    pub(super) fn polygon(
        &mut self,
        points: Vec<(f64, f64)>,
        ink: Ink,
        alpha: f64,
    ) -> Result<(), PageError> {
        if points.len() < 3 {
            return Ok(());
        }
        let shape = Polygon::new(points, style(ink, alpha, 1.0, true));
        self.context.plotting_area().draw(&shape).map_err(failed)
    }

    pub(super) fn dot(&mut self, at: (f64, f64), radius: i32, ink: Ink) -> Result<(), PageError> {
        let shape = Circle::new(at, radius * UNIT, style(ink, 1.0, 1.0, true));
        self.context.plotting_area().draw(&shape).map_err(failed)
    }

    /// Text beside a point: `shift` pixels to the right and down.
    pub(super) fn text(
        &mut self,
        text: &str,
        at: (f64, f64),
        shift: (i32, i32),
        ink: Ink,
        h: HPos,
        v: VPos,
    ) -> Result<(), PageError> {
        let (x, y) = self.context.backend_coord(&at);
        let point = (x + shift.0 * UNIT, y + shift.1 * UNIT);
        self.root
            .draw_text(text, &text_style(ink, h, v), point)
            .map_err(failed)
    }

    /// Text that stays legible on top of shapes.
    pub(super) fn note(&mut self, text: &str, at: (f64, f64), shift: (f64, f64), right: bool) {
        let (x, y) = self.at(at);
        let anchor = if right { " text-anchor=\"end\"" } else { "" };
        self.raw(&format!(
            "<text class=\"t h fi\" x=\"{:.1}\" y=\"{:.1}\"{anchor}>{}</text>",
            x + shift.0,
            y + shift.1,
            escape(text)
        ));
    }

    /// Where a point lies, in pixels.
    pub(super) fn at(&self, point: (f64, f64)) -> (f64, f64) {
        let (x, y) = self.context.backend_coord(&point);
        (
            f64::from(x) / f64::from(UNIT),
            f64::from(y) / f64::from(UNIT),
        )
    }

    /// Markup of our own, in pixels.
    pub(super) fn raw(&mut self, markup: &str) {
        self.body.borrow_mut().markup.push_str(markup);
    }
}

/// As [`Ink::class`] wants it.
fn backend_color(ink: Ink) -> plotters_backend::BackendColor {
    let code = ink.code();
    plotters_backend::BackendColor {
        alpha: 1.0,
        rgb: (code.0, code.1, code.2),
    }
}

/// The class that fills with `ink`.
pub(super) fn fill_class(ink: Ink) -> String {
    format!("f{}", Ink::class(backend_color(ink)))
}

/// The class that strokes with `ink`.
pub(super) fn stroke_class(ink: Ink) -> String {
    format!("k{}", Ink::class(backend_color(ink)))
}
