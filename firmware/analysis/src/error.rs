//! Why an analysis cannot be built.

use undertone_dsp::DspError;
use undertone_events::EventsError;

/// What is wrong with a model, a source's format or a setting.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// The model cannot be run live; the text says why and what to do.
    #[error("the model cannot be run live: {0}")]
    Model(String),
    /// The source's sample rate cannot be analysed.
    #[error("the source's sample rate cannot be analysed: {0}")]
    Rate(#[from] DspError),
    /// A setting of segments or events is out of its range.
    #[error("configuration: {0}")]
    Setting(#[from] EventsError),
}
