//! Whether the clock is right: events carry it, and certificates are judged by it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::check::Check;
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
            "timedatectl; sudo date -s 'YYYY-MM-DD HH:MM'   # then see to time synchronisation";
        return Check::fail(NAME, "clock-wrong", cause, next);
    }
    let timesyncd = Path::new("/run/systemd/timesync/synchronized").exists();
    judged(timesyncd, |words| ask(words, PATIENCE))
}

/// Asks whoever may know, from the one that is most likely there to the least; the first who knows decides.
fn judged(timesyncd: bool, ask: impl Fn(&[&str]) -> Option<Answer>) -> Check {
    if timesyncd {
        return Check::ok(NAME, "synchronised, says systemd-timesyncd");
    }
    let mut known = None;
    for (words, read) in SOURCES {
        let answer = ask(words).filter(|answer| answer.succeeded);
        match answer.and_then(|answer| read(&answer.text)) {
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
            "nothing on this system says whether it is synchronised (systemd, chrony, ntpd, adjtimex)",
            "date; sudo apt-get install systemd-timesyncd",
        ),
    }
}

type Read = fn(&str) -> Option<bool>;

/// What to ask, and how its answer is read.
const SOURCES: [(&[&str], Read); 4] = [
    // The kernel's own flag, whoever sets it.
    (
        &[
            "timedatectl",
            "show",
            "--property=NTPSynchronized",
            "--value",
        ],
        |text| match text.trim() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
    ),
    (&["adjtimex", "--print"], |text| {
        let value = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("status:"))?;
        // STA_UNSYNC of adjtimex(2).
        Some(value.trim().parse::<u32>().ok()? & 0x40 == 0)
    }),
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

    fn with(answers: &'static [(&'static str, &'static str)]) -> Check {
        judged(false, |words| {
            let (_, text) = answers.iter().find(|(program, _)| *program == words[0])?;
            Some(Answer {
                succeeded: true,
                text: (*text).to_owned(),
            })
        })
    }

    #[test]
    fn whoever_keeps_the_clock_is_believed() {
        assert_eq!(judged(true, |_| None).verdict, Verdict::Ok);
        for answers in [
            &[("timedatectl", "yes\n")][..],
            &[("timedatectl", "no\n"), ("chronyc", "A,B,3,1.0,Normal\n")],
            &[("adjtimex", "         mode: 0\n       status: 8193\n")],
            &[("ntpq", "leap=00\n")],
        ] {
            assert_eq!(with(answers).verdict, Verdict::Ok, "{answers:?}");
        }
    }

    #[test]
    fn a_clock_that_nobody_keeps_is_told() {
        for answers in [
            &[("timedatectl", "no\n")][..],
            &[("adjtimex", "status: 64\n")],
            &[("chronyc", "00000000,,0,0.0,Not synchronised\n")],
            &[("ntpq", "leap=11\n")],
        ] {
            assert_eq!(with(answers).code, "clock-unsynchronised", "{answers:?}");
        }
        assert_eq!(with(&[]).code, "clock-unknown");
        assert_eq!(with(&[("timedatectl", "?")]).code, "clock-unknown");
    }
}
