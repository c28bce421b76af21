//! The layers of the configuration: file, environment, command line; the later one wins.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::environment::{Variable, guess, variables};
use super::error::{ConfigError, FieldError, Origin};
use super::field;
use super::path::{at, at_text, merge, set, without_index};
use super::{ConfigFile, Settings};

/// Bytes of a configuration file, at most.
const MAX_BYTES: u64 = 64 * 1024;

/// What the command line sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Sections with their fields.
    pub sections: Table,
    /// The sources, instead of those of the file; none: those of the file.
    pub sources: Vec<String>,
}

/// Where a configuration is read from, again at every reload.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// The file.
    pub file: Option<PathBuf>,
    /// The variables of the environment.
    pub environment: Vec<(String, String)>,
    /// The command line.
    pub overrides: Overrides,
}

/// A configuration as it is used, and as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Configuration {
    /// Checked, nothing left out.
    pub settings: Settings,
    /// What was written, all layers together.
    pub written: Table,
}

impl Layers {
    /// Reads every layer.
    ///
    /// # Errors
    /// The first thing that is wrong, with where it stands, the field, the value and what is allowed.
    pub fn load(&self) -> Result<Configuration, ConfigError> {
        let text = match &self.file {
            Some(path) => read_short(path).map_err(|reason| ConfigError::Unreadable {
                path: path.clone(),
                reason,
            })?,
            None => String::new(),
        };
        self.load_text(&text)
    }

    /// Takes a text for that of the file, which is not read; what is wrong is told with the file's name all the same.
    ///
    /// # Errors
    /// As of [`Layers::load`].
    pub fn load_text(&self, text: &str) -> Result<Configuration, ConfigError> {
        if text.len() as u64 > MAX_BYTES {
            return Err(ConfigError::Unreadable {
                path: self.file.clone().unwrap_or_default(),
                reason: too_long(),
            });
        }
        let mut written: Table = toml::from_str(text).map_err(|reason| ConfigError::Syntax {
            path: self.file.clone().unwrap_or_default(),
            reason: undertone_deployment::toml_fault(text, &reason),
        })?;
        let variables = variables(&self.environment)?;
        for variable in &variables {
            set(&mut written, &variable.field, guess(variable.text));
        }
        merge(&mut written, &self.overrides.sections);
        name_sources(&mut written, &self.overrides.sources);
        let mut file = loop {
            match parse(&written) {
                Ok(file) => break file,
                // What looks like a number may be meant as text.
                Err(error) if as_text(&mut written, &variables, &error) => {}
                Err(error) => return Err(self.explain(&error, text, &written, &variables)),
            }
        };
        let runtime = self.environment.iter().rev();
        let mut runtime = runtime.filter(|(name, _)| name == "RUNTIME_DIRECTORY");
        file.control
            .default_in(runtime.next().map(|(_, folders)| folders.as_str()));
        Ok(Configuration {
            settings: file.settle()?,
            written,
        })
    }

    fn explain(
        &self,
        error: &Wrong,
        text: &str,
        written: &Table,
        variables: &[Variable<'_>],
    ) -> ConfigError {
        let path = error.path().to_string();
        let name = without_index(&path);
        let known = field::find(&name);
        let secret = name.contains("password");
        let value = at(written, &path)
            .filter(|value| !value.is_table() && !secret)
            .map(ToString::to_string);
        let variable = variables.iter().find(|variable| variable.field == name);
        let origin = match (variable, &self.file) {
            (Some(variable), _) => Origin::Environment(variable.name.to_owned()),
            (None, Some(file)) if at_text(text, &path).is_some() => {
                Origin::File(file.clone(), at_text(text, &path))
            }
            _ => Origin::Elsewhere,
        };
        let message = error.inner().message().trim();
        // Of a field that does not exist, the message repeats the name alone.
        let problem = if secret && !message.starts_with("unknown field") {
            "a value of the wrong kind"
        } else if known.is_some() && value.is_some() && is_general(message) {
            ""
        } else {
            message
        };
        ConfigError::Field(Box::new(FieldError {
            field: path,
            value,
            problem: problem.to_owned(),
            allowed: known.map(|field| field.allowed),
            origin,
        }))
    }
}

/// True for what a parser says about any value: it repeats the value, and names types of this program.
fn is_general(message: &str) -> bool {
    ["invalid type: ", "invalid value: ", "unknown variant "]
        .iter()
        .any(|begin| message.starts_with(begin))
}

type Wrong = serde_path_to_error::Error<toml::de::Error>;

fn parse(written: &Table) -> Result<ConfigFile, Wrong> {
    serde_path_to_error::deserialize(Value::Table(written.clone()))
}

/// Turns the value of a variable that was taken for a number into text; false when that is not what is wrong.
fn as_text(written: &mut Table, variables: &[Variable<'_>], error: &Wrong) -> bool {
    let path = error.path().to_string();
    let Some(variable) = variables.iter().find(|variable| variable.field == path) else {
        return false;
    };
    if at(written, &path).is_none_or(Value::is_str) {
        return false;
    }
    set(
        written,
        &variable.field,
        Value::String(variable.text.into()),
    );
    // Taken only where text is what is wanted; otherwise the first complaint is the better one.
    match parse(written) {
        Err(again) if again.path().to_string() == path => {
            set(written, &variable.field, guess(variable.text));
            false
        }
        _ => true,
    }
}

/// Replaces the sources by those that the command line names, with whatever else one `[source]` says.
fn name_sources(written: &mut Table, names: &[String]) {
    if names.is_empty() {
        return;
    }
    let base = match written.get("source") {
        Some(Value::Table(one)) => one.clone(),
        _ => Table::new(),
    };
    let mut sources = names.iter().map(|name| {
        let mut section = base.clone();
        section.insert("name".into(), Value::String(name.clone()));
        // Whoever types the name wants to know now that it is not there.
        section.entry("wait").or_insert(Value::Boolean(false));
        Value::Table(section)
    });
    let value = match names.len() {
        1 => sources.next().unwrap_or(Value::Table(Table::new())),
        _ => Value::Array(sources.collect()),
    };
    written.insert("source".into(), value);
}

/// Reads a file, or a pipe, that must not be longer than a configuration can be.
fn read_short(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(too_long());
    }
    Ok(text)
}

fn too_long() -> io::Error {
    let reason = format!(
        "it is longer than {} KiB, which no configuration is",
        MAX_BYTES >> 10
    );
    io::Error::new(io::ErrorKind::FileTooLarge, reason)
}
