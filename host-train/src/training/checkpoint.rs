//! What a run leaves on disk after every epoch.
//!
//! A run folder holds `recipe.json` (recipe and the clips' hash), `state.json` (epochs, scores), `last-0.bpk` and
//! `last-1.bpk` with `optimizer-0.bpk` and `optimizer-1.bpk` and whatever else learns (even and odd epochs in turn, to
//! resume), and `best.bpk` (to export). `state.json` is written last and atomically: the files of the epoch that it names are complete, and a
//! run stopped at any moment goes on from there.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::TrainingError;
use super::normalise::Normalisation;
use super::recipe::Recipe;
use super::schedule::Plateau;
use crate::network::NetworkConfig;

/// What a run is about; a resumed run must be about the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The recipe.
    pub recipe: Recipe,
    /// Which network, and its shape.
    pub network: NetworkConfig,
    /// Class names, in output order.
    pub labels: Vec<String>,
    /// Corpora trained on.
    pub corpora: Vec<String>,
    /// Hash of the content of training, validation and test clips.
    pub clips: [String; 3],
    /// Fixed normalisation, from the training clips.
    pub normalisation: Normalisation,
}

impl Plan {
    /// In what it is not of this recipe and these clips (training, validation, test), for people.
    #[must_use]
    pub fn other_than(&self, recipe: &Recipe, clips: &[String; 3]) -> Vec<String> {
        let fields = |recipe: &Recipe| match serde_json::to_value(recipe) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        let (before, now) = (fields(&self.recipe), fields(recipe));
        // A field that is as usual may not be written at all.
        let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
        names.sort_unstable();
        names.dedup();
        let text = |value: Option<&Value>| value.map_or("as usual".to_owned(), Value::to_string);
        let mut others: Vec<String> = names
            .into_iter()
            .map(|name| (name, before.get(name), now.get(name)))
            .filter(|(_, before, now)| before != now)
            .map(|(name, before, now)| format!("{name} ({}, now {})", text(before), text(now)))
            .collect();
        if self.clips != *clips {
            others.push("clips".to_owned());
        }
        others
    }
}

/// Figures of one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochFigures {
    /// Mean loss over the training steps.
    pub loss: f32,
    /// Mean over the corpora of the validation UA, 0 to 1.
    pub score: f64,
    /// Validation UA of each corpus.
    pub corpora: Vec<(String, f64)>,
    /// Learning rate at the epoch's end.
    pub learning_rate: f64,
    /// Wall time in seconds.
    pub seconds: f64,
}

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Complete epochs.
    pub epochs: Vec<EpochFigures>,
    /// Epoch (from 1) of the best validation score among those that may be kept (`Schedule::settled`), and the
    /// score; of a run that is not so far, its newest epoch.
    pub best: Option<(usize, f64)>,
    /// Plateau schedule.
    pub plateau: Plateau,
}

impl State {
    /// Which of the two sets of files the last epoch was stored in.
    pub(super) fn turn(&self) -> usize {
        self.epochs.len() % 2
    }
}

/// A run's folder.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// The folder at `path`, made if missing, for a run with this plan.
    ///
    /// # Errors
    /// [`TrainingError::OtherRun`] if another run lives there; file errors.
    pub fn open(path: &Path, plan: &Plan) -> Result<Self, TrainingError> {
        fs::create_dir_all(path).map_err(|source| TrainingError::File {
            path: path.to_owned(),
            source,
        })?;
        let folder = Self {
            path: path.to_owned(),
        };
        let file = folder.file("recipe.json");
        if file.exists() {
            let found: Plan = read(&file)?;
            if found != *plan {
                return Err(TrainingError::OtherRun {
                    path: path.to_owned(),
                    differs: differences(&found, plan),
                });
            }
        } else {
            write(&file, plan)?;
        }
        Ok(folder)
    }

    /// The plan of the finished or interrupted run at `path`.
    ///
    /// # Errors
    /// File and format errors.
    pub fn load(path: &Path) -> Result<(Self, Plan, State), TrainingError> {
        let folder = Self {
            path: path.to_owned(),
        };
        let plan = read(&folder.file("recipe.json"))?;
        let state = folder.state()?;
        Ok((folder, plan, state))
    }

    /// How far the run is; an empty state for a new one.
    ///
    /// # Errors
    /// File and format errors.
    pub fn state(&self) -> Result<State, TrainingError> {
        let file = self.file("state.json");
        if file.exists() {
            read(&file)
        } else {
            Ok(State::default())
        }
    }

    /// Stores an epoch: `save` writes what a resumed run needs under the turn that it is given, `best` is kept if the epoch
    /// is the best one.
    ///
    /// # Errors
    /// File errors.
    pub(super) fn store(
        &self,
        state: &State,
        best: &impl Module,
        save: impl FnOnce(&Self, usize) -> Result<(), TrainingError>,
    ) -> Result<(), TrainingError> {
        save(self, state.turn())?;
        if state
            .best
            .is_some_and(|(epoch, _)| epoch == state.epochs.len())
        {
            self.save_weights("best-partial.bpk", best)?;
            let file = self.file("best.bpk");
            fs::rename(self.file("best-partial.bpk"), &file)
                .map_err(|source| TrainingError::File { path: file, source })?;
        }
        write(&self.file("state.json"), state)
    }

    /// Weights of the best epoch, loaded into a network of the same shape.
    ///
    /// # Errors
    /// [`TrainingError::Record`] if they do not fit.
    pub fn best<N: Module>(&self, network: N) -> Result<N, TrainingError> {
        self.load_weights("best.bpk", network)
    }

    pub(super) fn load_optimizer(
        &self,
        name: &str,
        optimizer: ModuleOptimizer,
    ) -> Result<ModuleOptimizer, TrainingError> {
        let path = self.file(name);
        optimizer
            .load(&path)
            .map_err(|source| TrainingError::Record { path, source })
    }

    pub(super) fn save_optimizer(
        &self,
        name: &str,
        optimizer: &ModuleOptimizer,
    ) -> Result<(), TrainingError> {
        let path = self.file(name);
        optimizer
            .save(&path)
            .map_err(|source| TrainingError::Store { path, source })
    }

    pub(super) fn load_weights<N: Module>(
        &self,
        name: &str,
        network: N,
    ) -> Result<N, TrainingError> {
        let path = self.file(name);
        network
            .try_load_file(&path)
            .map_err(|source| TrainingError::Record { path, source })
    }

    pub(super) fn save_weights(
        &self,
        name: &str,
        network: &impl Module,
    ) -> Result<(), TrainingError> {
        let path = self.file(name);
        network
            .clone()
            .save_file(&path)
            .map_err(|source| TrainingError::Store { path, source })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// What two plans that are not the same differ in, for people.
fn differences(found: &Plan, plan: &Plan) -> String {
    let mut names = found.other_than(&plan.recipe, &plan.clips);
    // What follows from recipe and clips differs by itself only where the program that made it does.
    if names.is_empty() {
        names.push("software".to_owned());
    }
    names.join(", ")
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, TrainingError> {
    let text = fs::read(file).map_err(|source| TrainingError::File {
        path: file.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| TrainingError::Format {
        path: file.to_owned(),
        source,
    })
}

fn write<T: Serialize>(file: &Path, value: &T) -> Result<(), TrainingError> {
    let text = serde_json::to_vec_pretty(value).map_err(|source| TrainingError::Format {
        path: file.to_owned(),
        source,
    })?;
    let partial = file.with_extension("json.partial");
    fs::write(&partial, text)
        .and_then(|()| fs::rename(&partial, file))
        .map_err(|source| TrainingError::File {
            path: file.to_owned(),
            source,
        })
}
