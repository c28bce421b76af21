//! Failures as people and scripts read them: code, cause, and what to do next.

mod advice;
pub(crate) mod usage;

use std::fmt;

use serde_json::json;

use crate::clean::clean;

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

/// The error as it ends the program, on standard error: `error[code]: cause` and `next: ...`, one line each.
pub(crate) fn shown(error: &anyhow::Error) -> String {
    let (code, next) = advice::of(error);
    // Each may be what a box, a broker or a file says.
    format!(
        "error[{}]: {}\nnext: {}\n",
        clean(&code),
        clean(&cause(error)),
        clean(&next)
    )
}

/// The same for `--json`.
pub(crate) fn as_json(error: &anyhow::Error) -> serde_json::Value {
    let (code, next) = advice::of(error);
    json!({"ok": false, "code": code, "cause": cause(error), "next": next})
}

/// What happened, and why, and why that; what an error repeats of its own cause is said once.
fn cause(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, part| {
        let part = part.to_string();
        if text.is_empty() {
            part
        } else if text.contains(&part) {
            text
        } else {
            format!("{text}: {part}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn every_error_has_a_code_and_a_next_step_whatever_it_is() {
        let missing = || std::fs::File::open("/nowhere/x").map(drop);
        for (error, code) in [
            (Failure::error("mine", "why", "do this"), "mine"),
            (
                Err::<(), _>(Failure::error("mine", "why", "do this"))
                    .context("outside")
                    .unwrap_err(),
                "mine",
            ),
            (undertone_slots::SlotsError::Unsigned.into(), "unsigned"),
            (
                missing().context("cannot read /nowhere/x").unwrap_err(),
                "not-found",
            ),
            (anyhow::anyhow!("something else"), "failed"),
        ] {
            let shown = shown(&error);
            assert!(shown.starts_with(&format!("error[{code}]: ")), "{shown}");
            assert!(shown.contains("\nnext: "), "{shown}");
            assert_eq!(as_json(&error)["code"], code);
        }
    }

    #[test]
    fn nothing_that_a_box_says_reaches_the_terminal_as_a_command() {
        let error = Failure::error("a\u{1b}[2J", "b\u{9b}31m\nc", "d\u{202e}");
        assert_eq!(
            shown(&error),
            "error[a\u{fffd}[2J]: b\u{fffd}31m c\nnext: d\u{fffd}\n"
        );
    }

    #[test]
    fn what_an_error_says_of_its_cause_is_not_said_twice() {
        let inner = std::io::Error::other("the disk is gone");
        let error = anyhow::Error::from(inner)
            .context("cannot read x: the disk is gone")
            .context("no report");
        assert_eq!(cause(&error), "no report: cannot read x: the disk is gone");
    }
}
