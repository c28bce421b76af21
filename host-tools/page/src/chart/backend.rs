//! Where the drawing library's shapes become SVG.
//!
//! The library's own SVG backend writes fixed colours and whole pixels. This one writes classes, so that a page's style
//! colours the chart, and takes a pixel as [`UNIT`] steps, so that curves are smooth.

use std::cell::RefCell;
use std::convert::Infallible;
use std::fmt::Write;
use std::rc::Rc;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontTransform,
};

use super::ink::Ink;
use crate::markup::escape;

/// Steps of a pixel.
pub(super) const UNIT: i32 = 10;

/// Width of a character of text on average, as a share of its size.
const CHARACTER: f64 = 0.54;

/// What has been drawn.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) markup: String,
    /// Shown when the pointer rests on the next shape.
    pub(super) tip: Option<String>,
}

impl Body {
    /// Ends an element that was begun with `<name attributes`.
    fn close(&mut self, name: &str) {
        match self.tip.take() {
            Some(tip) => {
                let _ = write!(self.markup, "><title>{}</title></{name}>", escape(&tip));
            }
            None => self.markup.push_str("/>"),
        }
    }
}

/// A picture of `width` x `height` pixels under construction.
pub(super) struct Svg {
    size: (u32, u32),
    body: Rc<RefCell<Body>>,
}

impl Svg {
    pub(super) fn new(width: u32, height: u32, body: Rc<RefCell<Body>>) -> Self {
        let unit = UNIT.unsigned_abs();
        Self {
            size: (width * unit, height * unit),
            body,
        }
    }

    fn shape(&self, name: &str, class: &str, color: BackendColor, fill: bool, rest: &str) {
        if color.alpha <= 0.0 {
            self.body.borrow_mut().tip = None;
            return;
        }
        let mut body = self.body.borrow_mut();
        let _ = write!(body.markup, "<{name} class=\"{class}\"{rest}");
        if color.alpha < 1.0 {
            let what = if fill { "fill" } else { "stroke" };
            let _ = write!(body.markup, " {what}-opacity=\"{:.2}\"", color.alpha);
        }
        body.close(name);
    }
}

/// Steps as pixels.
pub(super) fn pixels(steps: i32) -> String {
    if steps % UNIT == 0 {
        (steps / UNIT).to_string()
    } else {
        format!("{:.1}", f64::from(steps) / f64::from(UNIT))
    }
}

/// Width of a line of text in pixels, near enough to leave room for it.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * CHARACTER
}

fn path(points: impl IntoIterator<Item = BackendCoord>) -> String {
    let mut out = String::new();
    let mut last = None;
    for point in points {
        if last == Some(point) {
            continue;
        }
        let command = if last.is_none() { 'M' } else { 'L' };
        let _ = write!(out, "{command}{} {}", pixels(point.0), pixels(point.1));
        last = Some(point);
    }
    out
}

fn width<S: BackendStyle>(style: &S) -> String {
    let steps = i32::try_from(style.stroke_width()).unwrap_or(UNIT);
    if steps == UNIT {
        String::new()
    } else {
        format!(" stroke-width=\"{}\"", pixels(steps))
    }
}

type Done = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for Svg {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Done {
        Ok(())
    }

    fn present(&mut self) -> Done {
        Ok(())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Done {
        let (x, y) = (pixels(point.0), pixels(point.1));
        let class = format!("f{}", Ink::class(color));
        let rest = format!(" x=\"{x}\" y=\"{y}\" width=\".1\" height=\".1\"");
        self.shape("rect", &class, color, true, &rest);
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Done {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Done {
        let color = style.color();
        let (x, y) = (
            upper_left.0.min(bottom_right.0),
            upper_left.1.min(bottom_right.1),
        );
        let mut rest = format!(
            " x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            pixels(x),
            pixels(y),
            pixels((bottom_right.0 - upper_left.0).abs()),
            pixels((bottom_right.1 - upper_left.1).abs())
        );
        let class = if fill {
            format!("f{}", Ink::class(color))
        } else {
            rest.push_str(&width(style));
            format!("l k{}", Ink::class(color))
        };
        self.shape("rect", &class, color, fill, &rest);
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Done {
        let color = style.color();
        let rest = format!(" d=\"{}\"{}", path(points), width(style));
        let class = format!("l k{}", Ink::class(color));
        self.shape("path", &class, color, false, &rest);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Done {
        let color = style.color();
        let class = format!("{}{}", if fill { "f" } else { "l k" }, Ink::class(color));
        let radius = i32::try_from(radius).unwrap_or(UNIT);
        let rest = format!(
            " cx=\"{}\" cy=\"{}\" r=\"{}\"",
            pixels(center.0),
            pixels(center.1),
            pixels(radius)
        );
        self.shape("circle", &class, color, fill, &rest);
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        points: I,
        style: &S,
    ) -> Done {
        let color = style.color();
        let class = format!("f{}", Ink::class(color));
        let rest = format!(" d=\"{}Z\"", path(points));
        self.shape("path", &class, color, true, &rest);
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &T,
        position: BackendCoord,
    ) -> Done {
        let (x, y) = (pixels(position.0), pixels(position.1));
        let anchor = match style.anchor().h_pos {
            HPos::Left => "",
            HPos::Center => " text-anchor=\"middle\"",
            HPos::Right => " text-anchor=\"end\"",
        };
        let shift = match style.anchor().v_pos {
            VPos::Top => " dy=\".8em\"",
            VPos::Center => " dy=\".35em\"",
            VPos::Bottom => " dy=\"-.2em\"",
        };
        let turn = match style.transform() {
            FontTransform::Rotate90 => format!(" transform=\"rotate(90 {x} {y})\""),
            FontTransform::Rotate180 => format!(" transform=\"rotate(180 {x} {y})\""),
            FontTransform::Rotate270 => format!(" transform=\"rotate(270 {x} {y})\""),
            FontTransform::None => String::new(),
        };
        let mut body = self.body.borrow_mut();
        let _ = write!(
            body.markup,
            "<text class=\"t f{}\" x=\"{x}\" y=\"{y}\"{anchor}{shift}{turn}>{}</text>",
            Ink::class(style.color()),
            escape(text)
        );
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        style: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((text_width(text, style.size()) as u32, style.size() as u32))
    }
}
