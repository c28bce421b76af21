//! The configuration of the daemon, for whoever writes, ships or runs one: a TOML file, overridden by the environment,
//! overridden by the command line.
//!
//! In: [`Layers`]. Out: [`Settings`], of which every field was checked, and at a reload the [`Change`] that leads from one
//! to the next. Each section has a module with its type, its ranges and its row in the table of [`fields`].
//!
//! What only the box can tell is not checked here: whether files that are named exist, whether a device is there. So the
//! daemon that runs a configuration and the tools that put one onto a card or into a bundle refuse the same ones with the
//! same words. Nothing here opens a device or a connection.
//!
//! An empty configuration is complete except for the declared purpose.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod change;
mod control;
mod deployment;
mod environment;
mod error;
mod field;
mod health;
mod load;
mod log;
mod metrics;
mod model;
mod mqtt;
mod output;
mod path;
mod serial;
mod source;
mod thresholds;

use std::path::PathBuf;

use serde::Deserialize;
use undertone_events::{Mode, SegmenterConfig, TrackerConfig};

pub use undertone_events::Channels;

pub use change::Change;
pub use control::ControlSection;
pub use environment::{check_variables, nearest_variable};
pub use error::{ConfigError, FieldError, Origin};
pub use field::{Field, fields};
pub use health::HealthSection;
pub use load::{Configuration, Layers, Overrides};
pub use log::{Form, LogSection, Severity};
pub use metrics::MetricsSection;
pub use model::ModelSection;
pub use mqtt::{MqttOutboxSection, MqttSection, MqttSettings, MqttTlsSection};
pub use output::{OutputFormat, OutputSection};
pub use serial::{SerialSection, SerialSettings};
pub use source::{
    CaptureOptions, Encoding, MuteSwitch, Pick, SourceSection, SourceSettings, SourceSpec, Sources,
};
pub use thresholds::Thresholds;
pub use undertone_deployment::{
    Deployment, DeploymentError, DeploymentSection, EVALUATION, LegalBasis, Role, Subjects,
};

/// A configuration file. Every section and every field may be left out.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    /// What the box is used for.
    pub deployment: DeploymentSection,
    /// Where the audio comes from.
    pub source: Sources,
    /// What analyses it.
    pub model: ModelSection,
    /// When speech begins and ends.
    pub segments: SegmenterConfig,
    /// How decisions are told.
    pub events: TrackerConfig,
    /// From which probability on.
    pub thresholds: Thresholds,
    /// Where to and in which form.
    pub output: OutputSection,
    /// The broker.
    pub mqtt: MqttSection,
    /// The line to a controller.
    pub serial: SerialSection,
    /// How often the box tells how it is.
    pub health: HealthSection,
    /// Where commands are taken.
    pub control: ControlSection,
    /// Where metrics can be fetched.
    pub metrics: MetricsSection,
    /// What is told on standard error.
    pub log: LogSection,
}

/// Everything that is settled before the daemon starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// What the box is used for; checked.
    pub deployment: Deployment,
    /// Where the audio comes from; at least one.
    pub sources: Vec<SourceSettings>,
    /// A model file; the embedded model when `None`.
    pub model: Option<PathBuf>,
    /// When speech begins and ends.
    pub segments: SegmenterConfig,
    /// How decisions are told.
    pub events: TrackerConfig,
    /// From which probability on; labels that the model may not have.
    pub thresholds: Thresholds,
    /// Where to and in which form.
    pub output: OutputSection,
    /// The broker, if any.
    pub mqtt: Option<MqttSettings>,
    /// The line to a controller, if any.
    pub serial: Option<SerialSettings>,
    /// How often the box tells how it is.
    pub health: HealthSection,
    /// The socket on which commands are taken, if any.
    pub control: Option<PathBuf>,
    /// Where metrics can be fetched.
    pub metrics: MetricsSection,
    /// What is told on standard error.
    pub log: LogSection,
}

impl ConfigFile {
    /// Checks every field and settles what was left out.
    ///
    /// # Errors
    /// The first field that is wrong, with its value and what is allowed.
    pub fn settle(mut self) -> Result<Settings, ConfigError> {
        let deployment = self.deployment.check()?;
        if deployment.is_acoustic_only() {
            // No other setting can bring emotions back; levels are all that is left to tell.
            self.events.mode = Mode::Acoustic;
            self.output.levels = true;
        }
        let sources = self.source.settle(&deployment)?;
        self.output.check()?;
        self.health.check()?;
        self.metrics.check()?;
        self.segments.validate()?;
        self.events.validate()?;
        self.thresholds.check()?;
        Ok(Settings {
            deployment,
            sources,
            model: self.model.path,
            segments: self.segments,
            events: self.events,
            thresholds: self.thresholds,
            output: self.output,
            mqtt: self.mqtt.settle()?,
            serial: self.serial.settle()?,
            health: self.health,
            control: self.control.settle()?,
            metrics: self.metrics,
            log: self.log,
        })
    }
}

#[cfg(test)]
mod tests;
