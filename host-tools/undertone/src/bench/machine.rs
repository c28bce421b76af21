//! The machine that figures are of.

use std::fs;

use serde::Serialize;

/// What figures depend on.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Machine {
    cpu: String,
    cores: usize,
    architecture: &'static str,
    system: &'static str,
    /// Runnable threads over the last minute, before the measurement; much more than 0 means a busy machine.
    load: Option<f64>,
}

impl Machine {
    pub(super) fn this() -> Self {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Machine {
            cpu: cpu_name(&information)
                .unwrap_or("an unnamed CPU")
                .to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            architecture: std::env::consts::ARCH,
            system: std::env::consts::OS,
            load: load.split(' ').next().and_then(|load| load.parse().ok()),
        }
    }

    pub(super) fn describe(&self) -> String {
        let load = self
            .load
            .map_or(String::new(), |load| format!(", load {load}"));
        format!(
            "{}, {} core(s), {} {}{load}",
            self.cpu, self.cores, self.architecture, self.system
        )
    }
}

/// The name of the first processor; boards of Arm name themselves instead.
fn cpu_name(information: &str) -> Option<&str> {
    let value = |key: &str| {
        let line = information.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim())
    };
    value("model name")
        .or_else(|| value("Model"))
        .or_else(|| value("Hardware"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_or_a_board_is_named() {
        assert_eq!(
            cpu_name("processor\t: 0\nmodel name\t: Some CPU\n"),
            Some("Some CPU")
        );
        assert_eq!(
            cpu_name("CPU part\t: 0xd08\nModel\t\t: Raspberry Pi 4 Model B\n"),
            Some("Raspberry Pi 4 Model B")
        );
        assert_eq!(cpu_name(""), None);
    }
}
