//! Signals of the system, as inputs of the supervisor.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::message::Input;
use super::thread::spawn;
use crate::error::DaemonError;

/// SIGINT and SIGTERM ask for the end, and a second one ends the process at once with code 130; SIGHUP asks for a reload.
///
/// # Errors
/// [`DaemonError::System`] when the handlers cannot be installed.
pub(super) fn listen(inputs: &Sender<Input>) -> Result<(), DaemonError> {
    let refused = |reason| DaemonError::System {
        action: "listen for signals",
        reason,
    };
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // The order matters: the first signal finds the flag clear here, then sets it below.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&asked))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&asked)))
            .map_err(refused)?;
    }
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(refused)?;
    let sender = inputs.clone();
    // It lives as long as the process: whoever waits for signals cannot be asked to stop otherwise.
    spawn("signals", inputs.clone(), move || {
        for signal in signals.forever() {
            let input = if signal == SIGHUP {
                Input::Reload
            } else {
                Input::Stop
            };
            if sender.send(input).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}
