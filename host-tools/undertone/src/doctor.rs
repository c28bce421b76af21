//! `undertone doctor`: what keeps a box from listening, and what to do about it. The box looks (`undertoned doctor`).

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use crate::clean::clean;
use crate::on_box::OnBox;
use crate::print;

/// Look at everything that keeps a box from listening, here or over ssh: microphone, permissions, model, broker, clock, heat,
/// disk, service
///
/// Exit codes: 0 nothing to complain about, 1 the box cannot be asked, 9 something warns, 10 something fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    on_box: OnBox,
}

impl Args {
    /// The exit code is the box's.
    pub(crate) fn run(&self) -> Result<ExitCode> {
        let (report, code) = self.on_box.ask("doctor")?;
        if self.on_box.connection.json {
            print::report(&report, true)?;
        } else {
            print::text(&lines(&report))?;
        }
        Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
    }
}

/// A line for each check, and below it the command to run next.
fn lines(report: &Value) -> String {
    let checks = report["checks"].as_array().into_iter().flatten();
    let line = |check: &Value| {
        let text = |field: &str| clean(check[field].as_str().unwrap_or_default());
        let about = match text("about") {
            about if about.is_empty() => about,
            about => format!("{about}: "),
        };
        let mut line = format!(
            "{:<8} {:<14} {about}{}\n",
            text("verdict"),
            text("check"),
            text("cause")
        );
        if check["next"].is_string() {
            line += &format!("{:>23} {}\n", "next:", text("next"));
        }
        line
    };
    checks.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_check_is_a_line_with_what_to_do_below_it() {
        let report = json!({"checks": [
            {"check": "clock", "verdict": "ok", "cause": "synchronised"},
            {"check": "microphone", "about": "alsa:x", "verdict": "fail", "cause": "gone\u{1b}[2J", "next": "undertoned devices"},
        ]});
        assert_eq!(
            lines(&report),
            "ok       clock          synchronised\n\
             fail     microphone     alsa:x: gone\u{fffd}[2J\n                  next: undertoned devices\n"
        );
        assert_eq!(lines(&json!({})), "");
    }
}
