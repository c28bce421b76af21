//! The waveform and the level of a recording's channels, for its page.

use undertone_decode::{Limits, Reader};
use undertone_dsp::dbfs;
use undertone_page::chart::Envelope;

use super::inputs::Input;

/// Seconds of one part of a trace, at least.
const PART: f64 = 0.01;
/// Most parts of a trace: beyond 2.8 hours they are longer.
const PARTS: f64 = 1e6;

/// Of one channel: least and greatest sample and power of every part of it.
#[derive(Debug)]
pub(super) struct Trace {
    /// Seconds of a part.
    part: f64,
    parts: Vec<(f32, f32)>,
    power: Vec<f64>,
}

/// Which samples of a frame make a channel.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    /// Their mean.
    Mix,
    /// The one of this number.
    Channel(usize),
}

impl Trace {
    fn new(part: f64) -> Self {
        Self {
            part,
            parts: Vec::new(),
            power: Vec::new(),
        }
    }

    /// Reads a recording once and gives a trace of each source, up to `seconds`. No sound of other channels is looked at.
    pub(super) fn read(
        input: &Input,
        sources: &[Source],
        seconds: f64,
    ) -> Result<Vec<Self>, String> {
        let limits = Limits {
            max_seconds: f64::INFINITY,
            ..Limits::default()
        };
        let mut reader = Reader::open(&input.path, &limits).map_err(|error| error.to_string())?;
        let width = reader.channels().max(1);
        let rate = f64::from(reader.sample_rate().max(1));
        let part = ((rate * PART.max(seconds / PARTS)) as usize).max(1);
        let length = part as f64 / rate;
        let most = (seconds / length).ceil() as usize;
        let mut traces: Vec<Self> = sources.iter().map(|_| Self::new(length)).collect();
        let mut filled = 0;
        // A recording that is damaged further on has been heard up to there.
        while let Ok(Some(block)) = reader.next_block() {
            for frame in block.chunks_exact(width) {
                if traces.first().is_some_and(|trace| trace.parts.len() > most) {
                    return Ok(traces);
                }
                for (trace, source) in traces.iter_mut().zip(sources) {
                    let sample = match source {
                        Source::Mix => frame.iter().sum::<f32>() / width as f32,
                        Source::Channel(number) => frame.get(*number).copied().unwrap_or(0.0),
                    };
                    trace.take(sample, filled == 0, part);
                }
                filled = (filled + 1) % part;
            }
        }
        Ok(traces)
    }

    fn take(&mut self, sample: f32, first: bool, part: usize) {
        let sample = if sample.is_finite() { sample } else { 0.0 };
        if first {
            self.parts.push((sample, sample));
            self.power.push(0.0);
        }
        if let (Some(range), Some(power)) = (self.parts.last_mut(), self.power.last_mut()) {
            *range = (range.0.min(sample), range.1.max(sample));
            *power += f64::from(sample).powi(2) / part as f64;
        }
    }

    /// The waveform from one second to another, in at most `columns` parts, scaled so that the loudest sample of the trace
    /// is 1.
    pub(super) fn envelope(&self, from: f64, to: f64, columns: usize) -> Envelope {
        let parts = self.parts.get(self.range(from, to)).unwrap_or_default();
        let length = parts.len().div_ceil(columns.max(1)).max(1);
        let peaks = self.parts.iter();
        let peak = peaks.fold(0.0f32, |peak, part| peak.max(-part.0).max(part.1));
        // What is as good as silent stays a line.
        let scale = if peak > 1e-3 { 1.0 / peak } else { 1.0 };
        let joined = parts.chunks(length).map(|parts| {
            let join = |a: (f32, f32), b: &(f32, f32)| (a.0.min(b.0), a.1.max(b.1));
            let (low, high) = parts.iter().fold((f32::INFINITY, f32::NEG_INFINITY), join);
            (
                (scale * low).clamp(-1.0, 1.0),
                (scale * high).clamp(-1.0, 1.0),
            )
        });
        Envelope {
            seconds: parts.len() as f64 * self.part,
            parts: joined.collect(),
        }
    }

    /// Second and level in dBFS, in at most `columns` points.
    pub(super) fn level(&self, from: f64, to: f64, columns: usize) -> Vec<(f64, f64)> {
        let range = self.range(from, to);
        let start = range.start as f64 * self.part;
        let power = self.power.get(range).unwrap_or_default();
        // Below a tenth of a second a level flickers with the pitch.
        let least = (0.1 / self.part).round().max(1.0) as usize;
        let length = power.len().div_ceil(columns.max(1)).max(least);
        power
            .chunks(length)
            .enumerate()
            .map(|(index, power)| {
                let mean = power.iter().sum::<f64>() / power.len() as f64;
                let time = start + ((index * length) as f64 + power.len() as f64 / 2.0) * self.part;
                (time, f64::from(dbfs(mean.sqrt() as f32)))
            })
            .collect()
    }

    fn range(&self, from: f64, to: f64) -> std::ops::Range<usize> {
        let at = |seconds: f64| ((seconds / self.part).round() as usize).min(self.parts.len());
        at(from)..at(to).max(at(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_keeps_every_peak_and_the_level_of_each_stretch() {
        let mut trace = Trace::new(0.01);
        for index in 0..16_000usize {
            let sample = if index < 8_000 { 0.5 } else { 0.05 };
            let sample = if index == 12_345 { -0.9 } else { sample };
            trace.take(sample, index % 160 == 0, 160);
        }
        let wave = trace.envelope(0.0, 1.0, 20);
        assert_eq!((wave.parts.len(), wave.parts[15].0), (20, -1.0));
        assert!((wave.parts[0].1 - 0.5 / 0.9).abs() < 1e-6);
        let level = trace.level(0.0, 1.0, 100);
        assert_eq!(level.len(), 10);
        assert!((level[2].1 + 6.02).abs() < 0.01 && (level[6].1 + 26.02).abs() < 0.01);
        assert!(trace.envelope(5.0, 9.0, 20).parts.is_empty());
    }
}
