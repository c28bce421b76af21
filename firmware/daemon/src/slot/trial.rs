//! The trial of a slot, as time goes by.

use std::time::{Duration, Instant};

use serde_json::json;
use undertone_slots::{Bounds, Decision, Ending, Moment, Settings, Slot, SlotsError};

use super::command::succeeds;
use super::run::{name, tell_done};
use super::{Outcome, open};
use crate::say_line;

/// How long restarting may take, and one question for health.
const RESTART: Duration = Duration::from_secs(120);
const HEALTH: Duration = Duration::from_secs(20);

fn bounds(settings: &Settings) -> Bounds {
    Bounds {
        max_starts: settings.max_starts,
        deadline_s: settings.deadline_s,
    }
}

/// Counts a start; a slot that was started too often is not started again.
pub(super) fn start(settings: &Settings, json: bool) -> Result<Outcome, SlotsError> {
    let mut slots = open(settings)?;
    let decision = slots.starting(bounds(settings), &Moment::now()?)?;
    if let Decision::WentBack(slot) = decision {
        say_line(format_args!(
            "the new version did not stay up; going back to {}",
            name(slot)
        ));
    }
    let word = match decision {
        Decision::Settled => "settled",
        Decision::Trying(_) => "trying",
        Decision::WentBack(_) => "went-back",
    };
    tell_done(json, &json!({"ok": true, "trial": word}), None);
    // Whatever was decided, the daemon of `current` is to be started.
    Ok(Outcome::Done)
}

/// Restarts the daemon; it counts as unwell where that fails.
pub(super) fn restart(settings: &Settings) -> bool {
    let restarted = succeeds(&settings.restart, RESTART);
    if !restarted {
        say_line(format_args!("`{}` failed", settings.restart.join(" ")));
    }
    restarted
}

/// Asks for health once a second until it has held for long enough, or the deadline is over. `tried` is the slot whose trial
/// it is, if that is known: it may be over before anybody looks.
pub(super) fn watch(
    settings: &Settings,
    mut tried: Option<Slot>,
    json: bool,
) -> Result<Outcome, SlotsError> {
    let mut well_since: Option<Instant> = None;
    let mut told = false;
    loop {
        let decision = open(settings)?.overdue(bounds(settings), &Moment::now()?)?;
        match decision {
            Decision::Settled => {
                let Some(slot) = tried else {
                    tell_done(json, &json!({"ok": true, "trial": "settled"}), None);
                    return Ok(Outcome::Done);
                };
                // Somebody else ended it: the unit's start, or a person.
                return ended(settings, slot, json);
            }
            Decision::WentBack(_) => return went_back(settings, json),
            Decision::Trying(slot) => tried = Some(slot),
        }
        if succeeds(&settings.health, HEALTH) {
            let since = *well_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= settings.hold() {
                // The lock goes with the statement; telling the end takes it again.
                let committed = open(settings)?.commit();
                return match (committed, tried) {
                    (Ok(slot), _) | (Err(SlotsError::NoTrial), Some(slot)) => {
                        ended(settings, slot, json)
                    }
                    (Err(error), _) => Err(error),
                };
            }
        } else {
            well_since = None;
            if !told {
                say_line(format_args!(
                    "not well yet (`{}` fails); going back if that lasts",
                    settings.health.join(" ")
                ));
                told = true;
            }
        }
        std::thread::sleep(Duration::from_secs(1).min(settings.hold() / 4));
    }
}

/// Tells how the trial of a slot ended; the slot before it was committed as well, once.
fn ended(settings: &Settings, tried: Slot, json: bool) -> Result<Outcome, SlotsError> {
    let slots = open(settings)?;
    match slots.state().last.clone() {
        Some(last) if last.ending == Ending::Committed && last.slot == tried => {
            let text = format!("slot {} with version {} is kept", last.slot, last.version);
            let report = json!({"ok": true, "trial": "committed", "slot": last.slot, "version": last.version});
            tell_done(json, &report, Some(&text));
            Ok(Outcome::Done)
        }
        _ => {
            drop(slots);
            went_back(settings, json)
        }
    }
}

fn went_back(settings: &Settings, json: bool) -> Result<Outcome, SlotsError> {
    let slots = open(settings)?;
    let current = slots.current();
    let last = slots.state().last.clone();
    drop(slots);
    restart(settings);
    let failed = last.map_or("the new version".to_owned(), |last| {
        format!("version {}", last.version)
    });
    let runs = name(current);
    let cause = format!("{failed} was not well in time; {runs} is back");
    let next = "journalctl -u undertoned.service -n 50, then: undertoned slot status";
    if json {
        let report = json!({"ok": false, "code": "not-well", "trial": "rolled-back", "cause": cause,
                            "current": current, "next": next});
        crate::print(&format!("{report}\n"));
    }
    say_line(format_args!("error[not-well]: {cause}"));
    say_line(format_args!("next: {next}"));
    Ok(Outcome::WentBack)
}
