//! Carries out the commands from outside.

use std::time::Instant;

use super::Supervisor;
use super::message::Order;
use crate::control::{Command, CommandError, Outcome, Request};
use crate::health::Sensors;
use crate::talk::say;

impl Supervisor {
    pub(super) fn carry_out(&mut self, request: Request) {
        let outcome = match &request.command {
            Command::Mute | Command::Unmute => return self.mute(request),
            Command::Reload => self.reload().map(|changed| Outcome::Reloaded { changed }),
            Command::Threshold { label, value } => self.threshold(label.clone(), *value),
            Command::Identify => Ok(self.identify()),
            Command::Status => {
                self.show_status();
                Ok(Outcome::Status((*self.shown_status()).clone()))
            }
        };
        request.answer(outcome);
    }

    /// Has the devices closed, or opened again; the answer waits for them.
    fn mute(&mut self, request: Request) {
        if let Some((before, _)) = self.waiting.take() {
            before.answer(Err(CommandError::Busy));
        }
        self.muted = request.command == Command::Mute;
        for source in &self.sources {
            source.mute.command(self.muted);
        }
        self.waiting = Some((request, Instant::now()));
    }

    fn threshold(&mut self, label: Option<String>, value: f32) -> Result<Outcome, CommandError> {
        if !(0.0..=1.0).contains(&value) {
            return Err(CommandError::Range {
                field: "value",
                value,
                min: 0.0,
                max: 1.0,
            });
        }
        let labels = &self.info.labels;
        let index =
            match &label {
                None => None,
                Some(name) => Some(labels.iter().position(|known| known == name).ok_or_else(
                    || CommandError::Label {
                        label: name.clone(),
                        known: labels.join(", "),
                    },
                )?),
            };
        if !self.hub.order(Order::Threshold(index, value)) {
            return Err(CommandError::NotRunning);
        }
        let of = label.as_deref().unwrap_or("every label");
        say!("the threshold of {of} is {value} from now on");
        Ok(Outcome::Threshold { label, value })
    }

    fn identify(&self) -> Outcome {
        let host = Sensors::default().host();
        say!("this is {host}, run {}", self.boot_id);
        Outcome::Identified {
            host,
            boot_id: self.boot_id.to_string(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
