//! Speech without pauses to measure on, as long as is wanted.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use undertone_analysis::{Analyser, AnalysisSettings, Channels, Format, Told, analyser};
use undertone_decode::{Limits, read_bytes, read_file};
use undertone_dsp::resample;
use undertone_events::{EndReason, EventKind, SegmenterConfig, TrackerConfig};
use undertone_model::{Model, Stream};

/// Synthetic speech that the project made itself.
const EMBEDDED: &[u8] = include_bytes!("../../../../models/demo/speech.wav");
/// What is left out at both ends of an utterance: there the daemon adds up to 300 ms of what is before and after speech.
const EDGE_SECONDS: f64 = 0.3;

/// The utterances of a recording, one after the other, without what is between them.
pub(super) struct Speech {
    name: String,
    samples: Vec<f32>,
    /// In Hz, the model's.
    pub(super) rate: u32,
}

impl Speech {
    /// Of a recording, or of the one inside this program.
    ///
    /// # Errors
    /// A recording that cannot be read, or without speech.
    pub(super) fn of(path: Option<&Path>, model: &Model) -> Result<Self> {
        let (name, audio) = match path {
            Some(path) => (
                path.display().to_string(),
                read_file(path, &Limits::default())?,
            ),
            None => (
                "embedded synthetic speech".into(),
                read_bytes("embedded", EMBEDDED, &Limits::default())?,
            ),
        };
        let rate = model.metadata().frontend.sample_rate;
        let whole = resample(audio.mono(), audio.sample_rate, rate)?;
        let spans = utterances(model, &whole)?;
        let edge = (EDGE_SECONDS * f64::from(rate)) as usize;
        let mut samples = Vec::new();
        for (start, end) in spans {
            samples.extend_from_slice(
                whole
                    .get(start + edge..end.saturating_sub(edge))
                    .unwrap_or_default(),
            );
        }
        ensure!(
            samples.len() >= rate as usize,
            "{name}: holds less than a second of speech; name a recording with more"
        );
        Ok(Speech {
            name,
            samples,
            rate,
        })
    }

    pub(super) fn describe(&self) -> String {
        let seconds = self.samples.len() as f64 / f64::from(self.rate);
        format!(
            "{}: {seconds:.1} s of speech without pauses, repeated, {} Hz",
            self.name, self.rate
        )
    }

    /// Samples before it repeats; at least one second.
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    /// So many seconds.
    pub(super) fn seconds(&self, seconds: usize) -> Vec<f32> {
        self.samples
            .iter()
            .copied()
            .cycle()
            .take(seconds * self.rate as usize)
            .collect()
    }

    /// The next `block.len()` samples from `at` on, which moves on.
    pub(super) fn fill(&self, at: &mut usize, block: &mut [f32]) {
        for sample in block {
            *sample = self.samples.get(*at).copied().unwrap_or(0.0);
            *at = (*at + 1) % self.samples.len().max(1);
        }
    }
}

/// What the daemon would make of a mono source.
pub(super) fn settings(rate: u32) -> AnalysisSettings {
    AnalysisSettings {
        format: Format { rate, channels: 1 },
        channels: Channels::Mix,
        segments: SegmenterConfig::default(),
        events: TrackerConfig::default(),
        level_interval_ms: None,
        block_frames: 1024,
    }
}

fn utterances(model: &Model, samples: &[f32]) -> Result<Vec<(usize, usize)>> {
    let mut spans = Vec::new();
    let mut tell = |_, told| {
        if let Told::Event(event) = told
            && event.kind == EventKind::End
        {
            spans.push((event.start_sample as usize, event.at_sample as usize));
        }
    };
    let mut analyser: Analyser<Stream> =
        analyser(model, &settings(model.metadata().frontend.sample_rate))?;
    analyser.push(samples, &mut tell)?;
    analyser
        .close(EndReason::Shutdown, &mut tell)
        .context("the model failed")?;
    Ok(spans)
}
