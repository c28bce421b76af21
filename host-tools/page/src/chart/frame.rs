//! Axes, grid and legend of a chart.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;

use plotters::chart::{ChartBuilder, LabelAreaPosition};
use plotters::drawing::DrawingArea;
use plotters::style::RGBAColor;
use plotters::style::text_anchor::{HPos, VPos};

use super::Chart;
use super::axis::{Axis, Ticks};
use super::backend::{Body, Svg, UNIT, text_width};
use super::ink::Ink;
use super::plot::{Plot, Size, TEXT, failed, fill_class, style, text_style};
use crate::PageError;
use crate::markup::escape;

const CLEAR: RGBAColor = RGBAColor(0, 0, 0, 0.0);

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
        let class = fill_class(*ink);
        let _ = write!(
            body.markup,
            "<rect class=\"{class}\" x=\"{x:.0}\" y=\"{y}\" width=\"10\" height=\"10\" rx=\"2.5\"/><text class=\"t fm\" x=\"{:.0}\" y=\"{}\">{}</text>",
            x + 15.0,
            y + 9,
            escape(name)
        );
        x += room;
    }
    (row + 1) * 17
}
