//! Variables of the environment that set fields: `UNDERTONE_` and the field's name in capitals, `_` where the dots are.

use std::borrow::Cow;

use toml::{Table, Value};

use crate::error::ConfigError;
use crate::field::fields;

/// What the variables of the environment that set a field begin with.
const PREFIX: &str = "UNDERTONE_";
/// A name that differs from that of a field in no more letters is a slip.
const SLIP: usize = 2;

/// A variable that sets a field.
pub(crate) struct Variable<'a> {
    pub(crate) name: &'a str,
    pub(crate) field: Cow<'static, str>,
    pub(crate) text: &'a str,
}

/// The variables that set a field. Other programs may use the prefix too, so a name is refused only where a field was
/// meant: it begins with a section, or with a letter or two more or less it would be one.
///
/// # Errors
/// [`ConfigError::Variable`] for the first such name.
pub(crate) fn variables(
    environment: &[(String, String)],
) -> Result<Vec<Variable<'_>>, ConfigError> {
    let mut found = Vec::new();
    for (name, text) in environment {
        let Some(rest) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let of_section = || fields().any(|field| rest.starts_with(&capitals(section(field.name))));
        match named(rest) {
            Some(field) => found.push(Variable { name, field, text }),
            None if of_section() || nearest(name).0 <= SLIP => return Err(unknown(name)),
            None => {}
        }
    }
    Ok(found)
}

/// Whether each of the names sets a field, for an environment that is written for the daemon alone.
///
/// # Errors
/// [`ConfigError::Variable`] for the first that does not.
pub fn check_variables<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), ConfigError> {
    let sets_none = |name: &&str| name.strip_prefix(PREFIX).and_then(named).is_none();
    match names.into_iter().find(sets_none) {
        None => Ok(()),
        Some(name) => Err(unknown(name)),
    }
}

/// The variable of a field whose name is most like this one.
pub fn nearest_variable(name: &str) -> String {
    nearest(name).1
}

fn unknown(name: &str) -> ConfigError {
    ConfigError::Variable {
        name: name.to_owned(),
        nearest: nearest_variable(name),
    }
}

/// In how many letters the nearest name differs (Levenshtein), and the name.
fn nearest(name: &str) -> (usize, String) {
    let candidates = fields().map(|field| format!("{PREFIX}{}", capitals(field.name)));
    let measured = candidates.map(|other| (strsim::levenshtein(name, &other), other));
    measured
        .min_by_key(|(letters, _)| *letters)
        .unwrap_or((usize::MAX, String::new()))
}

/// The value that a text stands for: a number, `true`, `false` or a list as in TOML, otherwise the text itself. Quotes are
/// part of a text: whoever sets a variable has a shell or a service manager that takes away its own.
pub(crate) fn guess(text: &str) -> Value {
    let as_toml = toml::from_str::<Table>(&format!("v = {text}")).ok();
    let alone = as_toml.filter(|table| table.len() == 1);
    match alone.and_then(|mut table| table.remove("v")) {
        None | Some(Value::String(_)) => Value::String(text.into()),
        Some(value) => value,
    }
}

/// The field that the rest of a variable's name means.
fn named(rest: &str) -> Option<Cow<'static, str>> {
    let plain = |label: &&str| !label.is_empty() && !label.contains('.');
    if let Some(label) = rest.strip_prefix("THRESHOLDS_").filter(plain) {
        return Some(format!("thresholds.{}", label.to_lowercase()).into());
    }
    let field = fields().find(|field| capitals(field.name) == rest)?;
    Some(field.name.into())
}

fn capitals(name: &str) -> String {
    name.replace('.', "_").to_uppercase()
}

/// The section of a field, with the dot behind it.
fn section(name: &str) -> &str {
    name.find('.').map_or(name, |dot| &name[..=dot])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_sets_no_field_is_told_with_the_nearest_that_does() {
        check_variables(["UNDERTONE_MQTT_PASSWORD", "UNDERTONE_THRESHOLDS_SAD"]).unwrap();
        for (name, nearest) in [
            ("UNDERTONE_MQTT_PASWORD", "UNDERTONE_MQTT_PASSWORD"),
            ("UNDERTONE_MQT_PASSWORD", "UNDERTONE_MQTT_PASSWORD"),
            ("UNDERTONE_OUTPUT_LEVEL", "UNDERTONE_OUTPUT_LEVELS"),
            ("MQTT_HOST", "UNDERTONE_MQTT_HOST"),
        ] {
            let error = check_variables([name]).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(nearest), "{error}");
        }
    }

    #[test]
    fn what_other_programs_call_so_is_left_alone_unless_it_looks_like_a_slip() {
        let of = |name: &str| variables(&[(name.to_owned(), "x".to_owned())]).map(|all| all.len());
        for name in [
            "UNDERTONE_SOCKET",
            "UNDERTONE_REQUIRE_RIG",
            "UNDERTONE_KEY_PASSWORD",
            "HOME",
        ] {
            assert_eq!(of(name).unwrap(), 0, "{name}");
        }
        for name in [
            "UNDERTONE_MQT_HOST",
            "UNDERTONE_MQTT_HOSTS",
            "UNDERTONE_MQTT_TOKEN",
        ] {
            assert!(
                matches!(of(name), Err(ConfigError::Variable { .. })),
                "{name}"
            );
        }
    }
}
