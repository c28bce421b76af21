//! `undertone analyze`: recorded calls to rows about utterances, on all cores.
//!
//! In: files and folders of recordings, of which nothing is trusted, and a model. Out: JSON lines or Parquet; talk and a
//! progress bar on standard error. A recording that cannot be read is told as an `error` row and stops nothing else.
//!
//! ```text
//! inputs -> queue -> workers: recording -> timeline -> journal (JSON lines) [-> Parquet]
//! ```

mod inputs;
mod journal;
mod line;
mod page;
mod parquet;
mod progress;
mod recording;
mod resume;
mod roles;
mod shard;
mod spans;
mod timeline;
mod trace;
mod work;

use std::collections::HashSet;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use undertone_analysis::Channels;
use undertone_deployment::{DeploymentSection, LegalBasis, Subjects};

use crate::failure::Failure;
use crate::model;
use inputs::Inputs;
use journal::Journal;
use line::Run;
use recording::Listening;
use roles::Roles;
use shard::Shard;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Recordings, and folders that are searched for .wav .flac .mp3 .ogg
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// What this is used for; without a purpose nothing is analysed. For a demo or a bench: evaluation
    #[arg(long)]
    purpose: Option<String>,
    /// Who is heard
    #[arg(long, value_enum)]
    subjects: Option<Subjects>,
    /// Legal basis for listening
    #[arg(long, value_enum)]
    legal_basis: Option<LegalBasis>,
    /// A model file [default: the model inside this program]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The channels that are analysed: their mean, or each by itself
    #[arg(long, default_value = "mix", value_parser = PossibleValuesParser::new(["mix", "each"]).try_map(|text| text.parse::<Channels>()))]
    channels: Channels,
    /// Who is on each channel, for instance customer,agent; `-` or `skip` leaves a channel out before any analysis
    #[arg(
        long,
        value_name = "NAMES",
        allow_hyphen_values = true,
        conflicts_with = "channels"
    )]
    roles: Option<Roles>,
    /// Write rows also while an utterance goes on, as the daemon does
    #[arg(long)]
    updates: bool,
    /// The form of the output
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Where to; standard output when left out
    #[arg(long, short, value_name = "FILE", required_if_eq("format", "parquet"))]
    output: Option<PathBuf>,
    /// Write one recording as a page to look at instead of rows: waveform, speech, what was heard over time, level
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["format", "output", "resume", "shard", "jobs"]
    )]
    report: Option<PathBuf>,
    /// Continue an output that was begun: what is complete in it is not analysed again
    #[arg(long, requires = "output")]
    resume: bool,
    /// Analyse the I-th of N parts only, 1/N to N/N; a recording is always in the same part
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Recordings that are analysed at the same time [default: the number of cores]
    #[arg(long, value_name = "COUNT")]
    jobs: Option<NonZeroUsize>,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// JSON lines.
    Json,
    /// One Parquet file; the JSON lines that it is made of stay beside it.
    Parquet,
}

const EXAMPLES: &str = "\
Rows: `run` (once), `utterance`, with --updates `start` and `update`, and last of each recording `file` or `error`.
Parquet holds the rows about utterances only.

Examples:
  undertone analyze calls/ --purpose evaluation -o calls.jsonl
  undertone analyze calls/ --purpose \"call quality\" --subjects customers --roles customer,- --format parquet -o calls.parquet
  undertone analyze calls/ --purpose evaluation --shard 2/8 --resume -o part-2.jsonl
  undertone analyze call.wav --purpose evaluation --channels each --report call.html";

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let deployment = DeploymentSection {
            purpose: self.purpose.clone(),
            subjects: self.subjects,
            legal_basis: self.legal_basis,
            ..DeploymentSection::default()
        }
        .check()?;
        if deployment.is_acoustic_only() {
            return Err(Failure::error(
                "deployment",
                "the purpose acoustic-only has no emotions inferred, which is all that this command does",
                "declare another --purpose, where that is lawful; docs/privacy.md",
            ));
        }
        if let Some(roles) = &self.roles {
            roles.check(&deployment)?;
        }
        let model = model::load_or_default(self.model.as_deref())?;
        let run = Run {
            version: env!("CARGO_PKG_VERSION").into(),
            model: model.metadata().content_hash.clone(),
            labels: model.metadata().labels.clone(),
            deployment,
            channels: self.channels,
            roles: self.roles.as_ref().map(ToString::to_string),
            updates: self.updates,
        };
        let listening = Listening {
            model: &model,
            channels: self.channels,
            roles: self.roles.as_ref(),
            // A page shows how an utterance goes on.
            updates: self.updates || self.report.is_some(),
        };

        if let Some(file) = &self.report {
            return page::write(file, &self.paths, &listening, &run.deployment);
        }
        let found = Inputs::find(&self.paths, self.shard)?;
        let (mut journal, complete) = self.journal(&run)?;
        let (wanted, skipped) = found.without(&complete);
        let jobs = self
            .jobs
            .unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN));
        let outcome = work::analyse(&wanted, &listening, jobs.get(), &mut journal)?;
        let (Some(path), Format::Parquet) = (&self.output, self.format) else {
            return self.conclude(&outcome, skipped);
        };
        parquet::write(&self.journal_path(path), path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.conclude(&outcome, skipped)
    }

    /// Where rows go to, and the recordings that are already complete there.
    fn journal(&self, run: &Run) -> Result<(Journal, HashSet<String>)> {
        let Some(output) = &self.output else {
            return Ok((Journal::stdout(run)?, HashSet::new()));
        };
        let path = self.journal_path(output);
        if self.resume && path.exists() {
            let complete = resume::prepare(&path, run)?;
            return Ok((Journal::append(&path)?, complete));
        }
        for path in [&path, output] {
            let place = path.display();
            if path.exists() {
                return Err(Failure::error(
                    "exists",
                    format!("{place} is there already"),
                    "--resume goes on with it; otherwise remove it, or name another with --output",
                ));
            }
        }
        Ok((Journal::create(&path, run)?, HashSet::new()))
    }

    fn journal_path(&self, output: &std::path::Path) -> PathBuf {
        match self.format {
            Format::Json => output.to_owned(),
            Format::Parquet => {
                let mut name = output.as_os_str().to_owned();
                name.push(".jsonl");
                name.into()
            }
        }
    }

    fn conclude(&self, outcome: &work::Outcome, skipped: usize) -> Result<()> {
        eprintln!("{}", outcome.describe(skipped));
        if outcome.failed > 0 {
            let place = if self.output.is_none() && std::io::stdout().is_terminal() {
                "above"
            } else {
                "in the rows of kind error"
            };
            return Err(Failure::error(
                "incomplete",
                format!(
                    "{} of {} recordings could not be analysed to their end; the reasons are {place}",
                    outcome.failed, outcome.recordings
                ),
                "check these recordings; with --output, --resume tries them again",
            ));
        }
        Ok(())
    }
}
