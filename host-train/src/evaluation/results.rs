//! What was measured, on disk: one JSON file for each protocol, written anew after each fold.
//!
//! `{"name", "protocol", "recipe", "results": [...]}`; a result is a [`Result`](FoldResult). Shares are 0 to 1, lists by class are in
//! the order of `classes`, and `null` stands for a class that does not occur or is never answered.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::metrics::Figures;
use super::protocol::Protocol;
use super::speakers::BySpeaker;
use crate::corpora::Emotion;

/// Whose head answered.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum HeadOf {
    /// The one that the run trained, for all corpora.
    #[default]
    Run,
    /// A new one, fitted to what the run has heard of the corpus that is scored.
    Corpus,
}

impl HeadOf {
    fn is_run(&self) -> bool {
        *self == Self::Run
    }
}

/// Figures of one fold of a protocol, of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldResult {
    /// The fold's name.
    pub fold: String,
    /// Seed of the run.
    pub seed: u64,
    /// Which set of classes.
    pub task: String,
    /// The condition that clips were heard in.
    pub condition: Condition,
    /// Whose head answered.
    #[serde(default, skip_serializing_if = "HeadOf::is_run")]
    pub head: HeadOf,
    /// Day of the measurement, UTC.
    pub date: String,
    /// Content hash of the model file; `None` where no file was made, as of the classic network.
    pub model: Option<String>,
    /// Unweighted accuracy on the run's validation speakers.
    pub validation: f64,
    /// The classes.
    pub classes: Vec<Emotion>,
    /// The figures.
    pub figures: Figures,
    /// Answers to each speaker's clips, by class.
    pub speakers: BySpeaker,
}

/// All that was measured of one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// What the recipe goes by.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Hash of the recipe without seed and speakers.
    pub recipe: String,
    /// The figures, in the order of fold, seed, task, head and condition.
    pub results: Vec<FoldResult>,
}

/// Why results cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// A file cannot be read or written.
    #[error("{}: cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file is no results, or of another version.
    #[error("{}: holds no results of this version", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// A file has results of something else.
    #[error("{}: has results of another recipe ({found}, now {now}): give another --name", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// The recipe there.
        found: String,
        /// The recipe now.
        now: String,
    },
}

impl Results {
    /// The file of `protocol` below `dir`, for the recipe that goes by `name`.
    #[must_use]
    pub fn path(dir: &Path, name: &str, protocol: Protocol) -> PathBuf {
        dir.join(name).join(format!("{protocol}.json"))
    }

    /// What there is already of `protocol`; nothing yet for a new file.
    ///
    /// # Errors
    /// [`ResultsError`]: file and format errors, or results of another recipe.
    pub fn open(
        dir: &Path,
        name: &str,
        protocol: Protocol,
        recipe: &str,
    ) -> Result<Self, ResultsError> {
        let path = Self::path(dir, name, protocol);
        if !path.exists() {
            return Ok(Self {
                name: name.to_owned(),
                protocol,
                recipe: recipe.to_owned(),
                results: Vec::new(),
            });
        }
        let found = Self::read(&path)?;
        if found.recipe == recipe {
            Ok(found)
        } else {
            Err(ResultsError::Other {
                path,
                found: found.recipe,
                now: recipe.to_owned(),
            })
        }
    }

    /// The results in a file.
    ///
    /// # Errors
    /// File and format errors.
    pub fn read(path: &Path) -> Result<Self, ResultsError> {
        let text = fs::read(path).map_err(|source| ResultsError::File {
            path: path.to_owned(),
            source,
        })?;
        serde_json::from_slice(&text).map_err(|source| ResultsError::Format {
            path: path.to_owned(),
            source,
        })
    }

    /// Whether this was measured.
    #[must_use]
    pub fn has(
        &self,
        (fold, seed, task): (&str, u64, &str),
        head: HeadOf,
        condition: Condition,
    ) -> bool {
        let same = |one: &FoldResult| {
            let what = (one.fold.as_str(), one.seed, one.task.as_str());
            what == (fold, seed, task) && (one.head, one.condition) == (head, condition)
        };
        self.results.iter().any(same)
    }

    /// Adds a result and writes all of them, at once or not at all.
    ///
    /// # Errors
    /// File errors.
    pub fn add(&mut self, dir: &Path, result: FoldResult) -> Result<(), ResultsError> {
        self.results.push(result);
        self.results.sort_by(|a, b| {
            let key = |one: &FoldResult| {
                let condition = one.condition.to_string();
                let task = one.task.clone();
                (one.fold.clone(), one.seed, task, one.head, condition)
            };
            key(a).cmp(&key(b))
        });
        let path = Self::path(dir, &self.name, self.protocol);
        let failed = |source| ResultsError::File {
            path: path.clone(),
            source,
        };
        let mut text = serde_json::to_vec(self).map_err(|source| ResultsError::Format {
            path: path.clone(),
            source,
        })?;
        text.push(b'\n');
        let partial = path.with_extension("json.partial");
        fs::create_dir_all(path.parent().unwrap_or(dir)).map_err(failed)?;
        fs::write(&partial, text).map_err(failed)?;
        fs::rename(&partial, &path).map_err(failed)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::evaluation::metrics::Outcome;
    use crate::evaluation::speakers::by_speaker;

    pub(crate) fn result(fold: &str, seed: u64, right: usize) -> FoldResult {
        let outcomes: Vec<Outcome> = (0..10)
            .map(|n| Outcome {
                probabilities: if n < right {
                    vec![0.8, 0.2]
                } else {
                    vec![0.2, 0.8]
                },
                target: 0,
            })
            .collect();
        let speakers = outcomes.iter().enumerate();
        let speakers = speakers.map(|(n, one)| (if n % 2 == 0 { "a" } else { "b" }, one));
        FoldResult {
            fold: fold.to_owned(),
            seed,
            task: "all".to_owned(),
            condition: Condition::Clean,
            head: HeadOf::Run,
            date: "2026-11-24".to_owned(),
            model: Some("0123".to_owned()),
            validation: 0.5,
            classes: vec![Emotion::Neutral, Emotion::Sad],
            figures: Figures::of(&outcomes, 2),
            speakers: by_speaker(speakers, 2),
        }
    }

    #[test]
    fn a_finished_fold_is_there_after_a_restart_and_another_recipe_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let open = |recipe| Results::open(dir.path(), "mine", Protocol::Tess, recipe);
        let mut results = open("r1").unwrap();
        results.add(dir.path(), result("2", 1, 5)).unwrap();
        results.add(dir.path(), result("1", 1, 7)).unwrap();
        let again = open("r1").unwrap();
        assert_eq!(again, results);
        let has = |seed, head, condition| again.has(("1", seed, "all"), head, condition);
        assert!(has(1, HeadOf::Run, Condition::Clean));
        assert!(!has(2, HeadOf::Run, Condition::Clean));
        assert!(!has(1, HeadOf::Corpus, Condition::Clean));
        assert!(!has(1, HeadOf::Run, Condition::Reverb));
        assert!(matches!(open("r2"), Err(ResultsError::Other { .. })));
        fs::write(Results::path(dir.path(), "mine", Protocol::Tess), "{").unwrap();
        assert!(matches!(open("r1"), Err(ResultsError::Format { .. })));
    }
}
