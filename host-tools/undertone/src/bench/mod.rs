//! `undertone bench`: what the parts cost on this machine, and what `--peers` cost beside them.
//!
//! Every figure is the median of repeats of CPU time of one thread, so that a busy machine distorts it little; lowest and
//! highest are told with it. `docs/performance.md` says how each is taken.

mod channels;
mod daemon;
mod figure;
mod length;
mod machine;
mod memory;
mod parts;
mod peers;
mod sound;

use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;
use undertone_model::Model;

use crate::{model, print};
use figure::{Figure, table};
use machine::Machine;
use sound::Speech;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Compare with librosa, kaldi-native-fbank, openSMILE and onnxruntime, on the same audio in the same run
    #[arg(long)]
    peers: bool,
    /// The Python that has the peers
    #[arg(
        long,
        value_name = "PATH",
        env = "UNDERTONE_PYTHON",
        default_value = "python3",
        requires = "peers"
    )]
    python: PathBuf,
    /// A model file [default: the model inside this program]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A recording with speech to measure on [default: a synthetic one inside this program]
    #[arg(long, value_name = "FILE")]
    audio: Option<PathBuf>,
    /// A daemon whose start, memory and size are measured too
    #[arg(long, value_name = "PATH", conflicts_with = "peers")]
    daemon: Option<PathBuf>,
    /// Fewer repeats and channels: a sign of life, not a figure to publish
    #[arg(long, conflicts_with = "long")]
    quick: bool,
    /// Audio of up to 10 hours, to see that cost and memory stay flat
    #[arg(long)]
    long: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How much is measured.
#[derive(Debug, Clone, Copy)]
struct Effort {
    /// Repeats of what is short.
    repeats: usize,
    /// Numbers of channels.
    channels: &'static [usize],
    /// Seconds of audio through one channel.
    lengths: &'static [u64],
}

impl Effort {
    fn of(args: &Args) -> Self {
        match (args.quick, args.long) {
            (true, _) => Effort {
                repeats: 3,
                channels: &[1, 10, 100],
                lengths: &[10, 60],
            },
            (_, false) => Effort {
                repeats: 11,
                channels: &[1, 10, 100, 1000],
                lengths: &[10, 60, 600],
            },
            (_, true) => Effort {
                repeats: 11,
                channels: &[1, 10, 100, 1000],
                lengths: &[10, 60, 600, 3600, 36_000],
            },
        }
    }
}

#[derive(Serialize)]
struct Report {
    machine: Machine,
    version: &'static str,
    model: String,
    /// What was listened to.
    audio: String,
    quick: bool,
    figures: Vec<Figure>,
}

impl Args {
    pub(crate) fn run(&self) -> Result<()> {
        let effort = Effort::of(self);
        if let Some(path) = &self.daemon {
            daemon::check(path)?;
        }
        let loaded = model::load_or_default(self.model.as_deref())?;
        let speech = Speech::of(self.audio.as_deref(), &loaded)?;
        let figures = if self.peers {
            eprintln!("measuring in turn with the peers ...");
            let path = self.model.as_deref();
            peers::measure(&self.python, path, &loaded, &speech, effort.repeats)?
        } else {
            self.own(&loaded, &speech, effort)?
        };
        let report = Report {
            machine: Machine::this(),
            version: env!("CARGO_PKG_VERSION"),
            model: loaded.metadata().content_hash.clone(),
            audio: speech.describe(),
            quick: self.quick,
            figures,
        };
        if self.json {
            return print::text(&format!("{}\n", serde_json::to_string_pretty(&report)?));
        }
        let head = format!(
            "{}\nmodel {}\n{}\n",
            report.machine.describe(),
            report.model,
            report.audio
        );
        let note = if self.quick {
            "quick: a sign of life, not figures to publish\n"
        } else {
            ""
        };
        print::text(&format!("{head}{note}\n{}", table(&report.figures)))
    }

    fn own(&self, loaded: &Model, speech: &Speech, effort: Effort) -> Result<Vec<Figure>> {
        eprintln!("measuring the parts ...");
        let mut figures = parts::measure(self.model.as_deref(), loaded, speech, effort.repeats)?;
        eprintln!("measuring lengths of audio ...");
        figures.extend(length::measure(loaded, speech, effort.lengths)?);
        eprintln!("measuring numbers of channels ...");
        figures.extend(channels::measure(loaded, speech, effort.channels)?);
        if let Some(path) = &self.daemon {
            eprintln!("measuring the daemon ...");
            figures.extend(daemon::measure(path, speech, effort.repeats.min(5))?);
        }
        Ok(figures)
    }
}
