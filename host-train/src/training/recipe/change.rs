//! A recipe by what sets it apart from another: the fields of a file, or single ones as the command line names them.

use serde_json::{Map, Value};

use super::Recipe;
use crate::training::TrainingError;

impl Recipe {
    /// The recipe that a JSON file holds. What is missing in it, in groups such as `wave` too, is as in the default recipe.
    ///
    /// # Errors
    /// What is wrong with the text: its form, a field that is not there, a value that does not fit.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(Self::default())?;
        let given: Map<String, Value> = serde_json::from_slice(text)?;
        put(&mut all, Value::Object(given));
        serde_json::from_value(all)
    }

    /// `self` with the fields that `changes` names put in their place. A change is `path=value`, for instance
    /// `augmentation.noise=0.5`; the value is JSON, or text.
    ///
    /// # Errors
    /// [`TrainingError::Change`] for a field that is not there or a value that does not fit.
    pub fn changed(&self, changes: &[String]) -> Result<Self, TrainingError> {
        let refuse = |change: &str, reason: String| TrainingError::Change {
            change: change.to_owned(),
            reason,
        };
        let mut recipe = self.clone();
        for change in changes {
            let (path, value) = change
                .split_once('=')
                .ok_or_else(|| refuse(change, "is not FIELD=VALUE".into()))?;
            let mut all =
                serde_json::to_value(&recipe).map_err(|error| refuse(change, error.to_string()))?;
            let mut place = &mut all;
            for part in path.split('.') {
                // A group that has its defaults may not be written out.
                if place.is_null() {
                    *place = Value::Object(Map::new());
                }
                place = place
                    .as_object_mut()
                    .map(|fields| fields.entry(part).or_insert(Value::Null))
                    .ok_or_else(|| refuse(change, format!("`{part}` lies in no group")))?;
            }
            *place = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
            recipe =
                serde_json::from_value(all).map_err(|error| refuse(change, error.to_string()))?;
        }
        Ok(recipe)
    }
}

/// Puts `given` into the place of `usual`, groups field by field.
fn put(usual: &mut Value, given: Value) {
    match (usual, given) {
        (Value::Object(usual), Value::Object(given)) => {
            for (field, value) in given {
                put(usual.entry(field).or_insert(Value::Null), value);
            }
        }
        (usual, given) => *usual = given,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::kept_out::KeptOut;
    use crate::training::normalise::Scaling;

    #[test]
    fn any_field_can_be_changed_by_its_path_and_no_other() {
        let change = |text: &str| Recipe::default().changed(&[text.to_owned()]);
        assert_eq!(
            change("augmentation.noise=0.5").unwrap().augmentation.noise,
            0.5
        );
        assert_eq!(
            change("kept_out=luna-2").unwrap().kept_out,
            KeptOut::Luna(2)
        );
        assert_eq!(
            change("shape.dilations=[1,2,4]").unwrap().shape.dilations,
            [1, 2, 4]
        );
        assert_eq!(
            change("scaling=running-mean").unwrap().scaling,
            Scaling::RunningMean
        );
        for wrong in [
            "noise=1",
            "epochs=-1",
            "epochs",
            "seed.deep=1",
            "scaling=loud",
        ] {
            let error = change(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn what_a_file_lacks_is_as_in_the_recipe_that_ships() {
        let read = |text: &str| Recipe::from_json(text.as_bytes());
        let usual = Recipe::default();
        assert_eq!(read("{}").unwrap(), usual);
        let louder =
            read(r#"{"epochs": 3, "wave": {"noise": 0.6}, "frontend": {"mel_bands": 80}}"#);
        let mut expected = usual.clone();
        expected.epochs = 3;
        expected.wave.noise = 0.6;
        expected.frontend.mel_bands = 80;
        assert_eq!(louder.unwrap(), expected);
        for recipe in [usual, Recipe::classic(), Recipe::windowed()] {
            let text = serde_json::to_vec(&recipe).unwrap();
            assert_eq!(Recipe::from_json(&text).unwrap(), recipe);
        }
        for wrong in ["{\"sede\": 1}", "{\"wave\": {\"nose\": 1}}", "[]", "3", "{"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
