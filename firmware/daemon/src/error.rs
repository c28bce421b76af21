//! What ends the daemon, and the exit code that says so.

use std::path::PathBuf;

use undertone_analysis::AnalysisError;
use undertone_events::EventsError;

/// Why the daemon could not start, or had to stop. [`DaemonError::exit_code`] is what a script sees.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The command line lacks something that no default can give.
    #[error("{0}")]
    Usage(String),
    /// The configuration file cannot be read.
    #[error("cannot read the configuration {}: {reason}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The configuration file is no valid TOML, or has unknown or ill-typed fields.
    #[error("the configuration {} is not valid: {reason}", path.display())]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong.
        reason: Box<toml::de::Error>,
    },
    /// A field of the configuration has a value that is not allowed.
    #[error("{field} is {value}: {remedy}")]
    ConfigValue {
        /// The field with its section.
        field: &'static str,
        /// The value as it was given.
        value: String,
        /// What is allowed.
        remedy: String,
    },
    /// A range of the event settings is violated.
    #[error("configuration: {0}")]
    ConfigRange(#[from] EventsError),
    /// The declared deployment is missing or not lawful.
    #[error("{0}")]
    Deployment(#[from] crate::config::DeploymentError),
    /// The model cannot be loaded or run.
    #[error("model {name}: {reason}")]
    Model {
        /// The file, or "embedded".
        name: String,
        /// Why it is refused, and what to do.
        reason: String,
    },
    /// The source of audio cannot be opened or failed.
    #[error(transparent)]
    Source(#[from] crate::capture::CaptureError),
    /// The source cannot be analysed with this model and these settings.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The operating system refused something.
    #[error("cannot {action}: {reason}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A thread of the daemon died; this is a fault of the program.
    #[error("the {0} thread stopped unexpectedly; this is a fault of undertoned, please report it")]
    Thread(&'static str),
}

impl DaemonError {
    /// The exit code: 1 while running, 2 usage, 3 configuration, 4 model, 5 source of audio.
    pub fn exit_code(&self) -> u8 {
        match self {
            DaemonError::Usage(_) => 2,
            DaemonError::ConfigFile { .. }
            | DaemonError::ConfigSyntax { .. }
            | DaemonError::ConfigValue { .. }
            | DaemonError::ConfigRange(_)
            | DaemonError::Deployment(_)
            | DaemonError::Analysis(AnalysisError::Setting(_)) => 3,
            DaemonError::Model { .. } | DaemonError::Analysis(AnalysisError::Model(_)) => 4,
            DaemonError::Source(_) | DaemonError::Analysis(AnalysisError::Rate(_)) => 5,
            DaemonError::System { .. } | DaemonError::Thread(_) => 1,
        }
    }
}
