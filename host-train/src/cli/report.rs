//! `undertone-train report`: a run or a model as a page to look at.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use undertone_train::report::result::{Evidence, Subject, pictures, report};

use super::output;

/// One HTML file, which opens from disk and loads nothing. With --corpora the model is measured on the speakers that it never
/// heard, speaker by speaker and in noise; without, the page shows what was measured before and says what was not.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// A run's folder, a model file, or both
    #[arg(required = true, value_name = "RUN|MODEL", num_args = 1..=2)]
    about: Vec<PathBuf>,
    /// The page to write
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Folders with exactly the corpora that the model was trained on
    #[arg(long, value_name = "DIR", num_args = 1..)]
    corpora: Vec<PathBuf>,
    /// Folder with earlier measurements; `evaluation` beside the model if not named
    #[arg(long, value_name = "DIR")]
    evaluations: Option<PathBuf>,
    /// Also write what was measured, as JSON, to be shown again without the corpora
    #[arg(long, value_name = "FILE", requires = "corpora")]
    json: Option<PathBuf>,
    /// Also draw pictures for documents into this folder, as SVG
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
}

impl ReportArgs {
    pub(crate) fn run(self) -> Result<()> {
        let mut subject = Subject {
            corpora: self.corpora,
            evaluations: self.evaluations,
            ..Subject::default()
        };
        for path in self.about {
            let slot = match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => &mut subject.run,
                Ok(_) => &mut subject.model,
                Err(error) => bail!(
                    "{}: {error}: name a run's folder or a model file",
                    path.display()
                ),
            };
            ensure!(
                slot.is_none(),
                "{}: give one run and one model at most",
                path.display()
            );
            *slot = Some(path);
        }
        ensure!(
            subject.corpora.is_empty() || subject.model.is_some(),
            "--corpora measures a model file: name one, or export the run first"
        );
        let (html, evidence) = report(&subject)?;
        if let (Some(file), Some(measured)) = (&self.json, &evidence.measured) {
            let text = serde_json::to_string(measured).context("cannot write JSON")?;
            fs::write(file, text + "\n")
                .with_context(|| format!("cannot write {}", file.display()))?;
            eprintln!("{}", file.display());
        }
        if let Some(folder) = &self.pictures {
            let shown = evidence.shown.context("--pictures draws what was measured, and nothing was: give --corpora or --evaluations")?;
            draw(folder, &shown)?;
        }
        output::page(&self.output, &html)
    }
}

fn draw(folder: &std::path::Path, evidence: &Evidence) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, svg) in pictures::pictures(evidence)? {
        let file = folder.join(name);
        fs::write(&file, svg).with_context(|| format!("cannot write {}", file.display()))?;
        eprintln!("{}", file.display());
    }
    Ok(())
}
