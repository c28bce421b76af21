//! What an axis shows.

use std::ops::Range;

/// How an axis is labelled.
#[derive(Clone, Debug)]
pub enum Ticks {
    /// Round numbers.
    Numbers,
    /// Shares of 0 to 1 as percent.
    Percent,
    /// One name in the middle of each whole step, from 0 on.
    Names(Vec<String>),
    /// Nothing.
    Hidden,
}

/// An axis: its title with the unit, what it spans, and how it is labelled.
#[derive(Clone, Debug)]
pub struct Axis {
    pub(super) title: String,
    pub(super) range: Range<f64>,
    pub(super) ticks: Ticks,
    /// Values that are called something else.
    named: Vec<(f64, String)>,
}

impl Axis {
    /// An axis with round numbers.
    #[must_use]
    pub fn numbers(title: &str, range: Range<f64>) -> Self {
        Self::new(title, range, Ticks::Numbers)
    }

    /// An axis of shares, shown as percent.
    #[must_use]
    pub fn percent(title: &str, range: Range<f64>) -> Self {
        Self::new(title, range, Ticks::Percent)
    }

    /// One step for each name.
    #[must_use]
    pub fn names(title: &str, names: Vec<String>) -> Self {
        let end = names.len().max(1) as f64;
        Self::new(title, 0.0..end, Ticks::Names(names))
    }

    /// An axis without labels.
    #[must_use]
    pub fn hidden(range: Range<f64>) -> Self {
        Self::new("", range, Ticks::Hidden)
    }

    /// A range that is empty or no number becomes one that can be drawn.
    fn new(title: &str, range: Range<f64>, ticks: Ticks) -> Self {
        let start = if range.start.is_finite() {
            range.start
        } else {
            0.0
        };
        let end = if range.end.is_finite() && range.end > start {
            range.end
        } else {
            start + 1.0
        };
        Self {
            title: title.to_owned(),
            range: start..end,
            ticks,
            named: Vec::new(),
        }
    }

    /// The same, with the tick at `value`, where there is one, called `name`.
    #[must_use]
    pub fn named(mut self, value: f64, name: &str) -> Self {
        self.named.push((value, name.to_owned()));
        self
    }

    /// The text of a tick.
    pub(super) fn label(&self, value: f64) -> String {
        let span = self.range.end - self.range.start;
        let named = self.named.iter();
        if let Some((_, name)) = named
            .clone()
            .find(|own| (own.0 - value).abs() < 1e-6 * span)
        {
            return name.clone();
        }
        let (value, span, unit) = match self.ticks {
            Ticks::Percent => (100.0 * value, 100.0 * span, " %"),
            _ => (value, span, ""),
        };
        let decimals = match span {
            s if s >= 8.0 => 0,
            s if s >= 0.8 => 1,
            s if s >= 0.08 => 2,
            _ => 3,
        };
        let whole = (value - value.round()).abs() < 1e-9 * span.max(1.0);
        let text = if whole && span >= 2.0 {
            thousands(value.round())
        } else {
            format!("{value:.decimals$}")
        };
        // Rounding must not leave a zero with a sign.
        let text = if text
            .trim_start_matches('-')
            .chars()
            .all(|c| matches!(c, '0' | '.'))
        {
            text.trim_start_matches('-').to_owned()
        } else {
            text.replace('-', "−")
        };
        format!("{text}{unit}")
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len() > 4 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if value < 0.0 { format!("-{out}") } else { out }
}

/// A range that holds all finite values with a little room, or 0 to 1 without any.
pub(super) fn around(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values.filter(|value| value.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    if low > high {
        return 0.0..1.0;
    }
    let room = ((high - low) * 0.05).max(1e-6);
    low - room..high + room
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_the_decimals_that_their_span_needs() {
        assert_eq!(Axis::numbers("", 0.0..100.0).label(40.0), "40");
        assert_eq!(Axis::numbers("", 0.0..1.0).label(0.2), "0.2");
        assert_eq!(Axis::numbers("", 0.0..0.1).label(0.02), "0.02");
        assert_eq!(Axis::numbers("", 0.0..20_000.0).label(12_000.0), "12,000");
        assert_eq!(Axis::numbers("", -1.0..1.0).label(-0.0), "0");
        assert_eq!(Axis::numbers("", -60.0..0.0).label(-20.0), "−20");
        assert_eq!(Axis::percent("", 0.0..1.0).label(0.25), "25 %");
    }

    #[test]
    fn a_tick_with_a_name_of_its_own_shows_that_and_the_others_their_numbers() {
        let axis = Axis::numbers("", -1.0..26.0).named(25.0, "no noise");
        assert_eq!(
            [20.0, 25.0].map(|value| axis.label(value)),
            ["20", "no noise"]
        );
    }

    #[test]
    fn a_range_that_cannot_be_drawn_becomes_one_that_can() {
        for range in [0.0..0.0, f64::NAN..1.0, 0.0..f64::INFINITY, 5.0..-5.0] {
            let axis = Axis::numbers("", range);
            assert!(axis.range.end > axis.range.start, "{axis:?}");
        }
        assert_eq!(around([f64::NAN].into_iter()), 0.0..1.0);
    }
}
