//! What ends the daemon, and the exit code that says so.

use undertone_analysis::AnalysisError;

use crate::config::ConfigError;

/// Why the daemon could not start, or had to stop. [`DaemonError::exit_code`] is what a script sees.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The command line lacks something that no default can give.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
    /// A way out failed.
    #[error(transparent)]
    Sink(#[from] crate::sinks::SinkError),
    /// A running daemon cannot be reached, or does not carry out a command.
    #[error("{0}")]
    Control(String),
    /// A thread of the daemon died; this is a fault of the program.
    #[error("the {0} thread stopped unexpectedly; this is a fault of undertoned, please report it")]
    Thread(&'static str),
}

impl DaemonError {
    /// The exit code: 1 while running, 2 usage, 3 configuration, 4 model, 5 source of audio, 6 control.
    pub fn exit_code(&self) -> u8 {
        match self {
            DaemonError::Usage(_) => 2,
            DaemonError::Config(_)
            | DaemonError::Sink(crate::sinks::SinkError::Start { .. })
            | DaemonError::Analysis(AnalysisError::Setting(_)) => 3,
            DaemonError::Model { .. } | DaemonError::Analysis(AnalysisError::Model(_)) => 4,
            DaemonError::Source(_) | DaemonError::Analysis(AnalysisError::Rate(_)) => 5,
            DaemonError::Control(_) => 6,
            DaemonError::System { .. } | DaemonError::Sink(_) | DaemonError::Thread(_) => 1,
        }
    }
}
