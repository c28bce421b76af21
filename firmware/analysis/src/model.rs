//! The model file behind the seam, and the analyser that is built around it.

use undertone_dsp::{Frontend, Resampler};
use undertone_events::{
    Aggregator, IdRange, MAX_LABELS, Mode, SegmenterConfig, Tracker, TrackerConfig,
};
use undertone_model::{Model, Stream};

use crate::error::AnalysisError;
use crate::vad::EarshotVad;
use crate::{
    Analyser, Channel, Channels, Decider, Disclosure, Format, Front, FrontSettings, LevelMeter,
    Scorer, ScorerError,
};

/// How a source is analysed.
#[derive(Debug, Clone, Copy)]
pub struct AnalysisSettings {
    /// What the source delivers.
    pub format: Format,
    /// Which of its channels are analysed.
    pub channels: Channels,
    /// When speech begins and ends.
    pub segments: SegmenterConfig,
    /// How decisions are told.
    pub events: TrackerConfig,
    /// From one level to the next; no levels when `None`.
    pub level_interval_ms: Option<u32>,
    /// Frames analysed at once, at most.
    pub block_frames: usize,
}

impl Scorer for Stream {
    fn push(&mut self, frame: &[f32]) -> Result<(), ScorerError> {
        Stream::push(self, frame).map_err(|error| ScorerError(error.to_string()))
    }

    fn probabilities(&mut self, out: &mut [f32]) -> Result<bool, ScorerError> {
        Stream::probabilities(self, out).map_err(|error| ScorerError(error.to_string()))
    }

    fn reset(&mut self) -> Result<(), ScorerError> {
        Stream::reset(self).map_err(|error| ScorerError(error.to_string()))
    }
}

/// An analyser with one stream of the model per analysed channel.
///
/// # Errors
/// A model that live analysis cannot run, with the reason; a setting out of range.
pub fn analyser(
    model: &Model,
    settings: &AnalysisSettings,
) -> Result<Analyser<Stream>, AnalysisError> {
    analyser_with(model, settings, |stream| stream)
}

/// An analyser like [`analyser`], whose streams are wrapped, for instance to time them.
///
/// # Errors
/// As [`analyser`].
pub fn analyser_with<S: Scorer>(
    model: &Model,
    settings: &AnalysisSettings,
    wrap: impl FnMut(Stream) -> S,
) -> Result<Analyser<S>, AnalysisError> {
    let count = analysed(settings);
    build(model, &frontend(model)?, settings, (0, count), wrap)
}

/// An analyser for each of several sources, in their order. No two channels of any of them give an utterance the same
/// id. The weights are in memory once, with the model, and so is what is constant in the front ends.
///
/// # Errors
/// As [`analyser`], for the first source that cannot be analysed.
pub fn analysers(
    model: &Model,
    sources: &[AnalysisSettings],
) -> Result<Vec<Analyser<Stream>>, AnalysisError> {
    let count = sources.iter().map(analysed).sum();
    let frontend = frontend(model)?;
    let mut first = 0;
    let built = sources.iter().map(|settings| {
        let analyser = build(model, &frontend, settings, (first, count), |stream| stream);
        first += analysed(settings);
        analyser
    });
    built.collect()
}

/// The front end of a model; every channel has another of it.
fn frontend(model: &Model) -> Result<Frontend, AnalysisError> {
    let about = model.metadata();
    Frontend::of_features(&about.frontend, &about.features)
        .map_err(|reason| AnalysisError::Model(reason.to_string()))
}

/// How many channels of a source are analysed.
fn analysed(settings: &AnalysisSettings) -> usize {
    match settings.channels {
        Channels::Mix => 1,
        Channels::Each => settings.format.channels,
    }
}

/// The analyser of channels `first..` of `count` in all.
fn build<S: Scorer>(
    model: &Model,
    frontend: &Frontend,
    settings: &AnalysisSettings,
    (first, count): (usize, usize),
    mut wrap: impl FnMut(Stream) -> S,
) -> Result<Analyser<S>, AnalysisError> {
    let channels = (first..first + analysed(settings))
        .map(|number| channel(model, frontend, settings, (number, count), &mut wrap))
        .collect::<Result<_, _>>()?;
    Ok(Analyser::new(
        channels,
        settings.format.channels,
        settings.block_frames,
    ))
}

fn channel<S: Scorer>(
    model: &Model,
    frontend: &Frontend,
    settings: &AnalysisSettings,
    (number, count): (usize, usize),
    wrap: &mut impl FnMut(Stream) -> S,
) -> Result<Channel<S>, AnalysisError> {
    let unusable = AnalysisError::Model;
    let about = model.metadata();
    let labels = about.labels.len();
    if labels > MAX_LABELS {
        return Err(unusable(format!(
            "it has {labels} labels, and events carry at most {MAX_LABELS}"
        )));
    }
    let (from, to) = (settings.format.rate, about.frontend.sample_rate);
    let resampler = Resampler::new(from, to)?;
    let front = Front::new(
        &FrontSettings {
            frontend,
            features: &about.features,
            segments: &settings.segments,
        },
        Box::new(EarshotVad::new()),
    )?;
    let ids = IdRange {
        first: number as u64 + 1,
        step: count as u64,
    };
    let tracker = Tracker::new(&settings.events, labels, about.unknown_threshold, to, ids)?;
    let stream = model
        .stream()
        .map_err(|error| unusable(error.to_string()))?;
    let levels = settings
        .level_interval_ms
        .map(|interval| LevelMeter::new(u64::from(from) * u64::from(interval) / 1000));
    let decider = Decider::new(wrap(stream), tracker, about.update_hop, labels);
    let disclosure = match settings.events.mode {
        Mode::Events => Disclosure::Events,
        Mode::Aggregate => Disclosure::Aggregate(Aggregator::new(&settings.events, labels, to)?),
        Mode::Acoustic => Disclosure::Acoustic,
    };
    let channel = Channel::new(resampler, (from, to), front, decider, levels);
    Ok(channel.disclosing(disclosure, settings.events.raised_voice_db))
}
