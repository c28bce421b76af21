//! The layers of the configuration: file, environment, command line; the later one wins.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::error::{ConfigError, FieldError, Origin};
use super::field::{self, fields};
use super::{ConfigFile, Settings};

/// Bytes of a configuration file, at most.
const MAX_BYTES: u64 = 64 * 1024;
/// What the variables of the environment that set a field begin with.
const PREFIX: &str = "UNDERTONE_";

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

/// A variable that sets a field.
struct Variable<'a> {
    name: &'a str,
    field: Cow<'static, str>,
    text: &'a str,
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
        let mut written: Table = toml::from_str(&text).map_err(|reason| ConfigError::Syntax {
            path: self.file.clone().unwrap_or_default(),
            reason: undertone_deployment::toml_fault(&text, &reason),
        })?;
        let variables = self.variables()?;
        for variable in &variables {
            set(&mut written, &variable.field, guess(variable.text));
        }
        merge(&mut written, &self.overrides.sections);
        name_sources(&mut written, &self.overrides.sources);
        let file = loop {
            match parse(&written) {
                Ok(file) => break file,
                // What looks like a number may be meant as text.
                Err(error) if as_text(&mut written, &variables, &error) => {}
                Err(error) => return Err(self.explain(&error, &text, &written, &variables)),
            }
        };
        Ok(Configuration {
            settings: file.settle()?,
            written,
        })
    }

    fn variables(&self) -> Result<Vec<Variable<'_>>, ConfigError> {
        let mut found = Vec::new();
        for (name, text) in &self.environment {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            match named(rest) {
                Some(field) => found.push(Variable { name, field, text }),
                // Others may use the prefix, but a section of ours shows that a field was meant.
                None if fields().any(|field| rest.starts_with(&variable(section(field.name)))) => {
                    return Err(ConfigError::Field(Box::new(FieldError {
                        field: name.clone(),
                        value: None,
                        problem: "no field of the configuration is called so".into(),
                        allowed: Some(
                            "the fields in docs/configuration.md, as in UNDERTONE_SOURCE_NAME",
                        ),
                        origin: Origin::Environment(name.clone()),
                    })));
                }
                None => {}
            }
        }
        Ok(found)
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
            "a value of the wrong kind".to_owned()
        } else {
            message.to_owned()
        };
        ConfigError::Field(Box::new(FieldError {
            field: path,
            value,
            problem,
            allowed: known.map(|field| field.allowed),
            origin,
        }))
    }
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

/// The value that a text stands for: what TOML takes it for, otherwise the text itself.
fn guess(text: &str) -> Value {
    let as_toml = toml::from_str::<Table>(&format!("v = {text}")).ok();
    let value = as_toml.and_then(|mut table| table.remove("v"));
    value.unwrap_or_else(|| Value::String(text.into()))
}

/// The field that the rest of a variable's name means.
fn named(rest: &str) -> Option<Cow<'static, str>> {
    let plain = |label: &&str| !label.is_empty() && !label.contains('.');
    if let Some(label) = rest.strip_prefix("THRESHOLDS_").filter(plain) {
        return Some(format!("thresholds.{}", label.to_lowercase()).into());
    }
    let field = fields().find(|field| variable(field.name) == rest)?;
    Some(field.name.into())
}

fn variable(name: &str) -> String {
    name.replace('.', "_").to_uppercase()
}

/// The section of a field, with the dot behind it.
fn section(name: &str) -> &str {
    name.find('.').map_or(name, |dot| &name[..=dot])
}

/// Sets a field, in every one of several sections.
fn set(written: &mut Table, field: &str, value: Value) {
    let mut steps = field.rsplit('.');
    let Some(name) = steps.next() else {
        return;
    };
    let innermost = Table::from_iter([(name.to_owned(), value)]);
    let sections = steps.fold(innermost, |fields, section| {
        Table::from_iter([(section.to_owned(), Value::Table(fields))])
    });
    merge(written, &sections);
}

/// Puts the fields of `over` over those of `under`.
fn merge(under: &mut Table, over: &Table) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (Some(Value::Array(list)), Value::Table(above)) => {
                for below in list.iter_mut().filter_map(Value::as_table_mut) {
                    merge(below, above);
                }
            }
            _ => {
                under.insert(name.clone(), value.clone());
            }
        }
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

/// The steps of a path such as `source[1].name`.
fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split(['.', '[', ']']).filter(|step| !step.is_empty())
}

/// A path as the table of fields knows it.
fn without_index(path: &str) -> String {
    let named = steps(path).filter(|step| step.parse::<usize>().is_err());
    named.collect::<Vec<_>>().join(".")
}

fn at<'a>(written: &'a Table, path: &str) -> Option<&'a Value> {
    let mut steps = steps(path);
    let mut value = written.get(steps.next()?)?;
    for step in steps {
        value = match step.parse::<usize>() {
            Ok(number) => value.get(number)?,
            Err(_) => value.get(step)?,
        };
    }
    Some(value)
}

/// The line of the text, from 1, on which the value of a path stands.
fn at_text(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut steps = steps(path);
    let mut value = document.get_ref().get(steps.next()?)?;
    for step in steps {
        value = match (value.get_ref(), step.parse::<usize>()) {
            (DeValue::Array(list), Ok(number)) => list.get(number)?,
            (DeValue::Table(table), _) => table.get(step)?,
            _ => return None,
        };
    }
    let before = text.get(..value.span().start)?;
    Some(before.matches('\n').count() + 1)
}

/// Reads a file, or a pipe, that must not be longer than a configuration can be.
fn read_short(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        let reason = format!(
            "it is longer than {} KiB, which no configuration is",
            MAX_BYTES >> 10
        );
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(text)
}
