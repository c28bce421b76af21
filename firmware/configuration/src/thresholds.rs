//! `[thresholds]`: from which probability on each label is told.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ConfigError;
use super::field::{Field, field};

/// What stands for a label in the table of fields.
pub(super) const ANY: &str = "thresholds.LABEL";

pub(super) const FIELDS: &[Field] = &[field(
    ANY,
    "the model's own",
    "0 to 1; LABEL is one of the model's labels",
    "Below this probability LABEL is told as `unknown`; one line for each label that is to differ.",
)];

/// The `[thresholds]` section: label to threshold. Which labels there are, the model says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Thresholds(BTreeMap<String, f32>);

impl Thresholds {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let outside = |(_, value): &(&String, &f32)| !(0.0..=1.0).contains(*value);
        match self.0.iter().find(outside) {
            None => Ok(()),
            Some((label, value)) => Err(ConfigError::Threshold {
                label: label.clone(),
                value: *value,
                remedy: "give a value from 0 to 1".into(),
            }),
        }
    }

    /// The place of each label in the model's order, with its threshold.
    ///
    /// # Errors
    /// A label that the model does not have.
    pub fn resolve(&self, labels: &[String]) -> Result<Vec<(usize, f32)>, ConfigError> {
        let place = |(label, value): (&String, &f32)| {
            let found = labels.iter().position(|known| known == label);
            let place = found.ok_or_else(|| ConfigError::Threshold {
                label: label.clone(),
                value: *value,
                remedy: format!("the model has no such label; it has {}", labels.join(", ")),
            })?;
            Ok((place, *value))
        };
        self.0.iter().map(place).collect()
    }
}
