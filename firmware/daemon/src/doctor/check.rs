//! How a check came out: as a line for people and as an object for programs.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

/// The outcome; the worse comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Not looked at, for the reason that is told.
    Skipped,
    /// The box works, but not as it should, or not for long.
    Warn,
    /// The box does not do what it is for.
    Fail,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Skipped => "skipped",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What was looked at: `microphone`, `broker`, ...
    pub check: &'static str,
    /// Which one, where there may be several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// How it came out.
    pub verdict: Verdict,
    /// A word for programs that does not change: `ok`, or what is wrong.
    pub code: &'static str,
    /// What was found, for people.
    pub cause: String,
    /// The command to run next, where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What was measured.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub figures: Map<String, Value>,
}

impl Check {
    pub(super) fn ok(check: &'static str, cause: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, "ok", cause, None)
    }

    pub(super) fn skipped(
        check: &'static str,
        code: &'static str,
        cause: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Skipped, code, cause, None)
    }

    pub(super) fn warn(
        check: &'static str,
        code: &'static str,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Warn, code, cause, Some(next.into()))
    }

    pub(super) fn fail(
        check: &'static str,
        code: &'static str,
        cause: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self::new(check, Verdict::Fail, code, cause, Some(next.into()))
    }

    fn new(
        check: &'static str,
        verdict: Verdict,
        code: &'static str,
        cause: impl Into<String>,
        next: Option<String>,
    ) -> Self {
        Check {
            check,
            about: None,
            verdict,
            code,
            cause: cause.into(),
            next,
            figures: Map::new(),
        }
    }

    pub(super) fn about(mut self, about: impl fmt::Display) -> Self {
        self.about = Some(about.to_string());
        self
    }

    pub(super) fn figure(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.figures.insert(name.to_owned(), value.into());
        self
    }
}

impl fmt::Display for Check {
    /// `verdict  check  about: cause`, and `next: ...` below it. What comes from outside cannot steer a terminal.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = self
            .about
            .as_ref()
            .map_or(String::new(), |about| format!("{about}: "));
        let line = plain(&format!("{about}{}", self.cause));
        writeln!(to, "{:<8} {:<14} {line}", self.verdict.name(), self.check)?;
        match &self.next {
            Some(next) => writeln!(to, "{:>23} {}", "next:", plain(next)),
            None => Ok(()),
        }
    }
}

/// A text on one line and without control characters.
fn plain(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let shown: Vec<char> = match c {
                '\n' | '\t' => vec![' '],
                c if c.is_control() => c.escape_default().collect(),
                c => vec![c],
            };
            shown
        })
        .collect()
}

/// A decimal place is enough for people and programs.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_verdict_thing_cause_and_what_to_do() {
        let check = Check::fail(
            "broker",
            "broker-refused",
            "it says\n\u{1b}[2Jno",
            "try this",
        )
        .about("mqtt.local:8883")
        .figure("took_ms", 7);
        assert_eq!(
            check.to_string(),
            "fail     broker         mqtt.local:8883: it says \\u{1b}[2Jno\n                  next: try this\n"
        );
        let json = serde_json::to_value(&check).unwrap();
        assert_eq!(json["verdict"], "fail");
        assert_eq!(json["figures"]["took_ms"], 7);
        let fine = Check::ok("clock", "synchronised");
        assert_eq!(fine.to_string(), "ok       clock          synchronised\n");
        assert!(serde_json::to_value(&fine).unwrap().get("next").is_none());
    }

    #[test]
    fn the_worse_verdict_is_the_greater() {
        assert!(Verdict::Fail > Verdict::Warn && Verdict::Warn > Verdict::Skipped);
        assert!(Verdict::Skipped > Verdict::Ok);
    }
}
