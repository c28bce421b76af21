//! What the system says: temperature, throttling, memory, and whether its clock follows a reference.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the system longer than this is not what it should be.
const MAX_BYTES: u64 = 4096;
/// Zones that are looked at, at most.
const MAX_ZONES: usize = 64;
/// Bits of the Raspberry Pi's firmware that hold now: under-voltage, capped, throttled, soft limit of temperature.
const THROTTLED_NOW: u32 = 0xf;

/// Reads the system's files.
#[derive(Debug, Clone)]
pub struct Sensors {
    root: PathBuf,
    /// Whether the clock is kept, if the kernel may be asked.
    kernel: fn() -> Option<bool>,
}

impl Default for Sensors {
    fn default() -> Self {
        Sensors {
            root: "/".into(),
            kernel: undertone_clock::is_synchronised,
        }
    }
}

impl Sensors {
    /// Files under another root, without a kernel.
    pub fn under(root: &Path) -> Self {
        Sensors {
            root: root.into(),
            kernel: || None,
        }
    }

    /// Temperature of the processor in degrees Celsius: the warmest zone that is called after it, otherwise the warmest.
    pub fn temperature(&self) -> Option<f32> {
        let zones = self.folders("sys/class/thermal", "thermal_zone");
        let read = |zone: &PathBuf| {
            let kind = read(&zone.join("type")).unwrap_or_default().to_lowercase();
            let millidegrees: f32 = read(&zone.join("temp"))?.parse().ok()?;
            let processor = ["cpu", "soc", "pkg"].iter().any(|part| kind.contains(part));
            // A zone without a sensor tells nonsense.
            let degrees = millidegrees / 1000.0;
            ((-50.0..=200.0).contains(&degrees)).then_some((processor, degrees))
        };
        let told: Vec<(bool, f32)> = zones.iter().filter_map(read).collect();
        let named = told.iter().any(|(processor, _)| *processor);
        told.into_iter()
            .filter(|(processor, _)| *processor || !named)
            .map(|(_, degrees)| degrees)
            .reduce(f32::max)
    }

    /// True when the processor runs slower than it could: by the firmware of a Raspberry Pi, otherwise by the limits that
    /// the kernel has set to its frequency.
    pub fn throttled(&self) -> Option<bool> {
        let firmware = "sys/devices/platform/soc/soc:firmware/get_throttled";
        if let Some(text) = read(&self.root.join(firmware)) {
            let bits = u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()?;
            return Some(bits & THROTTLED_NOW != 0);
        }
        let limited = |policy: &PathBuf| {
            let frequency = |name| read(&policy.join(name))?.parse::<u64>().ok();
            Some(frequency("scaling_max_freq")? < frequency("cpuinfo_max_freq")?)
        };
        let policies = self.folders("sys/devices/system/cpu/cpufreq", "policy");
        let told: Vec<bool> = policies.iter().filter_map(limited).collect();
        (!told.is_empty()).then(|| told.contains(&true))
    }

    /// Memory of this process in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = read(&self.root.join("proc/self/status"))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// True when the clock follows a reference: by the kernel, which whoever keeps it tells, and where that may not be asked, by
    /// systemd-timesyncd; false where nobody says so.
    pub fn clock_synced(&self) -> bool {
        (self.kernel)().unwrap_or_else(|| self.timesyncd())
    }

    /// True when systemd-timesyncd says that it keeps the clock.
    pub fn timesyncd(&self) -> bool {
        self.root.join("run/systemd/timesync/synchronized").exists()
    }

    /// The name of this machine.
    pub fn host(&self) -> String {
        read(&self.root.join("proc/sys/kernel/hostname")).unwrap_or_else(|| "unknown".into())
    }

    fn folders(&self, folder: &str, prefix: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.root.join(folder)) else {
            return Vec::new();
        };
        entries
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path())
            .take(MAX_ZONES)
            .collect()
    }
}

fn read(path: &Path) -> Option<String> {
    use std::io::Read;
    let mut text = String::new();
    let file = fs::File::open(path).ok()?;
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Sensors) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let sensors = Sensors::under(root.path());
        (root, sensors)
    }

    #[test]
    fn the_temperature_is_that_of_the_processor() {
        let (_root, sensors) = machine(&[
            ("sys/class/thermal/thermal_zone0/type", "gpu-thermal\n"),
            ("sys/class/thermal/thermal_zone0/temp", "90000\n"),
            ("sys/class/thermal/thermal_zone1/type", "cpu-thermal\n"),
            ("sys/class/thermal/thermal_zone1/temp", "61234\n"),
            ("sys/class/thermal/thermal_zone2/type", "CPU-therm\n"),
            ("sys/class/thermal/thermal_zone2/temp", "-256000\n"),
        ]);
        assert_eq!(sensors.temperature(), Some(61.234));
        let (_root, nameless) = machine(&[("sys/class/thermal/thermal_zone0/temp", "40000")]);
        assert_eq!(nameless.temperature(), Some(40.0));
    }

    #[test]
    fn throttling_is_what_holds_now_and_not_what_has_been() {
        let name = "sys/devices/platform/soc/soc:firmware/get_throttled";
        for (text, throttled) in [("0x50005\n", true), ("50000", false), ("0", false)] {
            let (_root, sensors) = machine(&[(name, text)]);
            assert_eq!(sensors.throttled(), Some(throttled), "{text}");
        }
        let policy = |limit| {
            machine(&[
                (
                    "sys/devices/system/cpu/cpufreq/policy0/scaling_max_freq",
                    limit,
                ),
                (
                    "sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq",
                    "1500000",
                ),
            ])
        };
        for (limit, throttled) in [("1500000", false), ("600000", true)] {
            let (_root, sensors) = policy(limit);
            assert_eq!(sensors.throttled(), Some(throttled), "{limit}");
        }
    }

    #[test]
    fn what_a_machine_does_not_say_is_not_told() {
        let (_root, sensors) = machine(&[("proc/self/status", "VmRSS:\t  12 kB\n")]);
        assert_eq!((sensors.temperature(), sensors.throttled()), (None, None));
        assert_eq!(sensors.resident_bytes(), Some(12 * 1024));
        assert!(!sensors.clock_synced());
    }

    #[test]
    fn the_kernel_is_believed_about_the_clock_and_timesyncd_where_there_is_none() {
        let (_root, mut sensors) = machine(&[("run/systemd/timesync/synchronized", "")]);
        assert!(sensors.clock_synced());
        sensors.kernel = || Some(false);
        assert!(
            !sensors.clock_synced(),
            "the file stays when timesyncd has lost its server"
        );
        let (_root, mut sensors) = machine(&[]);
        sensors.kernel = || Some(true);
        assert!(sensors.clock_synced());
    }
}
