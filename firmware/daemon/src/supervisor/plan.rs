//! How sources are analysed; what a reload exchanges as a whole.

use std::sync::Arc;
use std::time::Instant;

use undertone_analysis::{
    Analyser, AnalysisError, AnalysisSettings, Channels, Format, Scorer, ScorerError, analyser_with,
};
use undertone_events::{SegmenterConfig, TrackerConfig};
use undertone_model::{Model, Stream};

use crate::config::{ConfigError, Settings};
use crate::health::{Counter, Timings};

/// Frames that analysis takes at once, at most.
pub(super) const BLOCK: usize = 1024;

/// The model and the settings of an analysis.
#[derive(Clone)]
pub struct Plan {
    pub(super) model: Arc<Model>,
    segments: SegmenterConfig,
    events: TrackerConfig,
    /// Labels by their place in the model's order, with a threshold other than the model's.
    thresholds: Arc<[(usize, f32)]>,
    level_interval_ms: u32,
    timings: Timings,
    answers: Counter,
}

impl Plan {
    /// As configured; answers of the network are timed and counted.
    ///
    /// # Errors
    /// A threshold for a label that the model does not have.
    pub(super) fn new(
        model: Arc<Model>,
        settings: &Settings,
        timings: Timings,
        answers: Counter,
    ) -> Result<Self, ConfigError> {
        let thresholds = settings.thresholds.resolve(&model.metadata().labels)?;
        Ok(Plan {
            model,
            segments: settings.segments,
            events: settings.events,
            thresholds: thresholds.into(),
            level_interval_ms: settings.output.level_interval_ms,
            timings,
            answers,
        })
    }

    /// An analyser for one source.
    pub(super) fn analyser(
        &self,
        format: Format,
        channels: Channels,
    ) -> Result<Analyser<Timed>, AnalysisError> {
        let settings = AnalysisSettings {
            format,
            channels,
            segments: self.segments,
            events: self.events,
            level_interval_ms: Some(self.level_interval_ms),
            block_frames: BLOCK,
        };
        let mut analyser = analyser_with(&self.model, &settings, |stream| Timed {
            stream,
            spent: std::time::Duration::ZERO,
            timings: self.timings.clone(),
            answers: self.answers.clone(),
        })?;
        for (label, value) in self.thresholds.iter() {
            analyser.set_threshold(Some(*label), *value);
        }
        Ok(analyser)
    }

    /// Runs the model once over made-up frames, so that the first utterance does not wait for memory.
    pub(super) fn warm(&self) -> Result<(), ScorerError> {
        let about = self.model.metadata();
        let frame = vec![-60.0; about.frontend.rows(&about.features)];
        let failed = |error: undertone_model::ModelError| ScorerError(error.to_string());
        let mut stream = self.model.stream().map_err(failed)?;
        for _ in 0..about.update_hop.max(1) {
            Stream::push(&mut stream, &frame).map_err(failed)?;
        }
        let mut scores = vec![0.0; about.labels.len()];
        Stream::probabilities(&mut stream, &mut scores).map_err(failed)?;
        Ok(())
    }
}

/// A stream of the model whose answers are timed: all that was spent since the answer before.
pub(super) struct Timed {
    stream: Stream,
    spent: std::time::Duration,
    timings: Timings,
    answers: Counter,
}

impl Scorer for Timed {
    fn push(&mut self, frame: &[f32]) -> Result<(), ScorerError> {
        let begun = Instant::now();
        let outcome = Scorer::push(&mut self.stream, frame);
        self.spent += begun.elapsed();
        outcome
    }

    fn probabilities(&mut self, out: &mut [f32]) -> Result<bool, ScorerError> {
        let begun = Instant::now();
        let answered = Scorer::probabilities(&mut self.stream, out)?;
        self.spent += begun.elapsed();
        if answered {
            self.timings.add(self.spent);
            self.answers.add(1);
            self.spent = std::time::Duration::ZERO;
        }
        Ok(answered)
    }

    fn reset(&mut self) -> Result<(), ScorerError> {
        self.spent = std::time::Duration::ZERO;
        Scorer::reset(&mut self.stream)
    }
}
