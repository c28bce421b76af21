//! The state of the box, from that of its sources and from what troubles it.

use std::sync::{Arc, PoisonError};

use undertone_analysis::{Load, Signal};
use undertone_events::Label;

use super::machine::overall;
use super::pulse::worse;
use super::source::Running;
use super::{Doing, Supervisor};
use crate::status::{Report, State, Status, Trouble};
use crate::talk::{caution, say};

impl Supervisor {
    /// Puts the state together, and reports it where it differs.
    pub(super) fn show_status(&mut self) {
        let before = {
            let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&shown.1)
        };
        let now = self.status(&before);
        if now == *before {
            return;
        }
        if now.state != before.state {
            say!("{}", sentence(&now));
        }
        let now = Arc::new(now);
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).1 = Arc::clone(&now);
        self.notifier.status(&sentence(&now));
        self.fan_out.report(&Report::Status(now));
    }

    /// The latest status that was reported.
    pub(super) fn shown_status(&self) -> Arc<Status> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shown.1)
    }

    fn status(&self, before: &Status) -> Status {
        let sources: Vec<_> = self.sources.iter().filter_map(Running::status).collect();
        let troubles = self.troubles();
        let states = sources.iter().map(|source| source.state);
        let state = match (self.warm, sources.is_empty()) {
            // What has ended was as it was.
            (true, true) => before.state,
            (true, false) => overall(states, !troubles.is_empty()),
            (false, _) => State::Starting,
        };
        let listens = |source: &&Running| matches!(source.doing, Doing::Listening | Doing::Speech);
        let signals = self
            .sources
            .iter()
            .filter(listens)
            .map(|source| source.signal);
        let decision = self.latest.get();
        Status {
            state,
            since_ms: if state == before.state {
                before.since_ms
            } else {
                u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
            },
            signal: signals.reduce(worse).unwrap_or(Signal::None),
            label: decision.map(|(label, _)| match label {
                Label::Known(index) => self
                    .info
                    .labels
                    .get(index)
                    .map_or("unknown", String::as_str)
                    .into(),
                Label::Unknown => "unknown".into(),
            }),
            confidence: decision.map(|(_, confidence)| (confidence * 1e4).round() / 1e4),
            sources,
            troubles,
        }
    }

    fn troubles(&self) -> Vec<Trouble> {
        let slow = self.slow_sinks.values().any(|(_, since)| since.is_some());
        let is = [
            (self.hot, Trouble::Hot),
            (self.throttled, Trouble::Throttled),
            (self.load.is_degraded(), Trouble::Overload),
            (slow, Trouble::SlowSink),
            (!self.stuck.is_empty(), Trouble::Stuck),
        ];
        is.into_iter()
            .filter_map(|(is, trouble)| is.then_some(trouble))
            .collect()
    }

    pub(super) fn loaded(&mut self, load: Load) {
        match load {
            Load::InTime => say!("analysis keeps up again"),
            Load::Degraded { widening } => {
                caution!("analysis is late; answers come {widening} times as far apart");
            }
            Load::Dropping { lost, .. } if !matches!(self.load, Load::Dropping { .. }) => {
                caution!("analysis does not keep up; {lost} frames were dropped so far");
            }
            Load::Dropping { .. } => {}
        }
        self.load = load;
    }
}

/// The state in a sentence, for the log and for systemd.
fn sentence(status: &Status) -> String {
    let named = |state: State| {
        let names: Vec<&str> = status
            .sources
            .iter()
            .filter(|source| source.state == state)
            .map(|source| &*source.name)
            .collect();
        names.join(", ")
    };
    match status.state {
        State::Starting => "starting: waiting for the first audio".into(),
        State::Listening => "listening".into(),
        State::Speech => "listening: speech".into(),
        State::Muted => "muted: every microphone is closed".into(),
        State::Stalled => format!("stalled: {} delivers nothing", named(State::Stalled)),
        State::MicLost => format!("mic-lost: {} is gone", named(State::MicLost)),
        State::Degraded => {
            let troubles = status.troubles.iter().map(|trouble| trouble.name());
            format!("degraded: {}", troubles.collect::<Vec<_>>().join(", "))
        }
    }
}
