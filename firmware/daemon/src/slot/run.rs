//! The commands that are done at once.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use serde_json::{Value, json};
use undertone_slots::{
    Bundle, Manifest, Moment, Settings, Slot, SlotStatus, Slots, SlotsError, TrustedKeys, own_board,
};

use super::{Outcome, open, trial};
use crate::{print, say_line};

/// The processor that this program was built for.
const ARCH: &str = std::env::consts::ARCH;

/// The report for a script, or the line for people.
pub(super) fn tell_done(json: bool, report: &Value, text: Option<&str>) {
    match (json, text) {
        (true, _) => print(&format!("{report}\n")),
        (false, Some(text)) => print(&format!("{text}\n")),
        (false, None) => {}
    }
}

fn board(settings: &Settings) -> Result<String, SlotsError> {
    match &settings.board {
        Some(board) => Ok(board.clone()),
        None => own_board().map(str::to_owned),
    }
}

fn source(path: &Path) -> Result<BufReader<File>, SlotsError> {
    let failed = |reason| SlotsError::Io {
        action: "open",
        path: path.to_owned(),
        reason,
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_file() {
        return Ok(BufReader::with_capacity(256 * 1024, file));
    }
    Err(failed(std::io::Error::other("it is no regular file")))
}

/// What people call what runs.
pub(super) fn name(slot: Option<Slot>) -> String {
    slot.map_or("the packaged program".to_owned(), |slot| {
        format!("slot {slot}")
    })
}

fn summary(manifest: &Manifest) -> Value {
    json!({"version": manifest.version, "minimum_version": manifest.minimum_version,
           "arch": manifest.arch, "boards": manifest.boards})
}

/// Checks a bundle to its last byte, and whether it may be installed here.
pub(super) fn check(settings: &Settings, path: &Path, json: bool) -> Result<Outcome, SlotsError> {
    let keys = TrustedKeys::from_folder(&settings.keys)?;
    let floor = Slots::look(&settings.root)?.state().floor;
    let bundle = Bundle::open(source(path)?, &keys)?;
    bundle.manifest().fits(&board(settings)?, ARCH, floor)?;
    let manifest = bundle.files(|_, content| {
        std::io::copy(content, &mut std::io::sink())
            .map(|_| ())
            .map_err(|reason| SlotsError::Io {
                action: "read",
                path: path.to_owned(),
                reason,
            })
    })?;
    let text = format!("version {} could be installed here", manifest.version);
    let report = json!({"ok": true, "dry_run": true, "bundle": summary(&manifest)});
    tell_done(json, &report, Some(&text));
    Ok(Outcome::Done)
}

pub(super) fn install(
    settings: &Settings,
    path: &Path,
    restart: bool,
    json: bool,
) -> Result<Outcome, SlotsError> {
    let keys = TrustedKeys::from_folder(&settings.keys)?;
    let board = board(settings)?;
    let mut slots = open(settings)?;
    let (slot, manifest) = slots.install(source(path)?, &keys, &board, ARCH, &Moment::now()?)?;
    drop(slots);
    let text = format!("version {} is in slot {slot}, on trial", manifest.version);
    if !restart {
        let report =
            json!({"ok": true, "trial": "trying", "slot": slot, "bundle": summary(&manifest)});
        tell_done(json, &report, Some(&text));
        return Ok(Outcome::Done);
    }
    say_line(format_args!("{text}; restarting the daemon"));
    // Where it fails the trial fails: health does not come, and the deadline takes the old one back.
    trial::restart(settings);
    trial::watch(settings, Some(slot), json)
}

pub(super) fn commit(settings: &Settings, json: bool) -> Result<Outcome, SlotsError> {
    let slot = open(settings)?.commit()?;
    let report = json!({"ok": true, "trial": "committed", "slot": slot});
    tell_done(json, &report, Some(&format!("slot {slot} is kept")));
    Ok(Outcome::Done)
}

pub(super) fn rollback(
    settings: &Settings,
    packaged: bool,
    restart: bool,
    json: bool,
) -> Result<Outcome, SlotsError> {
    let mut slots = open(settings)?;
    let slot = slots.rollback(packaged)?;
    drop(slots);
    let restarted = restart && trial::restart(settings);
    let name = name(slot);
    let report = json!({"ok": true, "current": slot, "restarted": restarted});
    tell_done(json, &report, Some(&format!("{name} is current again")));
    Ok(Outcome::Done)
}

pub(super) fn status(settings: &Settings, json: bool) -> Result<Outcome, SlotsError> {
    let status = Slots::look(&settings.root)?.status();
    let board = board(settings).unwrap_or_else(|error| error.to_string());
    if json {
        let mut report = serde_json::to_value(&status).unwrap_or_default();
        report["ok"] = true.into();
        report["board"] = board.into();
        report["arch"] = ARCH.into();
        tell_done(json, &report, None);
        return Ok(Outcome::Done);
    }
    let describe = |slot: &SlotStatus| match slot {
        SlotStatus::Empty => "empty".to_owned(),
        SlotStatus::Intact { version, .. } => format!("version {version}, intact"),
        SlotStatus::Damaged { reason } => format!("damaged: {reason}"),
    };
    let state = &status.state;
    let trial = state.trial.as_ref().map_or("none".to_owned(), |trial| {
        format!("slot {}, started {} times", trial.slot, trial.starts)
    });
    let last = state.last.as_ref().map_or("none".to_owned(), |last| {
        let ending = serde_json::to_value(last.ending).unwrap_or_default();
        format!(
            "version {}, {}",
            last.version,
            ending.as_str().unwrap_or_default()
        )
    });
    let previous = state
        .previous
        .map_or("nothing".to_owned(), |slot| name(Some(slot)));
    print(&format!(
        "board            {board}\nruns             {}\nslot a           {}\nslot b           {}\n\
         on trial         {trial}\nlast trial       {last}\ngoes back to     {previous}\nminimum version  {}\n",
        name(status.current),
        describe(&status.a),
        describe(&status.b),
        state.floor,
    ));
    Ok(Outcome::Done)
}
