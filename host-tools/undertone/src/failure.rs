//! Failures as people and scripts read them: code, cause, and what to do next.

use std::fmt;

use serde_json::json;
use undertone_slots::SlotsError;

/// A failure with a code that does not change, and the next thing to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) cause: String,
    pub(crate) next: String,
}

impl Failure {
    pub(crate) fn error(
        code: impl Into<String>,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> anyhow::Error {
        Failure {
            code: code.into(),
            cause: cause.into(),
            next: next.into(),
        }
        .into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.cause)
    }
}

impl std::error::Error for Failure {}

/// The error as it ends the program, on standard error: `error[code]: cause` and `next: ...` where it has them.
pub(crate) fn shown(error: &anyhow::Error) -> String {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return format!(
            "error[{}]: {error:#}\nnext: {}\n",
            failure.code, failure.next
        );
    }
    if let Some(refused) = error.downcast_ref::<SlotsError>() {
        return format!(
            "error[{}]: {error:#}\nnext: {}\n",
            refused.code(),
            bundle_advice(refused)
        );
    }
    format!("error: {error:#}\n")
}

/// The same for `--json`.
pub(crate) fn as_json(error: &anyhow::Error) -> serde_json::Value {
    let (code, next) = if let Some(failure) = error.downcast_ref::<Failure>() {
        (failure.code.clone(), failure.next.clone())
    } else if let Some(refused) = error.downcast_ref::<SlotsError>() {
        (refused.code().to_owned(), bundle_advice(refused).to_owned())
    } else {
        ("failed".to_owned(), String::new())
    };
    json!({"ok": false, "code": code, "cause": format!("{error:#}"), "next": next})
}

/// What to do about a bundle where it is made.
fn bundle_advice(error: &SlotsError) -> &'static str {
    match error {
        SlotsError::NotABundle(_) => "undertone bundle create --help",
        SlotsError::Truncated { .. } | SlotsError::Tampered { .. } => {
            "do not use this file; fetch it again, or make it again with undertone bundle create"
        }
        SlotsError::Unsigned => "undertone bundle sign FILE --key KEY",
        SlotsError::ForeignKey { .. } => {
            "check where the bundle is from; sign it yourself only if you trust its content"
        }
        SlotsError::NoKeys { .. } | SlotsError::BadKey { .. } => {
            "undertone bundle key --output site (or minisign -G) makes a pair of keys"
        }
        SlotsError::WrongBoard { .. } | SlotsError::WrongArch { .. } => {
            "undertone bundle inspect FILE shows what it is for"
        }
        SlotsError::TooOld { .. } => "take a newer bundle",
        _ => "undertone bundle inspect FILE",
    }
}
