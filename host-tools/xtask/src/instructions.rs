//! `cargo xtask instructions`: how many instructions a second of speech takes, counted by callgrind.
//!
//! Times on a busy machine scatter by a third; these counts are the same in every run of the same program. Callgrind offers a program
//! no AVX-512, so that they are those of the AVX2 paths wherever they are counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use crate::packages::{self, COUNTER};
use crate::{command, workspace};

/// Parts of a live channel, by their names in the program that is counted.
const PARTS: [&str; 4] = ["vad", "features", "model", "whole"];
/// Seconds of speech that go through each part.
const SECONDS: u64 = 4;
/// What the counts are compared with.
const BASELINE: &str = "firmware/analysis/benches/instructions.json";
/// How much more than the baseline passes, as a share of it.
const TOLERANCE: f64 = 0.03;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write the counts down as what later ones are compared with
    #[arg(long)]
    save: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "save")]
    json: bool,
    /// Install missing system packages without asking
    #[arg(long)]
    yes: bool,
}

/// Instructions for a second of speech, by part.
type Counts = BTreeMap<String, u64>;

/// Counts, shows, and saves or compares.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    packages::ensure(&COUNTER, args.yes)?;
    let (compiler, counts) = (compiler()?, count()?);
    let file = workspace::root().join(BASELINE);
    let stored = json!({"compiler": compiler, "instructions_per_second_of_speech": counts});
    if args.json {
        println!("{stored:#}");
        return Ok(ExitCode::SUCCESS);
    }
    if args.save {
        fs::write(&file, format!("{stored:#}\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    let baseline = read(&file)?;
    println!("{}", shown(&counts, &baseline.counts));
    if baseline.compiler != compiler {
        println!(
            "Compared with counts of {}, and this is {compiler}.",
            baseline.compiler
        );
    }
    let worse = worse(&counts, &baseline.counts);
    if worse.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    bail!(
        "{} more instructions than {BASELINE} by over {:.0} %; if that is meant: cargo xtask instructions --save",
        worse.join(", "),
        100.0 * TOLERANCE
    )
}

/// Whether no part takes more than the baseline, or why that cannot be told here.
///
/// # Errors
/// When the program cannot be built or counted.
pub(crate) fn hold() -> Result<Result<bool, String>> {
    if !cfg!(target_arch = "x86_64") {
        return Ok(Err("counted on x86-64 only".into()));
    }
    if !command::exists("valgrind") {
        return Ok(Err("valgrind is not installed".into()));
    }
    let baseline = read(&workspace::root().join(BASELINE))?;
    let compiler = compiler()?;
    if baseline.compiler != compiler {
        let stored = &baseline.compiler;
        return Ok(Err(format!(
            "the stored counts are those of {stored}, and this is {compiler}"
        )));
    }
    let counts = count()?;
    eprintln!("{}", shown(&counts, &baseline.counts));
    Ok(Ok(worse(&counts, &baseline.counts).is_empty()))
}

struct Baseline {
    compiler: String,
    counts: Counts,
}

fn read(file: &Path) -> Result<Baseline> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read {}; --save makes it", file.display()))?;
    let value: Value = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    let counts = value["instructions_per_second_of_speech"].clone();
    Ok(Baseline {
        compiler: value["compiler"].as_str().unwrap_or_default().to_owned(),
        counts: serde_json::from_value(counts).with_context(|| file.display().to_string())?,
    })
}

/// Version of the compiler, on which the counts depend.
fn compiler() -> Result<String> {
    let output = Command::new("rustc")
        .current_dir(workspace::root())
        .arg("--version")
        .output()
        .context("cannot start rustc")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    ensure!(words.len() == 2, "rustc says no version: {text}");
    Ok(words.join(" "))
}

fn count() -> Result<Counts> {
    let program = build()?;
    let model = workspace::root().join("models/undertone-research.onnx");
    PARTS
        .iter()
        .map(|part| {
            let total = collected(&program, &model, part)?;
            Ok(((*part).to_owned(), total / SECONDS))
        })
        .collect()
}

fn build() -> Result<PathBuf> {
    let mut cargo = workspace::cargo();
    // The whole workspace's features, so that what the tests were built of is used again.
    cargo.args(["build", "--release", "--workspace"]);
    cargo.args(["--example", "channel_cost"]);
    // Standard output may be JSON for a script.
    if !command::succeeds(cargo.stdout(Stdio::null()))? {
        bail!("the program to be counted cannot be built; see the output above");
    }
    Ok(workspace::target_dir().join("release/examples/channel_cost"))
}

/// Instructions that one part takes for all seconds, without anything before and after it.
fn collected(program: &Path, model: &Path, part: &str) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=channel_cost::measured*")
        .arg(program)
        .arg(model)
        .args([&SECONDS.to_string(), part])
        .stdin(Stdio::null())
        .output()
        .context("cannot start valgrind")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let total = total(&said).filter(|total| *total > 0);
    match total {
        Some(total) if output.status.success() => Ok(total),
        _ => bail!("callgrind counted nothing of {part}: {said}"),
    }
}

/// From what callgrind says at the end: `==123== Collected : 456`.
fn total(said: &str) -> Option<u64> {
    let (_, number) = said
        .lines()
        .find_map(|line| line.split_once("Collected : "))?;
    number.split_whitespace().next()?.parse().ok()
}

/// A line for each part.
fn shown(counts: &Counts, baseline: &Counts) -> String {
    let lines = counts
        .iter()
        .map(|(part, count)| line(part, *count, baseline.get(part)));
    lines.collect::<Vec<_>>().join("\n")
}

fn line(part: &str, count: u64, before: Option<&u64>) -> String {
    let millions = count as f64 * 1e-6;
    let change = before.map_or_else(String::new, |before| {
        format!("  {:+.2} %", 100.0 * (count as f64 / *before as f64 - 1.0))
    });
    format!("{part:<9} {millions:>8.2} million instructions per second of speech{change}")
}

/// Parts that take more than they may.
fn worse(counts: &Counts, baseline: &Counts) -> Vec<String> {
    let more = |(part, count): (&String, &u64)| {
        let limit = *baseline.get(part)? as f64 * (1.0 + TOLERANCE);
        (*count as f64 > limit).then(|| part.clone())
    };
    counts.iter().filter_map(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_read_from_what_callgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 123456\n==7== \n";
        assert_eq!(total(said), Some(123_456));
        assert_eq!(total("==7== Collected : \n"), None);
        assert_eq!(total("valgrind: no such file"), None);
    }

    #[test]
    fn only_what_takes_more_than_it_may_is_named() {
        let counts = |model| Counts::from([("model".to_owned(), model), ("vad".to_owned(), 100)]);
        assert!(worse(&counts(102), &counts(100)).is_empty());
        assert!(worse(&counts(50), &counts(100)).is_empty());
        assert_eq!(worse(&counts(104), &counts(100)), ["model"]);
        assert!(line("model", 2_000_000, Some(&1_000_000)).ends_with("+100.00 %"));
    }

    #[test]
    fn every_part_has_a_stored_count() {
        let baseline = read(&workspace::root().join(BASELINE)).unwrap();
        assert!(PARTS.iter().all(|part| baseline.counts.contains_key(*part)));
        assert!(baseline.compiler.starts_with("rustc "));
    }
}
