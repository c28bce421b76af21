//! The messages, apart from [`Hello`] and [`Event`].

use serde::{Deserialize, Serialize};

use crate::{Event, Hello, Kind};

/// One label of the model in use; sent for every label after each Hello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The number that events use.
    pub index: u8,
    /// How many labels there are.
    pub of: u8,
    /// The label, UTF-8.
    pub name: heapless::String<32>,
}

/// What the box is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoxState {
    /// Not yet listening.
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

/// What the microphone delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signal {
    /// Digital silence, or no samples at all.
    None,
    /// Too quiet to judge.
    Low,
    /// As it should be.
    Ok,
    /// Reaches full scale.
    Clipping,
}

/// Sent at a steady pace, so that a dead line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Milliseconds since the sender started.
    pub uptime_ms: u64,
    /// What the box is doing.
    pub state: BoxState,
    /// What the microphone delivers.
    pub signal: Signal,
}

/// How the box is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Temperature of the processor in tenths of a degree Celsius; `None` when it cannot be read.
    pub temperature_dc: Option<i16>,
    /// The processor runs slower than it could, for heat or for want of power.
    pub throttled: bool,
    /// Times the sound device lost samples since the start.
    pub xruns: u32,
    /// Gaps in the samples since the start, from whatever cause.
    pub gaps: u32,
    /// Events that wait to be sent.
    pub queue_depth: u16,
    /// Half of the answers of the network took at most this long, in microseconds.
    pub inference_p50_us: u32,
    /// 95 % of them did.
    pub inference_p95_us: u32,
    /// 99 % of them did.
    pub inference_p99_us: u32,
}

/// Events that the sender had to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// How many.
    pub count: u32,
    /// [`Event::seq`] of the first of them.
    pub first_seq: u64,
    /// [`Event::seq`] of the last of them.
    pub last_seq: u64,
}

/// Everything that a box says on the serial line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Who is talking.
    Hello(Hello),
    /// One label of the model.
    Label(Label),
    /// What a voice expresses.
    Event(Event),
    /// The line is alive.
    Heartbeat(Heartbeat),
    /// How the box is.
    Health(Health),
    /// Events that were given up.
    Dropped(Dropped),
}

impl Message {
    /// The kind that the frame's header names.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Hello(_) => Kind::Hello,
            Self::Label(_) => Kind::Label,
            Self::Event(_) => Kind::Event,
            Self::Heartbeat(_) => Kind::Heartbeat,
            Self::Health(_) => Kind::Health,
            Self::Dropped(_) => Kind::Dropped,
        }
    }
}
