//! What the daemon says about itself and about what it hears: the vocabulary that every sink, the control socket and the
//! metrics share. Times are milliseconds; `monotonic_ms` counts from the start of the daemon and never jumps.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use undertone_analysis::{Level, Signal};
use undertone_deployment::{LegalBasis, Subjects};
use undertone_events::{Event, MAX_LABELS};

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

/// How the box is. Counters begin with the daemon and never go back.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Health {
    /// Temperature of the processor in degrees Celsius; `None` when it cannot be read.
    pub temperature_c: Option<f32>,
    /// The processor runs slower than it could, for heat or for want of power; `None` when that cannot be read.
    pub throttled: Option<bool>,
    /// Times a sound device lost samples.
    pub xruns: u64,
    /// Gaps in the samples, from whatever cause.
    pub gaps: u64,
    /// Frames that were dropped because analysis was too slow.
    pub dropped_frames: u64,
    /// Events that a sink did not take.
    pub lost_events: u64,
    /// The queue of each sink.
    pub queues: Vec<QueueHealth>,
    /// Half of the answers of the network took at most this long, in microseconds.
    pub inference_p50_us: u32,
    /// 95 % of them did.
    pub inference_p95_us: u32,
    /// 99 % of them did.
    pub inference_p99_us: u32,
    /// Seconds since the start.
    pub uptime_s: u64,
    /// Memory of the process in bytes; `None` when it cannot be read.
    pub resident_bytes: Option<u64>,
}

/// The queue of one sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueHealth {
    /// The sink: `stdout`, `serial`, `mqtt`.
    pub sink: &'static str,
    /// Reports that wait.
    pub depth: usize,
    /// Reports that it holds at most.
    pub capacity: usize,
    /// Events that were lost because it was full.
    pub lost: u64,
    /// How the connection of the sink is, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkHealth>,
}

/// How the connection of a sink is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LinkHealth {
    /// Connected.
    pub up: bool,
    /// Why not: `network`, `authentication`, `certificate`, `protocol`, `port`.
    pub failure: Option<&'static str>,
    /// Events that wait to be sent, or for their acknowledgement.
    pub waiting: usize,
    /// Events that were given up and that the other side has not been told of.
    pub given_up: u64,
    /// Events wait in memory although they should on the disk.
    pub in_memory_only: bool,
}

/// What does not change while a model and a configuration are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Version of the daemon, `major.minor.patch`.
    pub version: &'static str,
    /// Random name of this run, 16 hexadecimal digits.
    #[serde(serialize_with = "text")]
    pub boot_id: Arc<str>,
    /// Content hash of the model, 64 hexadecimal digits.
    pub model_hash: String,
    /// `open` or `research`.
    pub licence: &'static str,
    /// The model's labels, in the order of [`Event::scores`].
    pub labels: Vec<String>,
    /// The declared purpose.
    pub purpose: String,
    /// Who is listened to, as declared.
    pub subjects: Subjects,
    /// On what ground, as declared.
    pub legal_basis: Option<LegalBasis>,
    /// True when every source is a device: its audio is of now, and wall-clock time means something.
    pub live: bool,
}

/// Everything that a sink receives. The first report of every sink is an [`Info`].
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// What is in use; again after a change.
    Info(Arc<Info>),
    /// About an utterance.
    Event(EventReport),
    /// About the signal.
    Level(LevelReport),
    /// The state of the box, at every change.
    Status(Arc<Status>),
    /// How the box is, at a steady pace.
    Health(Arc<Health>),
    /// Events that this sink did not get.
    Dropped(Dropped),
    /// What an interval held; instead of events where only intervals may be told.
    Aggregate(Aggregate),
}

/// When something was reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds since the start of the daemon, by a clock that never jumps.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970; `None` when the audio is not of now.
    pub wall_ms: Option<u64>,
    /// True when the system says that its clock follows a reference.
    pub clock_synced: bool,
}

/// An event of an utterance, and where it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct EventReport {
    /// The channel, from 0, counted through all sources.
    pub channel: usize,
    /// The role of the channel, where one is configured.
    pub role: Option<Arc<str>>,
    /// Number of the event in this run, from 1; a missing number is a lost event.
    pub seq: u64,
    /// When it was told.
    pub stamp: Stamp,
    /// Where the utterance begins, in the audio's own time.
    pub start_ms: u64,
    /// Up to where it was heard, in the audio's own time.
    pub at_ms: u64,
    /// What was decided.
    pub event: Event,
}

/// The level of a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelReport {
    /// The channel, from 0, counted through all sources.
    pub channel: usize,
    /// The role of the channel, where one is configured.
    pub role: Option<Arc<str>>,
    /// Where the interval ends, in the audio's own time.
    pub at_ms: u64,
    /// The level.
    pub level: Level,
}

/// Events that were given up, told in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// How many.
    pub count: u64,
    /// [`EventReport::seq`] of the first of them.
    pub first_seq: u64,
    /// [`EventReport::seq`] of the last of them.
    pub last_seq: u64,
}

/// What one interval of a channel held, without saying when within it.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// The channel, from 0, counted through all sources.
    pub channel: usize,
    /// The role of the channel, where one is configured.
    pub role: Option<Arc<str>>,
    /// Number in this run; shares its counter with events.
    pub seq: u64,
    /// When it was told.
    pub stamp: Stamp,
    /// Length of the interval in milliseconds.
    pub interval_ms: u64,
    /// Milliseconds of speech in it.
    pub speech_ms: u64,
    /// Utterances that ended in it.
    pub utterances: u32,
    /// Utterances by label, in the model's order; `unknown` ones after the last label.
    pub histogram: heapless::Vec<u32, { MAX_LABELS + 1 }>,
}

fn text<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
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
