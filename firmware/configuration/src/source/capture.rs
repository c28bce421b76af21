//! What a source is opened with: how devices encode, which switch mutes, which channels are heard.

use serde::Deserialize;
use undertone_deployment::{Role, Subjects};

/// What a source is opened with besides its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureOptions {
    /// Play a file as fast as it can be analysed, instead of at real-time pace.
    pub fast: bool,
    /// The rate of headerless standard input, in Hz.
    pub stdin_rate: u32,
    /// The channels of headerless standard input.
    pub stdin_channels: usize,
    /// The rate to ask a device for, in Hz; the best that it offers when `None`.
    pub device_rate: Option<u32>,
    /// The channels to ask a device for; as few as it offers when `None`.
    pub device_channels: Option<u32>,
    /// The encoding to ask an ALSA device for; the first of those that are understood when `None`.
    pub device_format: Option<Encoding>,
    /// How often an ALSA device wakes the reader, in milliseconds.
    pub period_ms: u32,
    /// How late the reader may be before an ALSA device loses samples, in milliseconds.
    pub buffer_ms: u32,
    /// The channels that leave the capture thread. A device is asked for at least as many as that takes.
    pub pick: Pick,
    /// The capture switch that mutes an ALSA device.
    pub mute_switch: MuteSwitch,
    /// The mixer that has it; that of the device's card when `None`.
    pub mixer: Option<String>,
}

impl Default for CaptureOptions {
    fn default() -> Self {
        CaptureOptions {
            fast: false,
            stdin_rate: 16_000,
            stdin_channels: 1,
            device_rate: None,
            device_channels: None,
            device_format: None,
            period_ms: 20,
            buffer_ms: 500,
            pick: Pick::default(),
            mute_switch: MuteSwitch::Auto,
            mixer: None,
        }
    }
}

/// How a device encodes a sample; the byte order is the machine's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    /// 16-bit integer: `s16`.
    #[serde(rename = "s16")]
    I16,
    /// 24-bit integer in the low bytes of four: `s24`.
    #[serde(rename = "s24")]
    I24In4,
    /// 24-bit integer in three bytes, least significant first: `s24_3`.
    #[serde(rename = "s24_3")]
    I24Le3,
    /// 32-bit integer: `s32`.
    #[serde(rename = "s32")]
    I32,
    /// 32-bit float, full scale ±1: `f32`.
    #[serde(rename = "f32")]
    F32,
}

impl Encoding {
    /// As the configuration names it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::I16 => "s16",
            Encoding::I24In4 => "s24",
            Encoding::I24Le3 => "s24_3",
            Encoding::I32 => "s32",
            Encoding::F32 => "f32",
        }
    }

    /// Bytes per sample.
    pub fn bytes(self) -> usize {
        match self {
            Encoding::I16 => 2,
            Encoding::I24Le3 => 3,
            Encoding::I24In4 | Encoding::I32 | Encoding::F32 => 4,
        }
    }
}

/// Which capture switch of a mixer mutes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum MuteSwitch {
    /// The one that is called `Capture`, or as microphones usually are, or the only one.
    #[default]
    Auto,
    /// None.
    Off,
    /// The one with this name.
    Named(String),
}

impl From<String> for MuteSwitch {
    fn from(text: String) -> Self {
        match text.as_str() {
            "auto" => MuteSwitch::Auto,
            "off" => MuteSwitch::Off,
            _ => MuteSwitch::Named(text),
        }
    }
}

/// Which channels are wanted, before the source is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pick {
    /// Channels of the source from 0, in the order in which they are analysed; all when `None`.
    pub channels: Option<Vec<usize>>,
    /// Who speaks on each of them; one for each, or none at all.
    pub roles: Vec<Role>,
    /// Whose channels are analysed, where there are roles.
    pub subjects: Option<Subjects>,
}

impl Pick {
    /// How many channels a source must have at least; `None` when any number will do.
    pub fn channels_needed(&self) -> Option<usize> {
        let by_roles = (!self.roles.is_empty()).then_some(self.roles.len());
        let highest = |channels: &Vec<usize>| channels.iter().max().map(|highest| highest + 1);
        self.channels.as_ref().map_or(by_roles, highest)
    }
}
