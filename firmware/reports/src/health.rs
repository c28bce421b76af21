//! How the box is.

use serde::Serialize;

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
