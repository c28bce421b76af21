//! Whether each microphone is there, may be opened, and hears.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use undertone_analysis::{Level, Signal};

use super::check::{Check, rounded};
use super::hearing::{Heard, listen};
use super::setup::Setup;
use crate::capture::{CaptureError, CaptureSignal, MuteCause, SourceSpec};
use crate::config::SourceSettings;
use crate::inventory::{Holders, described};

const NAME: &str = "microphone";

/// Looks at every source; `status` is what a daemon that runs says.
pub(super) fn check(setup: &Setup, status: Option<&Value>, time: Duration) -> Vec<Check> {
    let Some(settings) = &setup.settings else {
        let cause = "the configuration cannot be used, and so does not say which";
        return vec![Check::skipped(NAME, "no-configuration", cause)];
    };
    let sources = settings.sources.iter();
    sources
        .map(|source| {
            let name = source.spec.to_string();
            of_source(source, told(status, &name), time).about(name)
        })
        .collect()
}

/// What the daemon says of one source.
fn told<'a>(status: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    let sources = status?["sources"].as_array()?;
    sources.iter().find(|source| source["name"] == name)
}

fn of_source(source: &SourceSettings, daemon: Option<&Value>, time: Duration) -> Check {
    match &source.spec {
        SourceSpec::Stdin => {
            return Check::skipped(
                NAME,
                "stdin",
                "what comes through standard input is not a device",
            );
        }
        SourceSpec::File(path) if !path.is_file() => {
            let shown = path.display();
            let next = format!("ls -l {shown}");
            return Check::fail(NAME, "mic-missing", "the recording does not exist", next);
        }
        _ => {}
    }
    if daemon.is_some_and(|daemon| daemon["state"] == "muted") {
        let cause = "muted; it is not listened to while that holds (undertoned ctl unmute)";
        return Check::skipped(NAME, "muted", cause);
    }
    match listen(&source.spec, &source.capture, time) {
        Ok(heard) => heard_so(&heard),
        Err(CaptureError::Busy { .. }) if daemon.is_some_and(hears) => Check::ok(
            NAME,
            "the daemon has it, and hears it (it cannot be opened a second time)",
        ),
        Err(error) => refused(&error, daemon),
    }
}

/// The daemon has the microphone and a signal of it.
fn hears(daemon: &Value) -> bool {
    let state = daemon["state"].as_str().unwrap_or_default();
    let signal = daemon["signal"].as_str().unwrap_or_default();
    matches!(state, "listening" | "speech" | "degraded")
        && matches!(signal, "ok" | "low" | "clipping")
        && daemon["dead"] != true
}

/// What cannot be opened.
fn refused(error: &CaptureError, daemon: Option<&Value>) -> Check {
    match error {
        CaptureError::Missing { reason, .. } => Check::fail(
            NAME,
            "mic-missing",
            format!("there is no such device: {reason}"),
            "undertoned devices   # is it plugged in, and is source.name one of these?",
        ),
        CaptureError::Denied { reason, .. } => Check::fail(
            NAME,
            "mic-denied",
            format!("it may not be opened: {reason}"),
            "sudo usermod -aG audio \"$USER\"   # then log in again; the service has the group by its unit",
        ),
        CaptureError::Busy { .. } => {
            let holders = Holders::of(Path::new("/dev/snd")).list;
            let who = if holders.is_empty() {
                "a program that this user cannot see".to_owned()
            } else {
                described(&holders)
            };
            let ids: Vec<String> = holders
                .iter()
                .map(|holder| holder.pid.to_string())
                .collect();
            let next = match (daemon, ids.is_empty()) {
                (Some(_), _) => {
                    "undertoned ctl status; journalctl -u undertoned.service -n 50".into()
                }
                (None, true) => "sudo fuser -v /dev/snd/*".to_owned(),
                (None, false) => format!("ps -fp {}   # stop what holds it", ids.join(",")),
            };
            Check::fail(NAME, "mic-busy", format!("it is held by {who}"), next)
        }
        CaptureError::Unsupported { .. } | CaptureError::Channels { .. } => Check::fail(
            NAME,
            "mic-unsupported",
            error.to_string(),
            "undertoned devices   # what it offers; then adapt [source]",
        ),
        other => {
            let cause = other.to_string();
            let next = "undertoned devices; dmesg | tail -n 30";
            Check::fail(NAME, "mic-failed", cause, next)
        }
    }
}

/// What was opened.
fn heard_so(heard: &Heard) -> Check {
    let format = heard.format;
    let how = format!(
        "{} Hz, {} channel(s), {}",
        format.rate, format.channels, heard.device
    );
    match &heard.ended {
        Some(CaptureSignal::Muted(MuteCause::Switch)) => {
            let next =
                "amixer scontents   # then switch capture on, or press the microphone's button";
            return Check::fail(NAME, "mic-switched-off", "its own switch is off", next);
        }
        Some(CaptureSignal::Lost { reason }) => {
            let cause = format!("it was opened, and delivers nothing: {reason}");
            return Check::fail(
                NAME,
                "mic-lost",
                cause,
                "dmesg | tail -n 30; undertoned devices",
            );
        }
        _ => {}
    }
    let Some(worst) = heard.levels.iter().max_by_key(|level| badness(level)) else {
        let cause = format!("it was opened ({how}), and delivers nothing");
        return Check::fail(
            NAME,
            "mic-stalled",
            cause,
            "dmesg | tail -n 30; undertoned devices",
        );
    };
    let level = format!(
        "peak {:.0} dBFS, mean {:.0} dBFS",
        worst.peak_dbfs, worst.rms_dbfs
    );
    let wiring =
        "amixer scontents; arecord -V mono -d 5 -f S16_LE /dev/null   # gain, switch, wiring";
    let check = match (worst.dead, worst.signal) {
        (true, _) => Check::fail(
            NAME,
            "mic-dead",
            format!("every sample is the same, as no microphone that works delivers ({how})"),
            wiring,
        ),
        (_, Signal::None) => Check::fail(
            NAME,
            "mic-silent",
            format!("silence: {level}; not even the noise of a room ({how})"),
            wiring,
        ),
        (_, Signal::Low) => Check::warn(
            NAME,
            "mic-low",
            format!("quiet: {level}; nobody spoke, or the gain is too low ({how})"),
            "undertoned doctor --seconds 5   # and speak meanwhile; alsamixer -V capture sets the gain",
        ),
        (_, Signal::Clipping) => Check::warn(
            NAME,
            "mic-clipping",
            format!("clipped: {level}; the gain is too high ({how})"),
            "alsamixer -V capture   # lower the gain",
        ),
        (_, Signal::Ok) if heard.xruns > 0 => Check::warn(
            NAME,
            "mic-xruns",
            format!(
                "heard, {level}; it lost samples {} time(s) ({how})",
                heard.xruns
            ),
            "top -b -n 1 | head -n 20   # what keeps the processor from it?",
        ),
        (_, Signal::Ok) => Check::ok(NAME, format!("heard, {level} ({how})")),
    };
    let peaks = heard
        .levels
        .iter()
        .map(|level| rounded(level.peak_dbfs.into()));
    let means = heard
        .levels
        .iter()
        .map(|level| rounded(level.rms_dbfs.into()));
    check
        .figure("rate_hz", format.rate)
        .figure("channels", format.channels)
        .figure("peak_dbfs", peaks.collect::<Vec<f64>>())
        .figure("rms_dbfs", means.collect::<Vec<f64>>())
        .figure("xruns", heard.xruns)
}

fn badness(level: &Level) -> u8 {
    match (level.dead, level.signal) {
        (true, _) => 4,
        (_, Signal::None) => 3,
        (_, Signal::Clipping) => 2,
        (_, Signal::Low) => 1,
        (_, Signal::Ok) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use undertone_analysis::Format;

    fn level(peak_dbfs: f32, signal: Signal, dead: bool) -> Level {
        Level {
            at_frame: 0,
            rms_dbfs: peak_dbfs - 10.0,
            peak_dbfs,
            noise_floor_dbfs: -120.0,
            signal,
            dead,
            speech_ratio: 0.0,
            raised: false,
        }
    }

    fn heard(levels: Vec<Level>, ended: Option<CaptureSignal>) -> Check {
        heard_so(&Heard {
            format: Format {
                rate: 48_000,
                channels: 2,
            },
            device: "ALSA".into(),
            levels,
            ended,
            xruns: 0,
        })
    }

    #[test]
    fn the_worst_channel_decides() {
        let fine = level(-20.0, Signal::Ok, false);
        for (other, verdict, code) in [
            (fine, Verdict::Ok, "ok"),
            (level(-50.0, Signal::Low, false), Verdict::Warn, "mic-low"),
            (
                level(0.0, Signal::Clipping, false),
                Verdict::Warn,
                "mic-clipping",
            ),
            (
                level(-90.0, Signal::None, false),
                Verdict::Fail,
                "mic-silent",
            ),
            (level(-120.0, Signal::None, true), Verdict::Fail, "mic-dead"),
        ] {
            let check = heard(vec![fine, other], None);
            assert_eq!((check.verdict, check.code), (verdict, code));
            assert_eq!(check.next.is_some(), verdict != Verdict::Ok);
        }
    }

    #[test]
    fn a_microphone_that_is_open_and_delivers_nothing_is_told_apart() {
        assert_eq!(heard(Vec::new(), None).code, "mic-stalled");
        let switch = CaptureSignal::Muted(MuteCause::Switch);
        assert_eq!(heard(Vec::new(), Some(switch)).code, "mic-switched-off");
        let lost = CaptureSignal::Lost {
            reason: "EIO".into(),
        };
        assert_eq!(heard(Vec::new(), Some(lost)).code, "mic-lost");
    }

    #[test]
    fn what_the_daemon_hears_counts_only_with_a_signal() {
        let of = |state: &str, signal: &str, dead: bool| {
            hears(&serde_json::json!({"state": state, "signal": signal, "dead": dead}))
        };
        assert!(of("listening", "ok", false));
        assert!(!of("listening", "ok", true));
        assert!(!of("listening", "none", false));
        assert!(!of("mic-lost", "ok", false));
    }

    #[test]
    fn every_refusal_has_a_code_and_a_command() {
        let (name, reason) = ("x".to_owned(), "EIO".to_owned());
        let errors = [
            CaptureError::Missing {
                name: name.clone(),
                reason: reason.clone(),
                available: Vec::new(),
            },
            CaptureError::Denied {
                name: name.clone(),
                reason: reason.clone(),
            },
            CaptureError::Busy {
                name: name.clone(),
                reason: reason.clone(),
            },
            CaptureError::Device {
                name,
                action: "open",
                reason,
            },
        ];
        let codes: Vec<_> = errors
            .iter()
            .map(|error| refused(error, None).code)
            .collect();
        assert_eq!(
            codes,
            ["mic-missing", "mic-denied", "mic-busy", "mic-failed"]
        );
        assert!(
            errors
                .iter()
                .all(|error| refused(error, None).next.is_some())
        );
    }
}
