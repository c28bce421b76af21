//! What was measured, on disk: one JSON file for each protocol, written anew after each fold.
//!
//! `{"name", "protocol", "recipe", "clips", "results": [...]}`; a result is a [`Result`](FoldResult). Shares are 0 to 1, lists by class are in
//! the order of `classes`, and `null` stands for a class that does not occur or is never answered.

mod fold;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::protocol::Protocol;

pub use fold::{FoldResult, HeadOf};

/// What results that go by one name have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Hash of the recipe without seed and speakers, or `given` where model files were.
    pub recipe: String,
    /// Hash over the content of all clips that were there to train and to test on.
    pub clips: String,
}

/// All that was measured of one protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// What the recipe goes by.
    pub name: String,
    /// The protocol.
    pub protocol: Protocol,
    /// [`Origin::recipe`].
    pub recipe: String,
    /// [`Origin::clips`]; `None` in files from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clips: Option<String>,
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
    #[error("{}: has results of {what} ({found}, now {now}): give another --name", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What is another one.
        what: &'static str,
        /// Its hash there.
        found: String,
        /// Its hash now.
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
    /// [`ResultsError`]: file and format errors, or results of another recipe or of other clips.
    pub fn open(
        dir: &Path,
        name: &str,
        protocol: Protocol,
        origin: &Origin,
    ) -> Result<Self, ResultsError> {
        let path = Self::path(dir, name, protocol);
        if !path.exists() {
            return Ok(Self {
                name: name.to_owned(),
                protocol,
                recipe: origin.recipe.clone(),
                clips: Some(origin.clips.clone()),
                results: Vec::new(),
            });
        }
        let found = Self::read(&path)?;
        found.check(&path, &origin.recipe, Some(&origin.clips))?;
        Ok(found)
    }

    /// Refuses another origin; of files from before `clips` was kept it is not known.
    fn check(&self, path: &Path, recipe: &str, clips: Option<&String>) -> Result<(), ResultsError> {
        let known = self.clips.as_ref().zip(clips);
        for (what, found, now) in [("another recipe", self.recipe.as_str(), recipe)]
            .into_iter()
            .chain(known.map(|(found, now)| ("other corpora", found.as_str(), now.as_str())))
        {
            if found != now {
                return Err(ResultsError::Other {
                    path: path.to_owned(),
                    what,
                    found: found.to_owned(),
                    now: now.to_owned(),
                });
            }
        }
        Ok(())
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

    /// The model file whose own head answered for a fold and seed; `None` if none did yet.
    #[must_use]
    pub fn model(&self, fold: &str, seed: u64) -> Option<&str> {
        let of = |one: &&FoldResult| {
            (one.fold.as_str(), one.seed, one.head) == (fold, seed, HeadOf::Run)
        };
        self.results.iter().find(of)?.model.as_deref()
    }

    /// Adds a result to those that are there by now, in the place of one of the same, and writes all of them, at once or not at all.
    ///
    /// # Errors
    /// As [`Results::open`].
    pub fn add(&mut self, dir: &Path, result: FoldResult) -> Result<(), ResultsError> {
        let path = Self::path(dir, &self.name, self.protocol);
        let failed = |source| ResultsError::File {
            path: path.clone(),
            source,
        };
        // Measuring takes hours, and another process may have added some since, or be about to.
        let folder = path.parent().unwrap_or(dir);
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = fs::File::open(folder).map_err(failed)?;
        lock.lock().map_err(failed)?;
        if path.exists() {
            let now = Self::read(&path)?;
            now.check(&path, &self.recipe, self.clips.as_ref())?;
            *self = now;
        }
        self.results.retain(|one| one.place() != result.place());
        self.results.push(result);
        self.results.sort_by(|a, b| a.place().cmp(&b.place()));
        let mut text = serde_json::to_vec(self).map_err(|source| ResultsError::Format {
            path: path.clone(),
            source,
        })?;
        text.push(b'\n');
        let partial = path.with_extension("json.partial");
        fs::write(&partial, text).map_err(failed)?;
        fs::rename(&partial, &path).map_err(failed)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::corpora::Emotion;
    use crate::evaluation::metrics::{Figures, Outcome};
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
        let of = |recipe: &str, clips: &str| {
            let origin = Origin {
                recipe: recipe.to_owned(),
                clips: clips.to_owned(),
            };
            Results::open(dir.path(), "mine", Protocol::Tess, &origin)
        };
        let open = |recipe| of(recipe, "c1");
        let mut results = open("r1").unwrap();
        // Of another process that began as early.
        let mut others = open("r1").unwrap();
        others.add(dir.path(), result("2", 1, 5)).unwrap();
        results.add(dir.path(), result("1", 1, 7)).unwrap();
        results.add(dir.path(), result("1", 1, 7)).unwrap();
        let again = open("r1").unwrap();
        assert_eq!(again, results);
        assert_eq!(again.results.len(), 2);
        assert_eq!(
            (again.model("1", 1), again.model("1", 2)),
            (Some("0123"), None)
        );
        let has = |seed, head, condition| again.has(("1", seed, "all"), head, condition);
        assert!(has(1, HeadOf::Run, Condition::Clean));
        assert!(!has(2, HeadOf::Run, Condition::Clean));
        assert!(!has(1, HeadOf::Corpus, Condition::Clean));
        assert!(!has(1, HeadOf::Run, Condition::Reverb));
        assert!(matches!(open("r2"), Err(ResultsError::Other { .. })));
        let fewer = of("r1", "c2").unwrap_err().to_string();
        assert!(fewer.contains("other corpora (c1, now c2)"), "{fewer}");
        // As a file was before it told of its clips: more may be added, of any.
        let path = Results::path(dir.path(), "mine", Protocol::Tess);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"clips\":\"c1\",", "")).unwrap();
        let mut before = of("r1", "c2").unwrap();
        assert_eq!((before.clips.as_deref(), before.results.len()), (None, 2));
        before.add(dir.path(), result("3", 1, 5)).unwrap();
        assert_eq!(open("r1").unwrap().results.len(), 3);
        fs::write(path, "{").unwrap();
        assert!(matches!(open("r1"), Err(ResultsError::Format { .. })));
    }
}
