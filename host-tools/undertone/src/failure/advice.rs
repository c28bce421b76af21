//! Which code an error has, and what to do about it, where it was not said on the spot.

use std::io::{self, ErrorKind};

use undertone_configuration::ConfigError;
use undertone_decode::DecodeError;
use undertone_deployment::DeploymentError;
use undertone_model::ModelError;
use undertone_slots::SlotsError;

use super::Failure;

/// The code of an error, and the next thing to do.
pub(super) fn of(error: &anyhow::Error) -> (String, String) {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return (failure.code.clone(), failure.next.clone());
    }
    if let Some(refused) = error.downcast_ref::<SlotsError>() {
        return (refused.code().to_owned(), bundle(refused));
    }
    let (code, next) = if error.is::<DeploymentError>() {
        (
            "deployment",
            "declare what it is for with --purpose, --subjects and --legal-basis; docs/privacy.md has what is lawful",
        )
    } else if error.is::<ConfigError>() {
        (
            "bad-configuration",
            "correct it; docs/configuration.md has every field",
        )
    } else if error.is::<ModelError>() {
        (
            "bad-model",
            "take a file that undertone-train exported, of this version",
        )
    } else if error.is::<DecodeError>() {
        (
            "bad-audio",
            "take a recording that plays, or convert it: ffmpeg -i FILE out.wav",
        )
    } else if let Some(reason) = error
        .chain()
        .find_map(|part| part.downcast_ref::<io::Error>())
    {
        system(reason)
    } else {
        (
            "failed",
            "if it happens again: undertone report packs what is needed to find out why",
        )
    };
    (code.to_owned(), next.to_owned())
}

/// What to do about what the system says.
fn system(reason: &io::Error) -> (&'static str, &'static str) {
    match reason.kind() {
        ErrorKind::NotFound => (
            "not-found",
            "check that it is there, and called so: ls -l shows what there is",
        ),
        ErrorKind::PermissionDenied => (
            "denied",
            "ls -l shows who may; take another place, or run it as somebody who may",
        ),
        ErrorKind::AlreadyExists => ("exists", "name another file, or remove this one"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            ("disk-full", "make room, or take another place: df -h")
        }
        ErrorKind::ReadOnlyFilesystem => ("read-only", "take a place that may be written to"),
        ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            ("not-a-file", "name a file, in a folder that exists")
        }
        ErrorKind::InvalidData => (
            "bad-data",
            "it is damaged, or no text: make or fetch it again",
        ),
        _ => (
            "system",
            "df -h and dmesg | tail show what keeps the system from it",
        ),
    }
}

/// What to do about a bundle where it is made. None of it is a command that refuses a bundle for the same reason.
fn bundle(error: &SlotsError) -> String {
    match error {
        SlotsError::NotABundle(_) => {
            "name a file that undertone bundle create wrote; undertone bundle create --help".into()
        }
        SlotsError::Truncated { .. } | SlotsError::Tampered { .. } => {
            "do not use this file; fetch it again, or make it again with undertone bundle create"
                .into()
        }
        SlotsError::Unsigned => "undertone bundle sign FILE --key KEY".into(),
        SlotsError::ForeignKey { .. } => {
            "check where the bundle is from; sign it yourself only if you trust its content".into()
        }
        SlotsError::NoKeys { .. } | SlotsError::BadKey { .. } => {
            "name a public key (.pub); undertone bundle key --output site makes a pair of keys".into()
        }
        SlotsError::WrongBoard { .. } | SlotsError::WrongArch { .. } => {
            "undertone bundle inspect FILE shows what it is for".into()
        }
        SlotsError::TooOld { .. } => "take a newer bundle".into(),
        SlotsError::Manifest(_) | SlotsError::Limit { .. } => {
            "make it again: undertone bundle create --help; docs/bundle-format.md has what is allowed"
                .into()
        }
        SlotsError::Io { path, .. } => format!("ls -l {}; df -h", path.display()),
        SlotsError::Busy { .. }
        | SlotsError::TrialPending { .. }
        | SlotsError::NoTrial
        | SlotsError::NothingBefore
        | SlotsError::DamagedSlot { .. }
        | SlotsError::BadState { .. }
        | SlotsError::Settings { .. }
        | SlotsError::TooManyKeys { .. }
        | SlotsError::UnknownBoard(_) => "on the box: sudo undertoned slot status".into(),
    }
}
