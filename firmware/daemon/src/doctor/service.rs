//! Whether the daemon runs, as the service manager and as itself sees it.

use std::io;
use std::time::Duration;

use serde_json::Value;

use super::check::Check;
use super::setup::Setup;
use crate::control::{Command, ask};
use crate::program;

const UNIT: &str = "undertoned.service";
const PATIENCE: Duration = Duration::from_secs(10);
const LOG: &str = "journalctl -u undertoned.service -n 50 --no-pager";

/// The unit, then the daemon; and what the daemon says of itself, if it runs.
pub(super) fn check(setup: &Setup) -> (Vec<Check>, Option<Value>) {
    let properties = "--property=LoadState,ActiveState,SubState,Result,NRestarts,ExecMainStatus";
    let shown = program::ask(&["systemctl", "show", UNIT, properties], PATIENCE);
    let (unit, active) = of_unit(
        shown
            .filter(|shown| shown.succeeded)
            .map(|shown| shown.text),
    );
    let asked = ask(&setup.socket, &Command::Status);
    let daemon = of_daemon(&asked, active).about(setup.socket.display());
    let status = asked.ok().filter(|status| status["outcome"] == "status");
    (vec![unit, daemon], status)
}

/// What systemd says; whether the unit is active, where that is known.
fn of_unit(shown: Option<String>) -> (Check, Option<bool>) {
    const NAME: &str = "service";
    let Some(shown) = shown else {
        let cause = "no systemd answers here";
        return (Check::skipped(NAME, "no-systemd", cause), None);
    };
    let value = |name: &str| {
        let found = shown
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default().to_owned()
    };
    if value("LoadState") == "not-found" {
        let cause = format!("systemd knows no {UNIT}");
        let next = "sudo apt-get install ./undertoned_VERSION_ARCH.deb   # docs/daemon.md";
        return (
            Check::warn(NAME, "unit-missing", cause, next).about(UNIT),
            None,
        );
    }
    let (state, sub, result) = (value("ActiveState"), value("SubState"), value("Result"));
    let restarts: u64 = value("NRestarts").parse().unwrap_or(0);
    let active = state == "active";
    let exit = value("ExecMainStatus");
    let check = match state.as_str() {
        "active" if restarts > 0 => Check::warn(
            NAME,
            "restarted",
            format!("active, but restarted {restarts} time(s)"),
            LOG,
        ),
        "active" => Check::ok(NAME, format!("{state} ({sub})")),
        "activating" | "reloading" => Check::warn(
            NAME,
            "starting",
            format!(
                "{state} ({sub}); it is ready with the first audio, restarted {restarts} time(s)"
            ),
            LOG,
        ),
        _ => Check::fail(
            NAME,
            "not-running",
            format!("{state} ({sub}), result {result}, exit code {exit}"),
            format!("{LOG}; sudo systemctl restart undertoned"),
        ),
    };
    let check = check.about(UNIT).figure("restarts", restarts);
    (check, Some(active))
}

fn of_daemon(asked: &io::Result<Value>, active: Option<bool>) -> Check {
    const NAME: &str = "daemon";
    let status = match asked {
        Ok(status) if status["outcome"] == "status" => status,
        Ok(answer) => {
            let cause = format!("it answers, but with no status: {answer}");
            return Check::fail(NAME, "daemon-odd", cause, LOG);
        }
        Err(error) => return unreachable(error, active),
    };
    let text = |name: &str| status[name].as_str().unwrap_or("unknown").to_owned();
    let (state, signal) = (text("state"), text("signal"));
    let troubles: Vec<&str> = status["troubles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let told = format!("{state}, signal {signal}");
    let ctl = "undertoned ctl status";
    let check = match state.as_str() {
        "listening" | "speech" => Check::ok(NAME, told),
        "muted" => Check::warn(NAME, "muted", told, "undertoned ctl unmute"),
        "starting" => Check::warn(NAME, "starting", told, LOG),
        "degraded" => {
            let cause = format!("{told}: {}", troubles.join(", "));
            Check::warn(NAME, "degraded", cause, ctl)
        }
        _ => Check::fail(NAME, "deaf", told, format!("{ctl}; undertoned devices")),
    };
    check.figure("state", state)
}

fn unreachable(error: &io::Error, active: Option<bool>) -> Check {
    const NAME: &str = "daemon";
    match (error.kind(), active) {
        (io::ErrorKind::PermissionDenied, _) => Check::skipped(
            NAME,
            "socket-denied",
            "only root and the group undertone may ask it (sudo undertoned doctor)",
        ),
        (io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused, Some(true)) => Check::fail(
            NAME,
            "socket-missing",
            format!("the service runs, but does not take commands here: {error}"),
            format!("undertoned ctl --socket PATH status   # control.socket names it; {LOG}"),
        ),
        (io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused, _) => Check::fail(
            NAME,
            "not-running",
            format!("no daemon answers: {error}"),
            "sudo systemctl start undertoned; undertoned ctl status",
        ),
        _ => Check::fail(
            NAME,
            "daemon-stuck",
            format!("it does not answer: {error}"),
            LOG,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use serde_json::json;

    fn unit(text: &str) -> (&'static str, Option<bool>) {
        let (check, active) = of_unit(Some(text.to_owned()));
        (check.code, active)
    }

    #[test]
    fn the_unit_is_judged_by_what_systemd_says() {
        assert_eq!(unit("LoadState=not-found\n"), ("unit-missing", None));
        let active = "LoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\n";
        assert_eq!(unit(active), ("ok", Some(true)));
        let again = active.replace("NRestarts=0", "NRestarts=3");
        assert_eq!(unit(&again), ("restarted", Some(true)));
        let failed = "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=3\n";
        assert_eq!(unit(failed), ("not-running", Some(false)));
        assert_eq!(of_unit(None).0.verdict, Verdict::Skipped);
    }

    #[test]
    fn the_daemon_is_judged_by_what_it_says_of_itself() {
        for (state, verdict) in [
            ("listening", Verdict::Ok),
            ("speech", Verdict::Ok),
            ("degraded", Verdict::Warn),
            ("muted", Verdict::Warn),
            ("stalled", Verdict::Fail),
            ("mic-lost", Verdict::Fail),
        ] {
            let status =
                json!({"outcome": "status", "state": state, "signal": "ok", "troubles": ["hot"]});
            assert_eq!(of_daemon(&Ok(status), None).verdict, verdict, "{state}");
        }
        let gone = || Err(io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(of_daemon(&gone(), Some(true)).code, "socket-missing");
        assert_eq!(of_daemon(&gone(), None).code, "not-running");
        let denied = Err(io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(of_daemon(&denied, None).verdict, Verdict::Skipped);
    }
}
