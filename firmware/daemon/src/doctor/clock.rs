//! Whether the clock is right: events carry it, and certificates are judged by it.

use std::time::{Duration, SystemTime};

use super::check::Check;
use crate::health::Sensors;
use crate::program::{Answer, ask};

const NAME: &str = "clock";
const PATIENCE: Duration = Duration::from_secs(5);
/// A program is not older than this before the day it was built; a clock without a battery is.
const SLACK: Duration = Duration::from_secs(24 * 3600);

pub(super) fn check() -> Check {
    let built = std::env::current_exe()
        .and_then(std::fs::metadata)
        .and_then(|about| about.modified());
    if let Ok(built) = built
        && SystemTime::now() + SLACK < built
    {
        let cause = "it stands before the day on which this program was installed; certificates will be refused";
        let next =
            "timedatectl; sudo date -s 'YYYY-MM-DD HH:MM'   # then check time synchronisation";
        return Check::fail(NAME, "clock-wrong", cause, next);
    }
    judged(
        undertone_clock::is_synchronised(),
        Sensors::default().timesyncd(),
        |words| ask(words, PATIENCE),
    )
}

/// Asks the kernel, and where that does not know of a reference, whoever may keep the clock without telling it.
fn judged(kernel: Option<bool>, timesyncd: bool, ask: impl Fn(&[&str]) -> Option<Answer>) -> Check {
    if kernel == Some(true) {
        return Check::ok(NAME, "synchronised, says the kernel");
    }
    if timesyncd && kernel.is_none() {
        return Check::ok(NAME, "synchronised, says systemd-timesyncd");
    }
    let mut known = kernel.map(|_| "the kernel");
    for (words, read) in SOURCES {
        let answer = ask(words).filter(|answer| answer.succeeded);
        match answer.and_then(|answer| read(&answer.text)) {
            Some(true) if kernel == Some(false) => {
                let cause = format!(
                    "synchronised, says {}, but the kernel does not know; wall-clock times of events are marked as not synchronised",
                    words[0]
                );
                let next = "chronyc tracking; put `rtcsync` into /etc/chrony/chrony.conf";
                return Check::warn(NAME, "clock-unmarked", cause, next);
            }
            Some(true) => return Check::ok(NAME, format!("synchronised, says {}", words[0])),
            Some(false) => known = known.or(Some(words[0])),
            None => {}
        }
    }
    match known {
        Some(who) => Check::warn(
            NAME,
            "clock-unsynchronised",
            format!("not synchronised, says {who}; wall-clock times of events are marked so"),
            "timedatectl status; sudo timedatectl set-ntp true   # or: chronyc sources",
        ),
        None => Check::warn(
            NAME,
            "clock-unknown",
            "nothing on this system says whether it is synchronised (the kernel, systemd, chrony, ntpd)",
            "date; sudo apt-get install systemd-timesyncd",
        ),
    }
}

type Read = fn(&str) -> Option<bool>;

/// What to ask, and how its answer is read.
const SOURCES: [(&[&str], Read); 2] = [
    (&["chronyc", "-c", "tracking"], |text| {
        let leap = text.trim().rsplit(',').next()?;
        (!leap.is_empty()).then(|| leap != "Not synchronised")
    }),
    (&["ntpq", "-c", "rv 0 leap"], |text| {
        let leap = text.split("leap=").nth(1)?;
        // RFC 5905, section 7.3: 3 is not synchronised.
        Some(!leap.starts_with("11") && !leap.starts_with('3'))
    }),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    fn with(kernel: Option<bool>, answers: &'static [(&'static str, &'static str)]) -> Check {
        judged(kernel, false, |words| {
            let (_, text) = answers.iter().find(|(program, _)| *program == words[0])?;
            Some(Answer {
                succeeded: true,
                text: (*text).to_owned(),
            })
        })
    }

    #[test]
    fn whoever_keeps_the_clock_is_believed() {
        assert_eq!(judged(Some(true), false, |_| None).verdict, Verdict::Ok);
        assert_eq!(judged(None, true, |_| None).verdict, Verdict::Ok);
        for answers in [
            &[("chronyc", "A,B,3,1.0,Normal\n")][..],
            &[("ntpq", "leap=00\n")],
        ] {
            assert_eq!(with(None, answers).verdict, Verdict::Ok, "{answers:?}");
            assert_eq!(with(Some(false), answers).code, "clock-unmarked");
        }
    }

    #[test]
    fn a_clock_that_nobody_keeps_is_told() {
        for answers in [
            &[("chronyc", "00000000,,0,0.0,Not synchronised\n")][..],
            &[("ntpq", "leap=11\n")],
        ] {
            assert_eq!(
                with(None, answers).code,
                "clock-unsynchronised",
                "{answers:?}"
            );
        }
        assert_eq!(with(Some(false), &[]).code, "clock-unsynchronised");
        let stale = judged(Some(false), true, |_| None);
        assert_eq!(stale.code, "clock-unsynchronised");
        assert_eq!(with(None, &[]).code, "clock-unknown");
        assert_eq!(with(None, &[("chronyc", "")]).code, "clock-unknown");
    }
}
