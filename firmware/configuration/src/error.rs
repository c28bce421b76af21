//! What can be wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

use undertone_events::EventsError;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The file is no TOML.
    #[error("the configuration {} is not valid TOML: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong.
        reason: String,
    },
    /// A field does not exist, or its value is of the wrong kind.
    #[error(transparent)]
    Field(Box<FieldError>),
    /// A variable of the environment sets no field.
    #[error(
        "environment variable {name} sets no field of the configuration; the nearest that does is {nearest}"
    )]
    Variable {
        /// The variable.
        name: String,
        /// The name of a variable that does.
        nearest: String,
    },
    /// A variable of the environment that may set a field is no text.
    #[error(
        "environment variable {name} is not UTF-8, as every value of the configuration is; set it anew"
    )]
    NotText {
        /// The variable.
        name: String,
    },
    /// A field has a value that is not allowed.
    #[error("{field} is {value}: {remedy}")]
    Value {
        /// The field with its section.
        field: &'static str,
        /// The value as it was given.
        value: String,
        /// What is allowed.
        remedy: String,
    },
    /// The threshold of a label is out of range, or the model has no such label.
    #[error("thresholds.{label} is {value}: {remedy}")]
    Threshold {
        /// The label.
        label: String,
        /// The threshold as it was given.
        value: f32,
        /// What is allowed.
        remedy: String,
    },
    /// A range of the event settings is violated.
    #[error("configuration: {0}")]
    Range(#[from] EventsError),
    /// The declared deployment is missing or not lawful.
    #[error("{0}")]
    Deployment(#[from] super::DeploymentError),
}

/// A field that does not exist, or whose value is of the wrong kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {field}{}{}", shown(value), told(problem, *allowed))]
pub struct FieldError {
    /// The field with its section.
    pub field: String,
    /// The value as it was given; `None` for a secret.
    pub value: Option<String>,
    /// What is wrong with it; empty where what is allowed says it.
    pub problem: String,
    /// What is allowed, where the field exists.
    pub allowed: Option<&'static str>,
    /// Where it was given.
    pub origin: Origin,
}

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the file, at a line, where that is known.
    File(PathBuf, Option<usize>),
    /// In a variable of the environment.
    Environment(String),
    /// Elsewhere: the command line, or several places together.
    Elsewhere,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File(path, Some(line)) => write!(formatter, "{} line {line}", path.display()),
            Origin::File(path, None) => write!(formatter, "{}", path.display()),
            Origin::Environment(name) => write!(formatter, "environment variable {name}"),
            Origin::Elsewhere => write!(formatter, "configuration"),
        }
    }
}

fn shown(value: &Option<String>) -> String {
    value
        .as_ref()
        .map_or(String::new(), |value| format!(" is {value}"))
}

fn told(problem: &str, allowed: Option<&'static str>) -> String {
    let problem = match problem {
        "" => String::new(),
        problem => format!(": {problem}"),
    };
    match allowed.filter(|allowed| !problem.contains(*allowed)) {
        Some(allowed) => format!("{problem}; allowed: {allowed}"),
        None => problem,
    }
}

/// Refuses a value outside a range.
pub(crate) fn within<T: PartialOrd + fmt::Display>(
    field: &'static str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    let remedy = format!("give a value from {} to {}", range.start(), range.end());
    Err(ConfigError::Value {
        field,
        value: value.to_string(),
        remedy,
    })
}
