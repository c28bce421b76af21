//! Temperature, throttling and supply voltage, against the limits of the board.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::check::{Check, rounded};
use crate::health::Sensors;
use crate::program::ask;

const NAME: &str = "temperature";
/// So many degrees below throttling, there is no reserve for a warm day.
const RESERVE_C: f32 = 5.0;
/// Where neither board nor kernel names a limit: what processors commonly stand.
const COMMON: Limits = Limits {
    throttle_c: 85.0,
    limit_c: 100.0,
};
/// A zone of the kernel has no more trip points.
const MAX_TRIPS: usize = 32;

/// Where a board slows down, and where it switches off, in degrees Celsius.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limits {
    throttle_c: f32,
    limit_c: f32,
}

pub(super) fn check(board: &str, sensors: &Sensors) -> Vec<Check> {
    let limits = of_board(board)
        .or_else(|| of_kernel(Path::new("/sys/class/thermal")))
        .unwrap_or(COMMON);
    let throttled = firmware(Path::new("/")).map_or_else(|| by_frequency(sensors), by_firmware);
    vec![temperature(sensors.temperature(), limits), throttled]
}

fn temperature(degrees: Option<f32>, limits: Limits) -> Check {
    let Limits {
        throttle_c,
        limit_c,
    } = limits;
    let Some(degrees) = degrees else {
        return Check::skipped(NAME, "no-sensor", "this machine tells no temperature");
    };
    let told = format!(
        "{degrees:.0} °C; it slows down at {throttle_c:.0} °C, the limit is {limit_c:.0} °C"
    );
    let next = "top -b -n 1 | head -n 20   # what is busy? then: air, a heat sink, shade";
    let check = if degrees >= limit_c {
        Check::fail(NAME, "too-hot", told, next)
    } else if degrees >= throttle_c {
        Check::warn(NAME, "hot", told, next)
    } else if degrees >= throttle_c - RESERVE_C {
        Check::warn(NAME, "warm", told, next)
    } else {
        Check::ok(NAME, told)
    };
    check.figure("celsius", rounded(degrees.into()))
}

/// Limits in `board.toml`, where it has them.
fn of_board(board: &str) -> Option<Limits> {
    #[derive(Deserialize)]
    struct Board {
        thermal: Thermal,
    }
    #[derive(Deserialize)]
    struct Thermal {
        throttle_c: Option<f32>,
        limit_c: Option<f32>,
    }
    let text = undertone_slots::board_file(board)?;
    let thermal = toml::from_str::<Board>(text).ok()?.thermal;
    Some(Limits {
        throttle_c: thermal.throttle_c?,
        limit_c: thermal.limit_c?,
    })
}

/// The lowest points at which the kernel slows the processor down, and switches off.
fn of_kernel(folder: &Path) -> Option<Limits> {
    let zones = std::fs::read_dir(folder).ok()?.flatten();
    let (mut passive, mut critical) = (f32::INFINITY, f32::INFINITY);
    let processor = |zone: &Path| {
        let kind = std::fs::read_to_string(zone.join("type"))
            .unwrap_or_default()
            .to_lowercase();
        ["cpu", "soc", "pkg"].iter().any(|part| kind.contains(part))
    };
    for zone in zones
        .map(|entry| entry.path())
        .filter(|zone| processor(zone))
    {
        for number in 0..MAX_TRIPS {
            let read = |what: &str| {
                let path = zone.join(format!("trip_point_{number}_{what}"));
                Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
            };
            let (Some(kind), Some(Ok(millidegrees))) =
                (read("type"), read("temp").map(|text| text.parse::<f32>()))
            else {
                break;
            };
            let degrees = millidegrees / 1000.0;
            match kind.as_str() {
                "passive" if degrees > 0.0 => passive = passive.min(degrees),
                "critical" | "hot" if degrees > 0.0 => critical = critical.min(degrees),
                _ => {}
            }
        }
    }
    (critical.is_finite()).then(|| Limits {
        throttle_c: if passive.is_finite() {
            passive
        } else {
            critical - 10.0
        },
        limit_c: critical,
    })
}

/// What the firmware of a Raspberry Pi says: bits that hold now, and 16 higher the same since the start.
fn firmware(root: &Path) -> Option<u32> {
    let path = root.join("sys/devices/platform/soc/soc:firmware/get_throttled");
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(_) => {
            let answer = ask(&["vcgencmd", "get_throttled"], Duration::from_secs(5))?;
            answer.text.strip_prefix("throttled=")?.to_owned()
        }
    };
    u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
}

fn by_firmware(bits: u32) -> Check {
    let name = |bit: u32| match bit {
        0 => "under-voltage",
        1 => "frequency capped",
        2 => "throttled",
        _ => "soft limit of temperature",
    };
    let told = |shift: u32| {
        let set = (0..4).filter(|bit| bits >> shift >> bit & 1 == 1);
        set.map(name).collect::<Vec<_>>().join(", ")
    };
    let (now, once) = (told(0), told(16));
    let next = "vcgencmd get_throttled; vcgencmd measure_temp   # a stronger power supply, a shorter cable, cooling";
    let check = if bits & 1 == 1 {
        Check::fail("throttling", "under-voltage", format!("now: {now}"), next)
    } else if !now.is_empty() {
        Check::warn("throttling", "throttled", format!("now: {now}"), next)
    } else if !once.is_empty() {
        let cause = format!("not now, but since the start: {once}");
        Check::warn("throttling", "was-throttled", cause, next)
    } else {
        Check::ok("throttling", "neither now nor since the start")
    };
    check.figure("bits", bits)
}

fn by_frequency(sensors: &Sensors) -> Check {
    match sensors.throttled() {
        Some(true) => Check::warn(
            "throttling",
            "throttled",
            "the kernel has set the processor's highest frequency below what it can",
            "grep . /sys/devices/system/cpu/cpufreq/policy*/scaling_max_freq   # heat, or a power mode (nvpmodel -q)",
        ),
        Some(false) => Check::ok("throttling", "the processor may run as fast as it can"),
        None => Check::skipped(
            "throttling",
            "no-sensor",
            "this machine tells nothing of it",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn the_limits_are_those_of_the_board() {
        let limits = of_board("rpi-4").unwrap();
        assert_eq!((limits.throttle_c, limits.limit_c), (80.0, 85.0));
        for (degrees, code) in [
            (60.0, "ok"),
            (76.0, "warm"),
            (81.0, "hot"),
            (86.0, "too-hot"),
        ] {
            assert_eq!(temperature(Some(degrees), limits).code, code, "{degrees}");
        }
        assert_eq!(temperature(None, limits).verdict, Verdict::Skipped);
        assert_eq!(of_board("pc"), None);
        for board in &undertone_slots::BOARDS {
            let read = toml::from_str::<toml::Table>(board.file);
            assert!(read.is_ok(), "{}", board.name);
        }
    }

    #[test]
    fn a_board_without_limits_of_its_own_has_those_of_the_kernel() {
        let root = tempfile::tempdir().unwrap();
        let zone = root.path().join("thermal_zone0");
        std::fs::create_dir(&zone).unwrap();
        for (name, text) in [
            ("type", "CPU-therm\n"),
            ("trip_point_0_type", "passive\n"),
            ("trip_point_0_temp", "97000\n"),
            ("trip_point_1_type", "critical\n"),
            ("trip_point_1_temp", "102500\n"),
        ] {
            std::fs::write(zone.join(name), text).unwrap();
        }
        let limits = of_kernel(root.path()).unwrap();
        assert_eq!((limits.throttle_c, limits.limit_c), (97.0, 102.5));
        assert_eq!(of_kernel(Path::new("/nowhere")), None);
    }

    #[test]
    fn the_firmware_tells_what_is_from_what_was() {
        for (bits, verdict, code) in [
            (0, Verdict::Ok, "ok"),
            (0x50000, Verdict::Warn, "was-throttled"),
            (0x50004, Verdict::Warn, "throttled"),
            (0x50005, Verdict::Fail, "under-voltage"),
        ] {
            let check = by_firmware(bits);
            assert_eq!((check.verdict, check.code), (verdict, code), "{bits:x}");
        }
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("sys/devices/platform/soc/soc:firmware");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("get_throttled"), "50005\n").unwrap();
        assert_eq!(firmware(root.path()), Some(0x50005));
    }
}
