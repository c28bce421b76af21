//! A configuration, written anew from what is known not to be secret.

use toml::{Table, Value};

use super::patterns;
use super::{GONE, Scrubber};
use crate::config::fields;

/// Fields that are documented, and secret.
const SECRET_FIELDS: [&str; 1] = ["mqtt.password"];
/// Fields of `slots.toml`; none is secret.
const SLOT_FIELDS: [&str; 10] = [
    "root",
    "keys",
    "board",
    "unit_link",
    "configuration",
    "restart",
    "health",
    "hold_s",
    "deadline_s",
    "max_starts",
];

/// A configuration without its secrets.
pub(crate) struct Redacted {
    /// What is left; `None` of a file that is no TOML.
    kept: Option<Table>,
    lines: usize,
    /// What was taken out.
    pub(crate) secrets: Vec<String>,
}

impl Redacted {
    /// The text, which is TOML, without what other files of the report showed to be secret.
    pub(crate) fn text(self, scrubber: &Scrubber) -> String {
        match self.kept {
            Some(table) => toml::to_string(&scrubber.table(table)).unwrap_or_default(),
            None => format!(
                "# It is not TOML ({} lines), and is left out.\n",
                self.lines
            ),
        }
    }
}

/// A configuration without its secrets.
pub(crate) fn configuration(text: &str) -> Redacted {
    let mut secrets = Vec::new();
    let kept = match toml::from_str::<Table>(text) {
        Ok(table) => Some(of_table("", &table, &mut secrets)),
        Err(_) => {
            patterns::without(text, &mut secrets);
            None
        }
    };
    Redacted {
        kept,
        lines: text.lines().count(),
        secrets,
    }
}

fn of_table(path: &str, table: &Table, secrets: &mut Vec<String>) -> Table {
    let keep = |(name, value): (&String, &Value)| {
        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let within = format!("{below}.");
        let section =
            below == "thresholds" || fields().any(|field| field.name.starts_with(&within));
        let kept = match value {
            Value::Table(table) if section => Value::Table(of_table(&below, table, secrets)),
            Value::Array(list) if section => {
                let each = |value: &Value| match value {
                    Value::Table(table) => Value::Table(of_table(&below, table, secrets)),
                    other => gone(other, secrets),
                };
                Value::Array(list.iter().map(each).collect())
            }
            value if is_public(&below) => public(value, secrets),
            value => gone(value, secrets),
        };
        (shown_name(name), kept)
    };
    table.iter().map(keep).collect()
}

fn is_public(field: &str) -> bool {
    let documented = fields().any(|known| known.name == field)
        || field.starts_with("thresholds.")
        || SLOT_FIELDS.contains(&field);
    documented && !SECRET_FIELDS.contains(&field)
}

/// The value of a field that is not secret; what is in it may be all the same.
fn public(value: &Value, secrets: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => Value::String(patterns::without(text, secrets)),
        Value::Array(list) => {
            let each = |value: &Value| match value {
                Value::Table(_) | Value::Array(_) => gone(value, secrets),
                scalar => public(scalar, secrets),
            };
            Value::Array(list.iter().map(each).collect())
        }
        Value::Table(_) => gone(value, secrets),
        other => other.clone(),
    }
}

/// Takes a value out, and remembers every text and number in it.
fn gone(value: &Value, secrets: &mut Vec<String>) -> Value {
    match value {
        Value::String(text) => {
            secrets.push(text.clone());
            secrets.extend(text.lines().map(|line| line.trim().to_owned()));
            // A secret within it, such as the password of an address.
            patterns::without(text, secrets);
        }
        Value::Table(table) => table.values().for_each(|value| drop(gone(value, secrets))),
        Value::Array(list) => list.iter().for_each(|value| drop(gone(value, secrets))),
        Value::Boolean(_) => {}
        other => secrets.push(other.to_string()),
    }
    Value::String(GONE.into())
}

/// A name that nobody would take for a name is none.
fn shown_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.len() <= 40 && name.bytes().all(plain) {
        name.to_owned()
    } else {
        GONE.to_owned()
    }
}
