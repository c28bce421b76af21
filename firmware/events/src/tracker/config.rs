//! How steady a decision is, how often it is told, and what is told at all.

use serde::{Deserialize, Serialize};

use crate::error::{EventsError, in_range};

/// What is told about utterances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every utterance.
    #[default]
    Events,
    /// Histograms over intervals, and no single utterance.
    Aggregate,
    /// Nothing: no model runs, and only levels, how much is spoken and whether a voice is raised are told.
    Acoustic,
}

/// How steady a decision is, and how often it is told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrackerConfig {
    /// Weight of the past in the exponential smoothing of the scores: 0 (none) to 0.99.
    pub smoothing: f32,
    /// By how much another label must lead to challenge the current one; 0 to 1.
    pub margin: f32,
    /// For how many updates in a row a challenger must lead; 1 to 1000.
    pub challenge_updates: u32,
    /// An update is told at least this often while speech goes on, in milliseconds of audio; 0: only on a change.
    pub update_interval_ms: u32,
    /// What is told.
    pub mode: Mode,
    /// Seconds of audio in an interval of [`Mode::Aggregate`]; 60 to 86400.
    pub aggregate_interval_s: u32,
    /// An interval with fewer utterances goes on until it has as many; 1 to 1000.
    pub aggregate_min_utterances: u32,
    /// By how many decibels a voice must be louder than usual to count as raised; 1 to 40.
    pub raised_voice_db: f32,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        TrackerConfig {
            smoothing: 0.3,
            margin: 0.05,
            challenge_updates: 2,
            update_interval_ms: 1000,
            mode: Mode::Events,
            aggregate_interval_s: 900,
            aggregate_min_utterances: 5,
            raised_voice_db: 6.0,
        }
    }
}

impl TrackerConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// [`EventsError::Range`] for the first field that is out of its range.
    pub fn validate(&self) -> Result<(), EventsError> {
        in_range("events.smoothing", self.smoothing, 0.0, 0.99)?;
        in_range("events.margin", self.margin, 0.0, 1.0)?;
        in_range(
            "events.challenge_updates",
            self.challenge_updates as f32,
            1.0,
            1000.0,
        )?;
        in_range(
            "events.update_interval_ms",
            self.update_interval_ms as f32,
            0.0,
            600_000.0,
        )?;
        let interval = self.aggregate_interval_s as f32;
        in_range("events.aggregate_interval_s", interval, 60.0, 86_400.0)?;
        let least = self.aggregate_min_utterances as f32;
        in_range("events.aggregate_min_utterances", least, 1.0, 1000.0)?;
        in_range("events.raised_voice_db", self.raised_voice_db, 1.0, 40.0)
    }
}
