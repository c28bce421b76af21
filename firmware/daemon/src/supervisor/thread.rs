//! Threads whose death is noticed.

use std::sync::mpsc::Sender;
use std::thread::{Builder, JoinHandle};

use super::message::{Input, Notice};
use crate::error::DaemonError;

/// Starts a thread; when it panics, the supervisor is told.
pub(super) fn spawn(
    name: &'static str,
    inputs: Sender<Input>,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, DaemonError> {
    let body = move || {
        let mut guard = Guard {
            name,
            inputs: Some(inputs),
        };
        run();
        guard.inputs = None;
    };
    let started = Builder::new().name(name.to_owned()).spawn(body);
    started.map_err(|reason| DaemonError::System {
        action: "start a thread",
        reason,
    })
}

/// Says so when it is dropped while it can, which only an unwinding thread lets happen.
struct Guard {
    name: &'static str,
    inputs: Option<Sender<Input>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(inputs) = &self.inputs {
            let _ = inputs.send(Input::Notice(Notice::Died(self.name)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_thread_that_dies_is_noticed_and_one_that_ends_is_not() {
        let (inputs, received) = channel();
        let calm = spawn("calm", inputs.clone(), || {}).unwrap();
        calm.join().unwrap();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let dead = spawn("dead", inputs, || panic!("on purpose")).unwrap();
        assert!(dead.join().is_err());
        std::panic::set_hook(hook);
        let noticed: Vec<_> = received.iter().collect();
        assert!(
            matches!(noticed[..], [Input::Notice(Notice::Died("dead"))]),
            "{noticed:?}"
        );
    }
}
