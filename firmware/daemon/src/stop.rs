//! The request to stop, shared by all threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::DaemonError;

/// A flag that is set once and never cleared. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks every thread to come to its end.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// True once the end was asked for.
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets SIGINT and SIGTERM ask for the end; a second one ends the process at once with code 130.
    ///
    /// # Errors
    /// [`DaemonError::System`] when the handlers cannot be installed.
    pub fn on_signals(&self) -> Result<(), DaemonError> {
        for signal in [SIGINT, SIGTERM] {
            // The order matters: the first signal finds the flag clear here, then sets it below.
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&self.0))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&self.0)))
                .map_err(|reason| DaemonError::System {
                    action: "listen for signals",
                    reason,
                })?;
        }
        Ok(())
    }
}
