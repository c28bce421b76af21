//! Axes, grid and legend of a chart, and drawing into it.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingArea;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, RGBAColor, ShapeStyle, TextStyle};

use super::Chart;
use super::axis::{Axis, Ticks};
use super::backend::{Body, Svg, UNIT, text_width};
use super::ink::Ink;
use crate::PageError;
use crate::markup::escape;

/// Size of text, in pixels.
const TEXT: i32 = 11;

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

/// A chart with axes, to draw into in the units of its axes.
pub(super) struct Plot<'a> {
    context: ChartContext<'a, Svg, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    root: &'a DrawingArea<Svg, Shift>,
    body: Rc<RefCell<Body>>,
}

fn style(ink: Ink, alpha: f64, width: f64, filled: bool) -> ShapeStyle {
    ShapeStyle {
        color: ink.code().mix(alpha),
        filled,
        stroke_width: (width * f64::from(UNIT)) as u32,
    }
}

fn text_style(ink: Ink, h: HPos, v: VPos) -> TextStyle<'static> {
    ("sans-serif", TEXT * UNIT)
        .into_font()
        .color(&ink.code())
        .pos(Pos::new(h, v))
}

const CLEAR: RGBAColor = RGBAColor(0, 0, 0, 0.0);

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

/// Entries of a legend: names and what they are painted with.
pub(super) type Legend = Vec<(String, Ink)>;

/// Draws axes and legend, and lets `paint` draw into them.
pub(super) fn draw(
    size: Size,
    x: &Axis,
    y: &Axis,
    legend: &Legend,
    description: String,
    paint: impl FnOnce(&mut Plot<'_>) -> Result<(), PageError>,
) -> Result<Chart, PageError> {
    let body = Rc::new(RefCell::new(Body::default()));
    let legend_height = legend_rows(legend, size.width, &body);
    {
        let root = DrawingArea::from(Svg::new(size.width, size.height, Rc::clone(&body)));
        let left = left_room(y, size);
        let context = ChartBuilder::on(&root)
            .margin_top((legend_height + 8) * UNIT)
            .margin_right(14 * UNIT)
            .margin_bottom(2 * UNIT)
            .set_label_area_size(LabelAreaPosition::Left, left * UNIT)
            .set_label_area_size(LabelAreaPosition::Bottom, bottom_room(x) * UNIT)
            .build_cartesian_2d(x.range.clone(), y.range.clone())
            .map_err(failed)?;
        let mut plot = Plot {
            context,
            root: &root,
            body: Rc::clone(&body),
        };
        grid(&mut plot, x, y, size, left)?;
        paint(&mut plot)?;
        root.present().map_err(failed)?;
    }
    let markup = std::mem::take(&mut body.borrow_mut().markup);
    Ok(Chart::new(size.width, size.height, markup, description))
}

fn grid(plot: &mut Plot<'_>, x: &Axis, y: &Axis, size: Size, left: i32) -> Result<(), PageError> {
    let numbers = |axis: &Axis| matches!(axis.ticks, Ticks::Numbers | Ticks::Percent);
    let rows = (size.height / 32).clamp(3, 8) as usize;
    let columns = (size.width / 70).clamp(3, 10) as usize;
    {
        let (x_label, y_label) = (|v: &f64| x.label(*v), |v: &f64| y.label(*v));
        let mut mesh = plot.context.configure_mesh();
        mesh.axis_style(CLEAR)
            .bold_line_style(style(Ink::Grid, 1.0, 1.0, false))
            .light_line_style(CLEAR)
            .label_style(text_style(Ink::Muted, HPos::Left, VPos::Top))
            .axis_desc_style(text_style(Ink::Muted, HPos::Left, VPos::Top))
            .set_all_tick_mark_size(3 * UNIT)
            .x_labels(if numbers(x) { columns } else { 0 })
            .y_labels(if numbers(y) { rows } else { 0 })
            .x_label_formatter(&x_label)
            .y_label_formatter(&y_label)
            .disable_x_mesh();
        if !numbers(y) {
            mesh.disable_y_mesh();
        }
        mesh.draw().map_err(failed)?;
    }
    let (x0, x1, y0, y1) = (x.range.start, x.range.end, y.range.start, y.range.end);
    if let Ticks::Names(names) = &x.ticks {
        let room = (plot.at((1.0, y0)).0 - plot.at((0.0, y0)).0).abs();
        let longest = names
            .iter()
            .map(|name| text_width(name, f64::from(TEXT)))
            .fold(0.0, f64::max);
        // Names are short words, whose letters are narrower than the average that leaves room.
        let every = ((longest * 0.92 + 2.0) / room.max(1.0)).ceil().max(1.0) as usize;
        for (index, name) in names.iter().enumerate().step_by(every) {
            let at = (index as f64 + 0.5, y0);
            plot.text(name, at, (0, 6), Ink::Muted, HPos::Center, VPos::Top)?;
        }
    }
    if let Ticks::Names(names) = &y.ticks {
        for (index, name) in names.iter().enumerate() {
            let at = (x0, index as f64 + 0.5);
            plot.text(
                &short(name),
                at,
                (-7, 0),
                Ink::Muted,
                HPos::Right,
                VPos::Center,
            )?;
        }
    }
    if !x.title.is_empty() {
        let at = ((x0 + x1) / 2.0, y0);
        let below = bottom_room(x) - 14;
        plot.text(
            &x.title,
            at,
            (0, below),
            Ink::Muted,
            HPos::Center,
            VPos::Top,
        )?;
    }
    if !y.title.is_empty() {
        let (_, middle) = plot.at((x0, (y0 + y1) / 2.0));
        let (edge, _) = plot.at((x0, y0));
        let across = edge - f64::from(left) + 12.0;
        plot.raw(&format!(
            "<text class=\"t fm\" text-anchor=\"middle\" transform=\"translate({across:.1} {middle:.1}) rotate(-90)\">{}</text>",
            escape(&y.title)
        ));
    }
    if !matches!(x.ticks, Ticks::Hidden) {
        let base = y0.max(0.0).min(y1);
        let (a, b) = (plot.at((x0, base)), plot.at((x1, base)));
        plot.raw(&format!(
            "<path class=\"l km\" stroke-opacity=\".6\" d=\"M{:.1} {:.1}H{:.1}\"/>",
            a.0, a.1, b.0
        ));
    }
    Ok(())
}

/// Names on the left must not take more than a third of the chart.
fn short(name: &str) -> String {
    const MOST: usize = 24;
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    let start: String = name.chars().take(MOST - 1).collect();
    format!("{start}…")
}

fn left_room(y: &Axis, size: Size) -> i32 {
    let text = |text: &str| text_width(text, f64::from(TEXT));
    let labels = match &y.ticks {
        Ticks::Hidden => 0.0,
        Ticks::Names(names) => {
            names
                .iter()
                .map(|name| text(&short(name)))
                .fold(0.0, f64::max)
                + 10.0
        }
        Ticks::Numbers | Ticks::Percent => {
            let labels = [
                y.range.start,
                y.range.end,
                (y.range.start + y.range.end) / 2.0,
            ]
            .map(|v| text(&y.label(v)));
            labels.into_iter().fold(18.0, f64::max) + 10.0
        }
    };
    let title = if y.title.is_empty() { 4.0 } else { 18.0 };
    (labels + title).min(f64::from(size.width) / 2.2) as i32
}

fn bottom_room(x: &Axis) -> i32 {
    let labels = if matches!(x.ticks, Ticks::Hidden) {
        4
    } else {
        22
    };
    labels + if x.title.is_empty() { 0 } else { 17 }
}

/// Writes the legend in as many rows as it takes, and gives their height.
fn legend_rows(legend: &Legend, width: u32, body: &Rc<RefCell<Body>>) -> i32 {
    if legend.is_empty() {
        return 0;
    }
    let (mut x, mut row) = (4.0, 0);
    let mut body = body.borrow_mut();
    for (name, ink) in legend {
        let room = text_width(name, f64::from(TEXT)) + 30.0;
        if x + room > f64::from(width) && x > 4.0 {
            (x, row) = (4.0, row + 1);
        }
        let y = 2 + row * 17;
        let class = Ink::class(backend_color(*ink));
        let _ = write!(
            body.markup,
            "<rect class=\"f{class}\" x=\"{x:.0}\" y=\"{y}\" width=\"10\" height=\"10\" rx=\"2.5\"/><text class=\"t fm\" x=\"{:.0}\" y=\"{}\">{}</text>",
            x + 15.0,
            y + 9,
            escape(name)
        );
        x += room;
    }
    (row + 1) * 17
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
