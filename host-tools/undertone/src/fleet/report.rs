//! What a simulation found, for scripts and for people.

use serde::Serialize;

/// All figures of a simulation. Times are in the units of their names; `None` is what is not known.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) broker: String,
    pub(crate) boxes: usize,
    pub(crate) seed: u64,
    pub(crate) utterances_per_box_and_minute: f64,
    pub(crate) connected_in_s: f64,
    pub(crate) measured_s: f64,
    /// Everything that boxes sent while it was measured, and what of all messages arrived in that time.
    pub(crate) sent_per_s: f64,
    pub(crate) delivered_per_s: f64,
    pub(crate) events: Events,
    pub(crate) latency_ms: Latency,
    /// By how much boxes spoke later than they wanted to: this machine's fault, not the broker's.
    pub(crate) late_p99_ms: Option<f64>,
    pub(crate) connections: Connections,
    pub(crate) broker_process: Option<Process>,
    pub(crate) own_process: Option<Process>,
}

/// Events, each once.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Events {
    pub(crate) sent: u64,
    pub(crate) acknowledged: u64,
    pub(crate) delivered: u64,
    pub(crate) lost: u64,
    pub(crate) delivered_again: u64,
}

/// From being sent by a box to arriving at the subscriber, through the broker.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) most: Option<f64>,
}

/// What became of the connections.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Connections {
    pub(crate) broken: u64,
    pub(crate) refused: u64,
    /// Boxes that were lost without a word at the end, and their last wills that arrived.
    pub(crate) lost: u64,
    pub(crate) wills: u64,
    /// Boxes that said good-bye, and good-byes that arrived.
    pub(crate) left: u64,
    pub(crate) stopped: u64,
}

/// What a process took while it was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) name: String,
    /// Of one core.
    pub(crate) cpu_percent: f64,
    pub(crate) resident_mb: f64,
}

/// Rounded to so many digits behind the point.
pub(crate) fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (number * scale).round() / scale
}
