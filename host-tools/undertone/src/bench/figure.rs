//! Measured figures.

use std::fmt::Write;

use anyhow::Result;
use serde::Serialize;

use crate::clock;

/// One measured figure: the median of repeats, and how far they spread.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figure {
    /// Its name for scripts.
    pub(super) id: String,
    /// What was measured, for people.
    pub(super) what: String,
    /// Of all three values.
    pub(super) unit: &'static str,
    pub(super) median: f64,
    pub(super) lowest: f64,
    pub(super) highest: f64,
    pub(super) repeats: usize,
}

impl Figure {
    /// Of several values; at least one.
    pub(super) fn of(
        id: impl Into<String>,
        what: impl Into<String>,
        unit: &'static str,
        values: &[f64],
    ) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Figure {
            id: id.into(),
            what: what.into(),
            unit,
            median: middle(&sorted),
            lowest: sorted.first().copied().unwrap_or(f64::NAN),
            highest: sorted.last().copied().unwrap_or(f64::NAN),
            repeats: values.len(),
        }
    }

    /// Of a single value.
    pub(super) fn one(
        id: impl Into<String>,
        what: impl Into<String>,
        unit: &'static str,
        value: f64,
    ) -> Self {
        Self::of(id, what, unit, &[value])
    }
}

fn middle(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    match (sorted.get(low), sorted.get(high)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => f64::NAN,
    }
}

/// CPU seconds of `repeats` runs on this thread, after one that is not counted.
pub(super) fn cpu_times(repeats: usize, mut run: impl FnMut() -> Result<()>) -> Result<Vec<f64>> {
    run()?;
    (0..repeats.max(1)).map(|_| cpu_time(&mut run)).collect()
}

/// CPU seconds of one run on this thread.
pub(super) fn cpu_time(run: impl FnOnce() -> Result<()>) -> Result<f64> {
    let before = clock::thread_cpu();
    run()?;
    Ok(clock::thread_cpu() - before)
}

/// Values in another unit.
pub(super) fn scaled(values: &[f64], by: f64) -> Vec<f64> {
    values.iter().map(|value| value * by).collect()
}

/// The figures, one per line, aligned.
pub(super) fn table(figures: &[Figure]) -> String {
    let width = figures
        .iter()
        .map(|figure| figure.what.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for figure in figures {
        let (what, median, unit) = (&figure.what, digits(figure.median), figure.unit);
        // Writing to a string cannot fail.
        let _ = write!(text, "{what:<width$}  {median:>9} {unit}");
        if figure.repeats > 1 {
            let _ = write!(
                text,
                "  ({} to {}, {} times)",
                digits(figure.lowest),
                digits(figure.highest),
                figure.repeats
            );
        }
        text.push('\n');
    }
    text
}

/// Three or so digits that mean something.
fn digits(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_of_values_lies_between_two_of_them() {
        let figure = Figure::of("a", "an a", "ms", &[4.0, 1.0, 2.0, 100.0]);
        assert_eq!(
            (figure.median, figure.lowest, figure.highest),
            (3.0, 1.0, 100.0)
        );
        assert_eq!(Figure::one("b", "a b", "ms", 7.0).median, 7.0);
    }

    #[test]
    fn work_takes_cpu_time_and_sleep_does_not() {
        let mut sum = 0u64;
        let worked = cpu_time(|| {
            let until = std::time::Instant::now() + std::time::Duration::from_millis(30);
            while std::time::Instant::now() < until {
                sum = sum.wrapping_mul(31).wrapping_add(1);
            }
            Ok(())
        });
        let slept = cpu_time(|| {
            std::thread::sleep(std::time::Duration::from_millis(200));
            Ok(())
        });
        assert!(worked.unwrap() > 0.0 && slept.unwrap() < 0.1, "{sum}");
    }

    #[test]
    fn a_table_shows_the_spread_of_what_was_repeated() {
        let text = table(&[
            Figure::of("a", "short", "ms", &[1.0, 2.0, 3.0]),
            Figure::one("b", "a longer one", "MB", 123.4),
        ]);
        assert_eq!(
            text,
            "short              2.00 ms  (1.00 to 3.00, 3 times)\na longer one        123 MB\n"
        );
    }
}
