//! Sound over time: waveforms and spectrograms.

use std::fmt::Write;

use super::Chart;
use super::axis::Axis;
use super::frame::draw;
use super::ink::Ink;
use super::plot::{Size, fill_class};
use crate::PageError;
use crate::media::{heat_png, magma};

/// A waveform as the least and greatest sample of each of `columns` equal parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Seconds that it spans.
    pub seconds: f64,
    /// Least and greatest sample of each part, full scale ±1.
    pub parts: Vec<(f32, f32)>,
}

impl Envelope {
    /// The envelope of mono samples at `rate` Hz.
    #[must_use]
    pub fn of(samples: &[f32], rate: u32, columns: usize) -> Self {
        let length = samples.len().div_ceil(columns.max(1)).max(1);
        let parts = samples
            .chunks(length)
            .map(|part| {
                let least = part.iter().copied().fold(f32::INFINITY, f32::min);
                let most = part.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                (least.clamp(-1.0, 1.0), most.clamp(-1.0, 1.0))
            })
            .collect();
        Self {
            seconds: samples.len() as f64 / f64::from(rate.max(1)),
            parts,
        }
    }

    /// Draws it. The vertical axis is full scale, or the waveform's own with `fit`.
    ///
    /// # Errors
    /// [`PageError::Chart`].
    pub fn draw(&self, size: Size, ink: Ink, fit: bool) -> Result<Chart, PageError> {
        let peak = self
            .parts
            .iter()
            .fold(0.0f32, |peak, (a, b)| peak.max(a.abs()).max(b.abs()));
        let top = if fit {
            f64::from(peak).max(0.01) * 1.05
        } else {
            1.0
        };
        let x = Axis::numbers("", 0.0..self.seconds);
        let y = Axis::numbers("full scale", -top..top);
        let description = format!(
            "Waveform of {:.2} s, peak {peak:.2} of full scale.",
            self.seconds
        );
        draw(size, &x, &y, &Vec::new(), description, |plot| {
            let path = outline(&self.parts, self.seconds, |point| plot.at(point));
            plot.raw(&format!(
                "<path class=\"{}\" d=\"{path}\"/>",
                fill_class(ink)
            ));
            Ok(())
        })
    }
}

/// The closed path around an envelope that begins at 0 s, by a function from seconds and samples to pixels.
pub(super) fn outline(
    parts: &[(f32, f32)],
    seconds: f64,
    at: impl Fn((f64, f64)) -> (f64, f64),
) -> String {
    let mut path = String::new();
    let time = |index: usize| seconds * (index as f64 + 0.5) / parts.len().max(1) as f64;
    let upper = parts
        .iter()
        .enumerate()
        .map(|(i, part)| (time(i), f64::from(part.1)));
    let lower = parts
        .iter()
        .enumerate()
        .rev()
        .map(|(i, part)| (time(i), f64::from(part.0)));
    for (index, point) in upper.chain(lower).enumerate() {
        let (x, y) = at(point);
        // At least a hairline, where both ends fall together.
        let y = if index < parts.len() {
            y - 0.3
        } else {
            y + 0.3
        };
        let _ = write!(path, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
    }
    path.push('Z');
    path
}

/// A spectrogram: level in dB over time and frequency.
#[derive(Clone, Debug)]
pub struct Spectrogram {
    /// Seconds that it spans.
    pub seconds: f64,
    /// Frequency of the uppermost row in Hz; the lowest is at 0.
    pub top_hz: f64,
    /// Levels in dB, the highest frequency first.
    pub rows: Vec<Vec<f32>>,
    /// Levels at which the colours begin and end, in dB.
    pub range_db: (f32, f32),
}

impl Spectrogram {
    /// Draws it with a scale of its colours.
    ///
    /// # Errors
    /// [`PageError`] if it is empty or its rows are uneven.
    pub fn draw(&self, size: Size) -> Result<Chart, PageError> {
        let (low, high) = self.range_db;
        let span = (high - low).max(1e-3);
        let shares: Vec<Vec<f32>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|db| (db - low) / span).collect())
            .collect();
        let picture = heat_png(&shares)?;
        let x = Axis::numbers("time in s", 0.0..self.seconds);
        let y = Axis::numbers("kHz", 0.0..self.top_hz / 1000.0);
        let description = format!(
            "Spectrogram of {:.2} s, 0 to {:.0} Hz, {low:.0} to {high:.0} dB.",
            self.seconds, self.top_hz
        );
        let inner = Size {
            width: size.width - 46,
            height: size.height,
        };
        let mut chart = draw(inner, &x, &y, &Vec::new(), description, |plot| {
            let (left, top) = plot.at((0.0, self.top_hz / 1000.0));
            let (right, bottom) = plot.at((self.seconds, 0.0));
            plot.raw(&format!(
                "<image x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" preserveAspectRatio=\"none\" href=\"{picture}\"/>",
                right - left,
                bottom - top
            ));
            plot.raw(&scale(right + 10.0, top, bottom, low, high));
            Ok(())
        })?;
        chart.width = size.width;
        Ok(chart)
    }
}

/// The colour scale.
fn scale(x: f64, top: f64, bottom: f64, low: f32, high: f32) -> String {
    const STEPS: usize = 24;
    let mut out = String::new();
    let height = (bottom - top) / STEPS as f64;
    for step in 0..STEPS {
        let [r, g, b] = magma(1.0 - step as f32 / (STEPS - 1) as f32);
        let _ = write!(
            out,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"8\" height=\"{:.1}\" fill=\"#{r:02x}{g:02x}{b:02x}\"/>",
            top + height * step as f64,
            height + 0.4
        );
    }
    for (y, db) in [(top + 8.0, high), (bottom, low)] {
        let text = format!("{db:.0}").replace('-', "−");
        let _ = write!(
            out,
            "<text class=\"t fm\" x=\"{:.1}\" y=\"{y:.1}\">{text}</text>",
            x + 12.0
        );
    }
    let _ = write!(
        out,
        "<text class=\"t fm\" x=\"{:.1}\" y=\"{:.1}\">dB</text>",
        x + 12.0,
        (top + bottom) / 2.0
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_keeps_every_peak() {
        let mut samples = vec![0.0; 1000];
        samples[777] = 0.9;
        samples[3] = -0.5;
        let envelope = Envelope::of(&samples, 1000, 50);
        assert_eq!(envelope.parts.len(), 50);
        assert_eq!(envelope.parts[38], (0.0, 0.9));
        assert_eq!(envelope.parts[0], (-0.5, 0.0));
        assert!((envelope.seconds - 1.0).abs() < 1e-9);
        assert!(envelope.draw(Size::SMALL, Ink::Accent, true).is_ok());
        assert!(
            Envelope::of(&[], 1000, 50)
                .draw(Size::SMALL, Ink::Accent, true)
                .is_ok()
        );
    }
}
