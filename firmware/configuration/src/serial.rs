//! `[serial]`: the line to a controller.

use std::path::PathBuf;

use serde::Deserialize;

use super::error::{ConfigError, within};
use super::field::{Field, field};

pub(super) const FIELDS: &[Field] = &[
    field(
        "serial.port",
        "none",
        "a path",
        "The serial port, best by a name that stays, as in /dev/serial/by-id/. Without it nothing is sent.",
    ),
    field(
        "serial.baud",
        "115200",
        "300 to 4000000",
        "Bits per second; 8 data bits, no parity, 1 stop bit.",
    ),
    field(
        "serial.heartbeat_ms",
        "1000",
        "100 to 60000",
        "From one heartbeat to the next.",
    ),
    field(
        "serial.hello_interval_ms",
        "30000",
        "1000 to 3600000",
        "From one Hello, with the labels, to the next.",
    ),
];

/// The `[serial]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SerialSection {
    /// The port; `None`: no serial line.
    pub port: Option<PathBuf>,
    /// Bits per second.
    pub baud: u32,
    /// From one heartbeat to the next, in milliseconds.
    pub heartbeat_ms: u32,
    /// From one Hello to the next, in milliseconds.
    pub hello_interval_ms: u32,
}

impl Default for SerialSection {
    fn default() -> Self {
        SerialSection {
            port: None,
            baud: 115_200,
            heartbeat_ms: 1000,
            hello_interval_ms: 30_000,
        }
    }
}

/// `[serial]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialSettings {
    /// The port.
    pub port: PathBuf,
    /// Bits per second.
    pub baud: u32,
    /// From one heartbeat to the next, in milliseconds.
    pub heartbeat_ms: u32,
    /// From one Hello to the next, in milliseconds.
    pub hello_interval_ms: u32,
}

impl SerialSection {
    pub(super) fn settle(self) -> Result<Option<SerialSettings>, ConfigError> {
        within("serial.baud", self.baud, 300..=4_000_000)?;
        within("serial.heartbeat_ms", self.heartbeat_ms, 100..=60_000)?;
        within(
            "serial.hello_interval_ms",
            self.hello_interval_ms,
            1000..=3_600_000,
        )?;
        let Some(port) = self.port else {
            if self == SerialSection::default() {
                return Ok(None);
            }
            return Err(ConfigError::Value {
                field: "serial.port",
                value: "missing".into(),
                remedy: "name the port, or leave [serial] out".into(),
            });
        };
        Ok(Some(SerialSettings {
            port,
            baud: self.baud,
            heartbeat_ms: self.heartbeat_ms,
            hello_interval_ms: self.hello_interval_ms,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_enough_and_ranges_are_told() {
        let settle = |text: &str| {
            let section: SerialSection = toml::from_str(text).unwrap();
            section.settle().map_err(|error| error.to_string())
        };
        assert_eq!(settle(""), Ok(None));
        assert_eq!(
            settle("port = \"/dev/ttyS0\"").unwrap().unwrap().baud,
            115_200
        );
        assert_eq!(
            settle("baud = 9600").unwrap_err(),
            "serial.port is missing: name the port, or leave [serial] out"
        );
        assert_eq!(
            settle("port = \"x\"\nbaud = 1").unwrap_err(),
            "serial.baud is 1: give a value from 300 to 4000000"
        );
    }
}
