//! What ends a sink.

use std::io;

/// Why a sink is at its end. Whatever may heal by itself, such as a network, is no reason.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The reader has had enough, which is no failure.
    #[error("the reader of {0} has closed it")]
    Closed(&'static str),
    /// It cannot be written to.
    #[error("cannot write to {name}: {reason}")]
    Write {
        /// The sink.
        name: &'static str,
        /// What the system says.
        reason: io::Error,
    },
    /// It cannot be set up.
    #[error("cannot start the sink {name}: {reason}")]
    Start {
        /// The sink.
        name: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
}
