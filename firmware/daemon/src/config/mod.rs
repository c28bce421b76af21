//! The configuration: a TOML file, which the command line overrides.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use undertone_events::{SegmenterConfig, TrackerConfig};

pub use undertone_deployment::{
    Deployment, DeploymentError, DeploymentSection, EVALUATION, LegalBasis, Subjects,
};

use crate::capture::{CaptureOptions, SourceSpec};
use crate::error::DaemonError;
use crate::output::OutputFormat;
use undertone_analysis::Channels;

/// Bytes of a configuration file, at most.
const MAX_BYTES: u64 = 64 * 1024;
/// The rates that any source may have, in Hz.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
/// The most channels of a source.
const MAX_CHANNELS: usize = 32;
/// From one level line to the next, in milliseconds.
const LEVEL_INTERVALS: std::ops::RangeInclusive<u32> = 20..=60_000;

/// A configuration file. Every section and every field may be left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// What the box is used for.
    pub deployment: DeploymentSection,
    /// Where the audio comes from.
    pub source: SourceSection,
    /// What analyses it.
    pub model: ModelSection,
    /// When speech begins and ends.
    pub segments: SegmenterConfig,
    /// How decisions are told.
    pub events: TrackerConfig,
    /// Where to and in which form.
    pub output: OutputSection,
}

/// The `[source]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSection {
    /// `file:PATH`, `stdin`, `alsa:NAME`, `cpal:NAME` or `cpal:default`.
    pub name: Option<SourceSpec>,
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

/// The `[model]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSection {
    /// A model file; the embedded model when left out.
    pub path: Option<PathBuf>,
}

/// The `[output]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSection {
    /// JSON lines, or text for people.
    pub format: OutputFormat,
    /// Tell levels too.
    pub levels: bool,
    /// From one level to the next, in milliseconds.
    pub level_interval_ms: u32,
}

impl Default for OutputSection {
    fn default() -> Self {
        OutputSection {
            format: OutputFormat::Json,
            levels: false,
            level_interval_ms: 500,
        }
    }
}

/// Everything that is settled before the daemon starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What the box is used for; checked.
    pub deployment: Deployment,
    /// Where the audio comes from.
    pub source: SourceSpec,
    /// What the source is opened with.
    pub capture: CaptureOptions,
    /// The channels that are analysed.
    pub channels: Channels,
    /// A model file; the embedded model when `None`.
    pub model: Option<PathBuf>,
    /// When speech begins and ends.
    pub segments: SegmenterConfig,
    /// How decisions are told.
    pub events: TrackerConfig,
    /// Where to and in which form.
    pub output: OutputSection,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// With the file's name, and line and column where there are such.
    pub fn read(path: &Path) -> Result<Self, DaemonError> {
        let text = read_short(path).map_err(|reason| DaemonError::ConfigFile {
            path: path.to_owned(),
            reason,
        })?;
        toml::from_str(&text).map_err(|reason| DaemonError::ConfigSyntax {
            path: path.to_owned(),
            reason: Box::new(reason),
        })
    }

    /// Checks every field and settles what was left out.
    ///
    /// # Errors
    /// The first field that is wrong, with its value and what is allowed.
    pub fn settle(self) -> Result<Settings, DaemonError> {
        let deployment = self.deployment.check()?;
        let SourceSection {
            name,
            channels,
            device_rate,
            device_channels,
            stdin_rate,
            stdin_channels,
            fast,
        } = self.source;
        let source = name.ok_or_else(|| {
            let kinds = "--source file:PATH, stdin, alsa:NAME or cpal:default; --list-devices shows what there is";
            DaemonError::Usage(format!("no source of audio is named: give {kinds}"))
        })?;
        let stdin_rate = stdin_rate.unwrap_or(16_000);
        let stdin_channels = stdin_channels.unwrap_or(1);
        within("source.stdin_rate", stdin_rate, RATES)?;
        within("source.stdin_channels", stdin_channels, 1..=MAX_CHANNELS)?;
        within("source.device_rate", device_rate.unwrap_or(16_000), RATES)?;
        within(
            "source.device_channels",
            device_channels.unwrap_or(1) as usize,
            1..=MAX_CHANNELS,
        )?;
        within(
            "output.level_interval_ms",
            self.output.level_interval_ms,
            LEVEL_INTERVALS,
        )?;
        self.segments.validate()?;
        self.events.validate()?;
        Ok(Settings {
            deployment,
            source,
            capture: CaptureOptions {
                fast,
                stdin_rate,
                stdin_channels,
                device_rate,
                device_channels,
            },
            channels,
            model: self.model.path,
            segments: self.segments,
            events: self.events,
            output: self.output,
        })
    }
}

/// Reads a file, or a pipe, that must not be longer than a configuration can be.
fn read_short(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        let reason = format!(
            "it is longer than {} KiB, which no configuration is",
            MAX_BYTES >> 10
        );
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(text)
}

fn within<T: PartialOrd + std::fmt::Display>(
    field: &'static str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<(), DaemonError> {
    if range.contains(&value) {
        return Ok(());
    }
    let remedy = format!("give a value from {} to {}", range.start(), range.end());
    Err(DaemonError::ConfigValue {
        field,
        value: value.to_string(),
        remedy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: &str = r#"
        [deployment]
        purpose = "call quality"
        subjects = "customers"
        legal_basis = "consent"
        [source]
        name = "alsa:hw:CARD=Mic"
        channels = "each"
        device_rate = 48000
        device_channels = 2
        [model]
        path = "/etc/undertone/model.onnx"
        [segments]
        hangover_ms = 900
        [events]
        update_interval_ms = 500
        [output]
        format = "text"
        levels = true
        level_interval_ms = 1000
    "#;

    fn settle(text: &str) -> Result<Settings, DaemonError> {
        toml::from_str::<ConfigFile>(text)
            .expect("valid TOML")
            .settle()
    }

    #[test]
    fn a_complete_file_is_taken_as_it_is_written() {
        let settings = settle(COMPLETE).unwrap();
        assert_eq!(settings.source, SourceSpec::Alsa("hw:CARD=Mic".into()));
        assert_eq!(settings.channels, Channels::Each);
        assert_eq!(settings.capture.device_rate, Some(48_000));
        assert_eq!(
            settings.segments,
            SegmenterConfig {
                hangover_ms: 900,
                ..SegmenterConfig::default()
            }
        );
        assert_eq!(settings.output.format, OutputFormat::Text);
    }

    #[test]
    fn the_example_shows_the_defaults() {
        let example = settle(include_str!("../../undertoned.example.toml")).unwrap();
        let least = "[deployment]\npurpose = \"evaluation\"\nlegal_basis = \"consent\"\n[source]\nname = \"cpal:default\"\n";
        assert_eq!(example, settle(least).unwrap());
    }

    #[test]
    fn a_field_that_does_not_exist_is_refused() {
        for wrong in [
            "[source]\nrate = 3",
            "[sorce]",
            "[deployment]\nsubjects = \"staff\"",
            "[source]\nname = \"mic\"",
        ] {
            assert!(toml::from_str::<ConfigFile>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_told_with_its_field_and_range() {
        let base = "[deployment]\npurpose = \"evaluation\"\n[source]\nname = \"stdin\"\n";
        let cases = [
            (
                "stdin_rate = 10",
                "source.stdin_rate is 10: give a value from 1000 to 768000",
            ),
            (
                "stdin_channels = 0",
                "source.stdin_channels is 0: give a value from 1 to 32",
            ),
            (
                "device_channels = 99",
                "source.device_channels is 99: give a value from 1 to 32",
            ),
            (
                "[output]\nlevel_interval_ms = 1",
                "output.level_interval_ms is 1: give a value from 20 to 60000",
            ),
            (
                "[segments]\nonset_threshold = 2.0",
                "configuration: segments.onset_threshold is 2, but must lie between 0 and 1",
            ),
        ];
        for (line, message) in cases {
            let error = settle(&format!("{base}{line}")).unwrap_err();
            assert_eq!(
                (error.to_string().as_str(), error.exit_code()),
                (message, 3)
            );
        }
    }

    #[test]
    fn the_purpose_is_asked_for_before_anything_else() {
        assert!(matches!(
            settle(""),
            Err(DaemonError::Deployment(DeploymentError::NoPurpose))
        ));
        assert!(matches!(
            settle("[deployment]\npurpose = \"evaluation\""),
            Err(DaemonError::Usage(_))
        ));
    }
}
