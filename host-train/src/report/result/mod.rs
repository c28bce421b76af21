//! The page about results: what a model can do for strangers, how it was trained, and what it costs.
//!
//! What is known comes from a run's folder, a model file, and [`Evidence`]: measured now on corpora, or read from what was
//! measured before. What nobody has measured is said to be so.

mod classes;
mod conditions;
mod confidence;
mod curves;
mod evidence;
mod measure;
mod noise;
mod people;
pub mod pictures;
mod protocols;
mod provenance;
mod verdict;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use undertone_model::{Model, read_bounded};
use undertone_page::{Html, Page};

use super::ReportError;
use crate::training::checkpoint::{Plan, RunFolder, State};

pub use evidence::{
    Bin, ConditionEvidence, CorpusEvidence, Coverage, Evidence, Noisy, Person, Scores,
};
pub use measure::measure;

/// What a report is about; at least one of run and model.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// A run's folder.
    pub run: Option<PathBuf>,
    /// A model file.
    pub model: Option<PathBuf>,
    /// Corpora to measure the model on; without any, what was measured before is shown.
    pub corpora: Vec<PathBuf>,
    /// Folder with what was measured before; `None` for `evaluation` beside the model.
    pub evaluations: Option<PathBuf>,
}

/// A model file as opened.
pub(super) struct Opened {
    path: PathBuf,
    bytes: usize,
    model: Model,
}

impl Opened {
    fn read(path: &Path) -> Result<Self, ReportError> {
        let bytes =
            File::open(path)
                .and_then(read_bounded)
                .map_err(|source| ReportError::File {
                    path: path.to_owned(),
                    source,
                })?;
        let model = Model::from_bytes(&bytes).map_err(|source| ReportError::Model {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes: bytes.len(),
            model,
        })
    }
}

/// What a page was made from.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// What was measured for this page.
    pub measured: Option<Evidence>,
    /// What it shows: that, or what was measured before.
    pub shown: Option<Evidence>,
}

/// The page, as HTML, and the evidence that it shows.
///
/// # Errors
/// [`ReportError`]: a run or model that cannot be read, corpora other than the model's.
pub fn report(subject: &Subject) -> Result<(String, Shown), ReportError> {
    let run: Option<(Plan, State)> = subject
        .run
        .as_deref()
        .map(|path| RunFolder::load(path).map(|(_, plan, state)| (plan, state)))
        .transpose()?;
    let model = subject.model.as_deref().map(Opened::read).transpose()?;
    let folder = subject
        .evaluations
        .clone()
        .or_else(|| Some(subject.model.as_deref()?.parent()?.join("evaluation")));
    let measured = match &model {
        Some(opened) if !subject.corpora.is_empty() => {
            Some(measure(&opened.path, &opened.model, &subject.corpora)?)
        }
        _ => None,
    };
    let stored = match (&model, &folder) {
        (Some(opened), Some(folder)) => {
            Evidence::find(folder, &opened.model.metadata().content_hash)?
        }
        _ => None,
    };
    let evidence = match (measured.clone(), stored) {
        (Some(measured), Some(stored)) => Some(measured.with_conditions_of(stored)),
        (measured, stored) => measured.or(stored),
    };
    let protocols = folder.as_deref().map(protocols::read).unwrap_or_default();

    let name = |path: &Option<PathBuf>| path.as_deref().map(|path| path.display().to_string());
    let names: Vec<String> = [name(&subject.run), name(&subject.model)]
        .into_iter()
        .flatten()
        .collect();
    let mut page = Page::new(
        "What the model can do",
        Html::text("About ").and(Html::code(&names.join(", "))),
    );
    facts(&mut page, model.as_ref(), evidence.as_ref(), run.as_ref());
    for (mood, text) in verdict::findings(evidence.as_ref(), &protocols) {
        page.finding(mood, text);
    }
    page.section(classes::section(evidence.as_ref())?);
    page.section(people::section(evidence.as_ref())?);
    page.section(confidence::section(evidence.as_ref(), model.as_ref())?);
    page.section(noise::section(evidence.as_ref())?);
    page.section(conditions::section(evidence.as_ref())?);
    page.section(protocols::section(&protocols)?);
    page.section(curves::section(run.as_ref())?);
    page.section(provenance::section(
        model.as_ref(),
        run.as_ref(),
        evidence.as_ref(),
    )?);
    page.footer("Made by undertone-train report from measurements; it holds no recording and nothing from which one could be made.");
    Ok((
        page.html(),
        Shown {
            measured,
            shown: evidence,
        },
    ))
}

fn facts(
    page: &mut Page,
    model: Option<&Opened>,
    evidence: Option<&Evidence>,
    run: Option<&(Plan, State)>,
) {
    if let Some(evidence) = evidence {
        let corpora = &evidence.corpora;
        let mean = corpora
            .iter()
            .map(|corpus| corpus.figures.unweighted_accuracy)
            .sum::<f64>()
            / corpora.len().max(1) as f64;
        page.fact("mean recall, strangers", format!("{:.0} %", 100.0 * mean));
        page.fact(
            "clips tested on",
            corpora
                .iter()
                .map(|corpus| corpus.figures.clips)
                .sum::<usize>()
                .to_string(),
        );
        page.fact(
            "strangers",
            corpora
                .iter()
                .map(CorpusEvidence::speaker_count)
                .sum::<usize>()
                .to_string(),
        );
    }
    if let Some(opened) = model {
        page.fact("classes", opened.model.metadata().labels.len().to_string());
        page.fact("file", format!("{:.0} kB", opened.bytes as f64 / 1e3));
    }
    if let Some((_, state)) = run {
        page.fact("epochs", state.epochs.len().to_string());
    }
}

/// All JSON files in `folder` and in the folders right below it, in order.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        fs::read_dir(folder)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default()
    };
    let mut files = Vec::new();
    for path in list(folder) {
        if path.is_dir() {
            files.extend(list(&path));
        } else {
            files.push(path);
        }
    }
    files.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    files
}
