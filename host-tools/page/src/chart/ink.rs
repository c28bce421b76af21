//! Colours by name; what they look like is for the page's style to say.

use plotters::style::RGBColor;
use plotters_backend::BackendColor;

/// What a shape is painted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// One of twelve colours that can be told apart; a larger number begins anew.
    Series(u8),
    /// Text and whatever stands out.
    Text,
    /// Labels of axes.
    Muted,
    /// Grid lines.
    Grid,
    /// What charts lie on.
    Surface,
    /// The one colour of charts that need no other.
    Accent,
    /// An answer that is none.
    Unknown,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

impl Ink {
    /// The colour by which the drawing library carries this ink to the backend: a code in red and green.
    pub(super) const fn code(self) -> RGBColor {
        match self {
            Self::Series(n) => RGBColor(1, n % 12, 0),
            Self::Text => RGBColor(2, 0, 0),
            Self::Muted => RGBColor(3, 0, 0),
            Self::Grid => RGBColor(4, 0, 0),
            Self::Surface => RGBColor(5, 0, 0),
            Self::Accent => RGBColor(6, 0, 0),
            Self::Unknown => RGBColor(7, 0, 0),
            Self::Good => RGBColor(8, 0, 0),
            Self::Bad => RGBColor(9, 0, 0),
        }
    }

    /// Ending of the classes that paint with a carried colour: `f` before it fills, `k` strokes.
    pub(super) fn class(color: BackendColor) -> &'static str {
        const SERIES: [&str; 12] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"];
        match color.rgb {
            (1, n, _) => SERIES[usize::from(n) % SERIES.len()],
            (3, ..) => "m",
            (4, ..) => "g",
            (5, ..) => "s",
            (6, ..) => "a",
            (7, ..) => "u",
            (8, ..) => "good",
            (9, ..) => "bad",
            _ => "i",
        }
    }
}
