//! Refusals as people and scripts read them: code, cause, and what to do next.

use std::io::ErrorKind;

use serde_json::json;
use undertone_slots::SlotsError;

use crate::say_line;

/// Says what is wrong on standard error, and on standard output too where a script listens.
pub(super) fn tell(error: &SlotsError, json: bool) {
    let next = next(error);
    if json {
        let report =
            json!({"ok": false, "code": error.code(), "cause": error.to_string(), "next": next});
        crate::print(&format!("{report}\n"));
    }
    say_line(format_args!("error[{}]: {error}", error.code()));
    say_line(format_args!("next: {next}"));
}

fn next(error: &SlotsError) -> String {
    match error {
        SlotsError::NotABundle(_) => {
            "name a file that `undertone bundle create` made (.utb)".into()
        }
        SlotsError::Truncated { .. } | SlotsError::Tampered { .. } => {
            "fetch the bundle again; `undertone bundle verify FILE --key KEY.pub` checks it where it was made".into()
        }
        SlotsError::Unsigned => "sign it: undertone bundle sign FILE --key KEY".into(),
        SlotsError::ForeignKey { .. } => {
            "have it signed with a key of this box, or, if you trust that key, put its .pub into the keys' folder".into()
        }
        SlotsError::NoKeys { folder } => format!(
            "put the public key of whoever signs your bundles there: cp KEY.pub {}/",
            folder.display()
        ),
        SlotsError::TooManyKeys { folder, .. } => format!(
            "remove those that sign for this box no longer: ls {}",
            folder.display()
        ),
        SlotsError::BadKey { path, .. } => format!(
            "replace {} by a file that `undertone bundle key` or `minisign -G` wrote",
            path.display()
        ),
        SlotsError::Manifest(_) | SlotsError::Limit { .. } => {
            "make it again with an `undertone` of the same version as this box: undertone bundle create".into()
        }
        SlotsError::WrongBoard { .. } => {
            "take the bundle for this board, or correct `board` in /etc/undertone/slots.toml".into()
        }
        SlotsError::WrongArch { .. } => "take the bundle for this processor".into(),
        SlotsError::TooOld { .. } => "take a newer bundle; a box never goes below its minimum version".into(),
        SlotsError::Busy { .. } => "wait for it, then: undertoned slot status".into(),
        SlotsError::TrialPending { .. } => {
            "wait for the end of the trial, or end it: undertoned slot commit, or undertoned slot rollback".into()
        }
        SlotsError::NoTrial => "undertoned slot status".into(),
        SlotsError::NothingBefore => {
            "undertoned slot status; the packaged program comes back with: undertoned slot rollback --packaged".into()
        }
        SlotsError::DamagedSlot { .. } => {
            "install a good bundle: undertoned slot install FILE, or: undertoned slot rollback --packaged".into()
        }
        SlotsError::BadState { path, .. } => format!(
            "look at it; removing it forgets the minimum version of this box: rm {}",
            path.display()
        ),
        SlotsError::Settings { .. } => "correct the file; what may stand there is in docs/deploy.md".into(),
        SlotsError::UnknownBoard(_) => {
            "name the board, as bundles do, with `board = \"...\"` in /etc/undertone/slots.toml".into()
        }
        SlotsError::Io { reason, .. } if reason.kind() == ErrorKind::PermissionDenied => {
            "do it as root: sudo undertoned slot ...".into()
        }
        SlotsError::Io { reason, .. } if reason.kind() == ErrorKind::StorageFull => {
            "make room: df -h, journalctl --vacuum-size=50M".into()
        }
        SlotsError::Io { .. } => "undertoned slot status".into(),
    }
}
