//! One source, as it is written and as it is settled.

use serde::Deserialize;
use undertone_deployment::{Deployment, Role};
use undertone_events::Channels;

use super::{CaptureOptions, Encoding, MuteSwitch, Pick, SourceSpec};
use crate::error::{ConfigError, within};

/// The rates that any source may have, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// The most channels of a source.
const MAX_CHANNELS: usize = 32;

/// One source, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSection {
    /// `file:PATH`, `stdin`, `alsa:NAME`, `cpal:NAME` or `cpal:default`; `alsa:default` when left out.
    pub name: Option<SourceSpec>,
    /// Wait for a device that is not there at the start; true when left out.
    pub wait: Option<bool>,
    /// How the picked channels are analysed.
    pub channels: Channels,
    /// Channels from 0, in the order in which they are analysed; all when left out.
    pub pick: Option<Vec<usize>>,
    /// Who speaks on each picked channel; empty for no roles.
    pub roles: Vec<Role>,
    /// The rate to ask a device for, in Hz.
    pub device_rate: Option<u32>,
    /// The channels to ask a device for.
    pub device_channels: Option<u32>,
    /// The encoding of samples to ask an ALSA device for.
    pub device_format: Option<Encoding>,
    /// How often an ALSA device wakes the reader, in milliseconds; 20 when left out.
    pub period_ms: Option<u32>,
    /// How late the reader may be before an ALSA device loses samples, in milliseconds; 500 when left out.
    pub buffer_ms: Option<u32>,
    /// Which capture switch of ALSA mutes.
    pub mute_switch: MuteSwitch,
    /// The ALSA mixer that has the switch; that of the device's card when left out.
    pub mixer: Option<String>,
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
    pub(super) fn settle(self, deployment: &Deployment) -> Result<SourceSettings, ConfigError> {
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
        let (period_ms, buffer_ms) = (self.period_ms.unwrap_or(20), self.buffer_ms.unwrap_or(500));
        within("source.period_ms", period_ms, 1..=1_000)?;
        // A device alternates between two periods at least.
        within("source.buffer_ms", buffer_ms, 2 * period_ms..=10_000)?;
        check_pick(self.pick.as_deref())?;
        check_roles(&self.roles, self.pick.as_deref(), deployment)?;
        check_mixer(self.mixer.as_deref())?;
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
                device_format: self.device_format,
                period_ms,
                buffer_ms,
                pick: Pick {
                    channels: self.pick,
                    subjects: (!self.roles.is_empty()).then_some(deployment.subjects),
                    roles: self.roles,
                },
                mute_switch: self.mute_switch,
                mixer: self.mixer,
            },
            channels: self.channels,
            wait: self.wait.unwrap_or(true),
        })
    }
}

fn check_pick(pick: Option<&[usize]>) -> Result<(), ConfigError> {
    let Some(pick) = pick else { return Ok(()) };
    let twice = |(index, channel): (usize, &usize)| pick[..index].contains(channel);
    let remedy = if pick.is_empty() {
        "name at least one channel, or leave it out to take all".to_owned()
    } else if pick.iter().any(|channel| *channel >= MAX_CHANNELS) {
        format!("channels count from 0 to {}", MAX_CHANNELS - 1)
    } else if pick.iter().enumerate().any(twice) {
        "name each channel once".to_owned()
    } else {
        return Ok(());
    };
    Err(ConfigError::Value {
        field: "source.pick",
        value: format!("{pick:?}"),
        remedy,
    })
}

fn check_roles(
    roles: &[Role],
    pick: Option<&[usize]>,
    deployment: &Deployment,
) -> Result<(), ConfigError> {
    let analysed = |role: &Role| role.subjects() == Some(deployment.subjects);
    let remedy = if roles.is_empty() {
        return Ok(());
    } else if pick.is_some_and(|pick| pick.len() != roles.len()) || roles.len() > MAX_CHANNELS {
        "give one role for each channel"
    } else if !roles.iter().any(analysed) {
        "none of them is deployment.subjects, so nothing would be analysed"
    } else {
        return Ok(());
    };
    let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    Err(ConfigError::Value {
        field: "source.roles",
        value: format!("{names:?}"),
        remedy: remedy.to_owned(),
    })
}

/// alsa-lib aborts the process over names that are too long for its own messages.
fn check_mixer(mixer: Option<&str>) -> Result<(), ConfigError> {
    match mixer {
        Some(name) if name.is_empty() || name.len() > 150 || name.contains('\0') => {
            Err(ConfigError::Value {
                field: "source.mixer",
                value: format!("{name:?}"),
                remedy: "give a name of 1 to 150 characters, as in hw:CARD=Mic".into(),
            })
        }
        _ => Ok(()),
    }
}
