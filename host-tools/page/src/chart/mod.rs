//! Charts as SVG whose colours are those of the page.
//!
//! Scales, ticks and grids are plotters'; what it draws is written by a backend of our own as classes instead of
//! colours. Every chart has a text for those who cannot see it, and shapes tell their values when the pointer rests on them.

mod axis;
mod backend;
mod bars;
mod density;
mod frame;
mod heat;
mod ink;
mod lines;
mod plot;
mod scatter;
mod sound;
mod timeline;

pub use axis::{Axis, Ticks};
pub use bars::{Bars, Series};
pub use density::Ridge;
pub use heat::Matrix;
pub use ink::Ink;
pub use lines::{Line, Lines};
pub use plot::Size;
pub use scatter::{Group, Scatter};
pub use sound::{Envelope, Spectrogram};
pub use timeline::{Span, Timeline};

use std::fmt::Write;

use crate::markup::escape;

const STYLE: &str = concat!(
    include_str!("../shell/palette.css"),
    include_str!("../shell/chart.css")
);

/// A drawn chart.
#[derive(Clone, Debug)]
pub struct Chart {
    width: u32,
    height: u32,
    body: String,
    description: String,
}

impl Chart {
    pub(crate) fn new(width: u32, height: u32, body: String, description: String) -> Self {
        Self {
            width,
            height,
            body,
            description,
        }
    }

    /// The chart as an element of a page.
    pub(crate) fn inline(&self, title: &str) -> String {
        format!(
            "<svg viewBox=\"0 0 {} {}\" style=\"max-width:{}px\" role=\"img\" aria-label=\"{}\">{}</svg>",
            self.width,
            self.height,
            self.width * 5 / 4,
            escape(&format!("{title}. {}", self.description)),
            self.body
        )
    }

    /// The chart as a picture file of its own, light or dark as its viewer asks for, with its title on top.
    #[must_use]
    pub fn standalone(&self, title: &str) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\
             <title>{2}</title><desc>{3}</desc><style>{STYLE}</style>\
             <rect class=\"fs\" width=\"{0}\" height=\"{1}\" rx=\"10\"/>\
             <text class=\"t tb fi\" x=\"16\" y=\"24\" style=\"font-size:13px\">{2}</text><g transform=\"translate(8 34)\">",
            self.width + 16,
            self.height + 42,
            escape(title),
            escape(&self.description),
        );
        let _ = writeln!(out, "{}</g></svg>", self.body);
        out
    }

    /// Bytes of its markup.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.body.len()
    }
}
