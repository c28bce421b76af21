//! `cargo verify`: every check of the project, in order, with a summary.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::ValueEnum;

use crate::packages::{self, BROWSER, BUILD, COUNTER, PYTHON, RIG};
use crate::steps::{Outcome, Step};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
    /// Install cargo-deny when it is missing
    #[arg(long)]
    pub(crate) install_deny: bool,
    /// Do not install the test rig (sound server, browser); tests that need it say that they skip
    #[arg(long)]
    pub(crate) no_rig: bool,
    /// Run only these checks
    #[arg(long, value_delimiter = ',')]
    only: Vec<Step>,
}

/// Runs the checks; a failed one does not keep the later ones from running.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut wanted = BUILD.to_vec();
    if !args.no_rig {
        wanted.extend(RIG.iter().chain(&PYTHON).chain(&BROWSER).chain(&COUNTER));
    }
    packages::ensure(&wanted, args.yes)?;
    let mut results = Vec::new();
    for step in Step::value_variants() {
        if !args.only.is_empty() && !args.only.contains(step) {
            continue;
        }
        eprintln!("\n== {}", step.name());
        let start = Instant::now();
        let outcome = step.run(args).unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Outcome::Failed
        });
        results.push((*step, outcome, start.elapsed()));
    }
    Ok(summary(&results))
}

fn summary(results: &[(Step, Outcome, Duration)]) -> ExitCode {
    println!();
    for (step, outcome, time) in results {
        println!("{}", line(*step, outcome, *time));
    }
    if results
        .iter()
        .any(|(_, outcome, _)| *outcome == Outcome::Failed)
    {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn line(step: Step, outcome: &Outcome, time: Duration) -> String {
    let (word, reason) = match outcome {
        Outcome::Passed => ("ok", String::new()),
        Outcome::Failed => ("FAILED", String::new()),
        Outcome::Skipped(reason) => ("skipped", format!("  {reason}")),
    };
    format!(
        "{word:<8} {:<12} {:>7.1} s{reason}",
        step.name(),
        time.as_secs_f64()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_fails_the_whole_and_a_skipped_check_does_not() {
        let time = Duration::ZERO;
        let good = [
            (Step::Fmt, Outcome::Passed, time),
            (Step::Deny, Outcome::Skipped("why".into()), time),
        ];
        let bad = [
            (Step::Fmt, Outcome::Failed, time),
            (Step::Test, Outcome::Passed, time),
        ];
        assert_eq!(summary(&good), ExitCode::SUCCESS);
        assert_eq!(summary(&bad), ExitCode::FAILURE);
    }

    #[test]
    fn a_skipped_check_says_why() {
        let text = line(
            Step::Deny,
            &Outcome::Skipped("not installed".into()),
            Duration::from_millis(1500),
        );
        assert_eq!(text, "skipped  deny             1.5 s  not installed");
    }
}
