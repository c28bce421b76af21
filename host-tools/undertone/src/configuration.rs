//! A configuration on its way to a box, read as the daemon there will read it.

use std::path::Path;

use anyhow::Result;
use undertone_configuration::{ConfigError, Layers};
use undertone_model::Model;

use crate::model;

/// Whether a configuration holds a password itself, instead of the name of a file with it.
pub(crate) fn holds_password(text: &str) -> bool {
    let table: Option<toml::Table> = toml::from_str(text).ok();
    let mqtt = table.as_ref().and_then(|table| table.get("mqtt"));
    mqtt.is_some_and(|mqtt| mqtt.get("password").is_some())
}

/// Refuses what the daemon would refuse, in its own words: `text` stands in `path` and is overridden by `environment`;
/// thresholds must be of labels that `model` has, where it is the one that will run.
pub(crate) fn check(
    path: &Path,
    text: &str,
    environment: Vec<(String, String)>,
    model: Option<&Model>,
) -> Result<(), ConfigError> {
    let layers = Layers {
        file: Some(path.to_owned()),
        environment,
        ..Layers::default()
    };
    let settings = layers.load_text(text)?.settings;
    let resolve = |model: &Model| settings.thresholds.resolve(&model.metadata().labels);
    match (model, &settings.model) {
        (Some(model), _) => resolve(model).map(drop),
        // The daemon runs the same model as this program, unless the box has another.
        (None, None) => match model::load_or_default(None) {
            Ok(own) => resolve(&own).map(drop),
            Err(_) => Ok(()),
        },
        (None, Some(_)) => Ok(()),
    }
}
