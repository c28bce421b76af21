//! Training: clips in, the best network of a run out, by a loop that can be interrupted and resumed.
//!
//! [`split`] decides who is heard, [`epoch`], [`augment`] and [`batch`] make steps of it, [`run`] is the loop, [`checkpoint`]
//! what survives an interruption. Everything random depends on the run's seed and the epoch's number alone.

pub mod augment;
pub mod average;
pub mod bank;
pub mod batch;
pub mod checkpoint;
pub mod classes;
pub mod device;
pub mod epoch;
pub mod goal;
pub mod guided;
pub mod kept_out;
pub mod label;
mod learner;
pub mod loss;
pub mod normalise;
pub mod prepare;
pub mod recipe;
pub mod run;
pub mod schedule;
pub mod split;
pub mod validate;
pub mod wave;

use std::io;
use std::path::PathBuf;

use burn::store::RecordError;

/// Why training stopped.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A file of the run folder cannot be read or written.
    #[error("{}: cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A JSON file of the run folder does not fit.
    #[error("{}: is from another version or damaged, start the run in a new folder", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// Weights cannot be loaded.
    #[error("{}: is missing, damaged or of another network, start the run in a new folder", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: RecordError,
    },
    /// Weights cannot be stored.
    #[error(
        "{}: cannot be written; free space and start again, the run goes on from its last complete epoch",
        path.display()
    )]
    Store {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: RecordError,
    },
    /// The run folder was made with another recipe.
    #[error("{}: was begun with other {differs}; go on with those, or give a new folder", path.display())]
    OtherRun {
        /// The run folder.
        path: PathBuf,
        /// What is not the same, by the names of `recipe.json`.
        differs: String,
    },
    /// A value of the recipe that nothing can be trained with.
    #[error("{field} is {value}, but must be {allowed}")]
    Recipe {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A change of the recipe that does not fit.
    #[error("`{change}`: {reason}; `recipe.json` of any run names the fields")]
    Change {
        /// What was asked for.
        change: String,
        /// Why it does not fit.
        reason: String,
    },
    /// Nothing to train or validate on.
    #[error("no {0} clips: give more corpora, or check them with `undertone-train data scan`")]
    NoClips(&'static str),
    /// The loss is no number any more.
    #[error("the loss is {loss} in epoch {epoch}: lower --learning-rate")]
    Diverged {
        /// The loss.
        loss: f32,
        /// The epoch, from 1.
        epoch: usize,
    },
    /// The device asked for is not in this build.
    #[error("device `{name}` is not in this build: build with `--features {feature}`")]
    NoDevice {
        /// The device's name.
        name: &'static str,
        /// The Cargo feature that brings it.
        feature: &'static str,
    },
}

impl TrainingError {
    /// Refuses a field of the recipe that is out of its range.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], always.
    pub(crate) fn refuse(
        field: &'static str,
        value: String,
        allowed: &'static str,
    ) -> Result<(), Self> {
        Err(Self::Recipe {
            field,
            value,
            allowed,
        })
    }

    /// Refuses the first of some fields that is not 0 to its most: field, value, most, and what is allowed.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`].
    pub(crate) fn up_to<const N: usize>(
        fields: [(&'static str, f32, f32, &'static str); N],
    ) -> Result<(), Self> {
        for (field, value, most, allowed) in fields {
            if !(0.0..=most).contains(&value) {
                return Self::refuse(field, value.to_string(), allowed);
            }
        }
        Ok(())
    }

    /// Refuses a field whose two values do not rise within a range.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`].
    pub(crate) fn rising(
        field: &'static str,
        [low, high]: [f32; 2],
        [least, most]: [f32; 2],
        allowed: &'static str,
    ) -> Result<(), Self> {
        if low >= least && low <= high && high <= most {
            return Ok(());
        }
        Self::refuse(field, format!("{low} to {high}"), allowed)
    }
}
