//! `[source]`, or a list of `[[source]]`: where the audio comes from.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use undertone_analysis::Channels;

use super::error::{ConfigError, within};
use super::field::{Field, field};
use crate::capture::{CaptureOptions, SourceSpec};

/// The rates that any source may have, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// The most channels of a source.
const MAX_CHANNELS: usize = 32;
/// The most sources.
const MAX_SOURCES: usize = 64;

pub(super) const FIELDS: &[Field] = &[
    field(
        "source.name",
        "\"alsa:default\"",
        "file:PATH, stdin, alsa:NAME, cpal:NAME, cpal:default",
        "The source; `undertoned --list-devices` shows the devices that there are.",
    ),
    field(
        "source.wait",
        "true",
        "true, false",
        "Start without a device that is not there yet, as `mic-lost`, and wait for it. A source that the command line names is not waited for.",
    ),
    field(
        "source.channels",
        "\"mix\"",
        "\"mix\", \"each\"",
        "What is analysed: the mean of all channels, or every channel by itself.",
    ),
    field(
        "source.device_rate",
        "none",
        "1000 to 768000",
        "The rate to ask a device for, in Hz; without it, what suits the analysis best.",
    ),
    field(
        "source.device_channels",
        "none",
        "1 to 32",
        "The channels to ask a device for; without it, as few as it offers.",
    ),
    field(
        "source.stdin_rate",
        "16000",
        "1000 to 768000",
        "The rate of headerless 16-bit standard input, in Hz.",
    ),
    field(
        "source.stdin_channels",
        "1",
        "1 to 32",
        "The channels of headerless standard input.",
    ),
    field(
        "source.fast",
        "false",
        "true, false",
        "Analyse files as fast as possible instead of at real-time pace.",
    ),
];

/// One source, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSection {
    /// `file:PATH`, `stdin`, `alsa:NAME`, `cpal:NAME` or `cpal:default`; `alsa:default` when left out.
    pub name: Option<SourceSpec>,
    /// Wait for a device that is not there at the start; true when left out.
    pub wait: Option<bool>,
    /// The channels that are analysed.
    pub channels: Channels,
    /// The rate to ask a device for, in Hz.
    pub device_rate: Option<u32>,
    /// The channels to ask a device for.
    pub device_channels: Option<u32>,
    /// The rate of headerless standard input, in Hz; 16000 when left out.
    pub stdin_rate: Option<u32>,
    /// The channels of headerless standard input; 1 when left out.
    pub stdin_channels: Option<usize>,
    /// Play files as fast as they can be analysed.
    pub fast: bool,
}

/// One source, settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// What is opened.
    pub spec: SourceSpec,
    /// What it is opened with.
    pub capture: CaptureOptions,
    /// The channels that are analysed.
    pub channels: Channels,
    /// Wait for a device that is not there at the start.
    pub wait: bool,
}

impl SourceSection {
    /// Checks every field and settles what was left out.
    fn settle(self) -> Result<SourceSettings, ConfigError> {
        let stdin_rate = self.stdin_rate.unwrap_or(16_000);
        let stdin_channels = self.stdin_channels.unwrap_or(1);
        let device_channels = self.device_channels.unwrap_or(1) as usize;
        within("source.stdin_rate", stdin_rate, RATES)?;
        within("source.stdin_channels", stdin_channels, 1..=MAX_CHANNELS)?;
        within(
            "source.device_rate",
            self.device_rate.unwrap_or(16_000),
            RATES,
        )?;
        within("source.device_channels", device_channels, 1..=MAX_CHANNELS)?;
        Ok(SourceSettings {
            spec: self
                .name
                .unwrap_or_else(|| SourceSpec::Alsa("default".into())),
            capture: CaptureOptions {
                fast: self.fast,
                stdin_rate,
                stdin_channels,
                device_rate: self.device_rate,
                device_channels: self.device_channels,
            },
            channels: self.channels,
            wait: self.wait.unwrap_or(true),
        })
    }
}

/// `[source]` or `[[source]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(pub Vec<SourceSection>);

impl Default for Sources {
    fn default() -> Self {
        Sources(vec![SourceSection::default()])
    }
}

impl Sources {
    /// Checks every source.
    pub(super) fn settle(self) -> Result<Vec<SourceSettings>, ConfigError> {
        within("number of sources", self.0.len(), 1..=MAX_SOURCES)?;
        let settled: Vec<_> = self
            .0
            .into_iter()
            .map(SourceSection::settle)
            .collect::<Result<_, _>>()?;
        for (number, source) in settled.iter().enumerate() {
            if settled[..number]
                .iter()
                .any(|other| other.spec == source.spec)
            {
                return Err(ConfigError::Value {
                    field: "source.name",
                    value: source.spec.to_string(),
                    remedy: "it is named twice; name every source once".into(),
                });
            }
        }
        Ok(settled)
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Sources;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a section [source] or a list of [[source]]")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Sources, A::Error> {
                let one = SourceSection::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Sources(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Sources, A::Error> {
                let mut sections = Vec::new();
                while let Some(section) = list.next_element()? {
                    sections.push(section);
                }
                Ok(Sources(sections))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}
