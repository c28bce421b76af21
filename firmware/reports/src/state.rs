//! What the box is doing.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use undertone_analysis::Signal;

/// What the box is doing. A microphone that is gone is never `listening`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Not yet listening: the first audio has not come, or the model is not warm.
    Starting,
    /// Listening, nobody speaks.
    Listening,
    /// Somebody speaks.
    Speech,
    /// The microphone is closed on purpose.
    Muted,
    /// The microphone is open and delivers nothing.
    Stalled,
    /// The microphone is gone.
    MicLost,
    /// Listening, but not as it should: too hot, too slow, or losing data.
    Degraded,
}

impl State {
    /// Every state.
    pub const ALL: [State; 7] = [
        State::Starting,
        State::Listening,
        State::Speech,
        State::Muted,
        State::Stalled,
        State::MicLost,
        State::Degraded,
    ];

    /// The name, as it is told everywhere.
    pub fn name(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Listening => "listening",
            State::Speech => "speech",
            State::Muted => "muted",
            State::Stalled => "stalled",
            State::MicLost => "mic-lost",
            State::Degraded => "degraded",
        }
    }
}

/// Why a box that listens does not do so as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The processor is too hot.
    Hot,
    /// The processor runs slower than it could.
    Throttled,
    /// Analysis does not keep up.
    Overload,
    /// A sink does not keep up, and loses events.
    SlowSink,
    /// A stage of the pipeline makes no progress.
    Stuck,
}

impl Trouble {
    /// What it is, for people.
    pub fn name(self) -> &'static str {
        match self {
            Trouble::Hot => "the processor is too hot",
            Trouble::Throttled => "the processor is throttled",
            Trouble::Overload => "analysis does not keep up",
            Trouble::SlowSink => "a sink is too slow and loses events",
            Trouble::Stuck => "a stage makes no progress",
        }
    }
}

/// The state of the box, and of each of its sources.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// The state of the worst source.
    pub state: State,
    /// `monotonic_ms` of the change to this state.
    pub since_ms: u64,
    /// The worst signal of the sources that are listened to; `none` when there is none.
    pub signal: Signal,
    /// The label of the latest event, `unknown` included; `None` before the first and once its utterance has ended.
    #[serde(serialize_with = "optional_text")]
    pub label: Option<Arc<str>>,
    /// Its confidence, 0 to 1.
    pub confidence: Option<f32>,
    /// Each source, in the order of the configuration; those whose audio has ended are left out.
    pub sources: Vec<SourceStatus>,
    /// What is not as it should be; a box that listens is `degraded` by any of these.
    pub troubles: Vec<Trouble>,
}

/// The state of one source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SourceStatus {
    /// Its name, as configured.
    #[serde(serialize_with = "text")]
    pub name: Arc<str>,
    /// What it is doing.
    pub state: State,
    /// What it delivers.
    pub signal: Signal,
    /// It is a device that has delivered one and the same value for two seconds and more, as no microphone that works does.
    pub dead: bool,
}

pub(crate) fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    (**text).serialize(serializer)
}

fn optional_text<S: Serializer>(text: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    text.as_deref().serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_the_same_name_in_json_as_elsewhere() {
        for state in State::ALL {
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{}\"", state.name()));
        }
    }
}
