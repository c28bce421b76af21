//! The end: no more audio, every utterance its end, every sink its good-bye, and nobody is waited for without limit.

use std::time::{Duration, Instant};

use super::Supervisor;
use super::message::{Input, Notice, Order};
use crate::control::CommandError;
use crate::error::DaemonError;
use crate::talk::{complain, say};

/// How long the end waits for what was captured to be analysed.
const ANALYSIS: Duration = Duration::from_secs(5);
/// How long it waits for a thread that is stuck in the operating system, for instance reading a silent pipe.
const PATIENCE: Duration = Duration::from_millis(1000);

impl Supervisor {
    pub(super) fn end(mut self) -> Result<(), DaemonError> {
        self.notifier.stopping();
        self.notifier.status("ending");
        self.show_status();
        drop(self.control.take());
        if let Some((request, _)) = self.waiting.take() {
            request.answer(Err(CommandError::NotRunning));
        }
        let all = self.sources.iter().chain(&self.closing);
        all.for_each(|source| source.stop());
        self.ending.request();
        self.hub.order(Order::Finish);
        self.wait_for_analysis();
        let until = Instant::now() + PATIENCE;
        let all = self.sources.drain(..).chain(self.closing.drain(..));
        all.for_each(|source| source.join(until));
        self.last_inputs();
        self.say_good_bye();
        // The sinks end when nobody can report any more.
        self.gatherer.set_sinks(None);
        drop(self.metrics.take());
        drop(self.fan_out);
        drop(self.hub);
        let written = self.sinks.join();
        match self.outcome {
            Some(Err(error)) => Err(error),
            _ => written,
        }
    }

    fn wait_for_analysis(&mut self) {
        let until = Instant::now() + ANALYSIS;
        while !self.analysis.is_finished() {
            if Instant::now() > until {
                complain!("analysis is stuck and left behind");
                return self.fail(DaemonError::Thread("analysis"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What the threads said while they ended; a failure among it counts.
    fn last_inputs(&mut self) {
        while let Ok(request) = self.requests.try_recv() {
            request.answer(Err(CommandError::NotRunning));
        }
        while let Ok(input) = self.inputs.try_recv() {
            match input {
                Input::Notice(Notice::CaptureEnded(_, Err(error))) => self.fail(error.into()),
                Input::Notice(Notice::ModelFailed(reason)) => self.fail(DaemonError::Model {
                    name: "while running".into(),
                    reason,
                }),
                Input::Notice(Notice::Died(name)) => self.fail(DaemonError::Thread(name)),
                _ => {}
            }
        }
    }

    fn say_good_bye(&self) {
        let counters = &self.gatherer.counters;
        // A recording without speech gives no event; this says that it was heard all the same.
        say!(
            "{:.1} s of audio heard, {} utterance(s)",
            counters.heard_ms.get() as f64 / 1000.0,
            counters.utterances.get()
        );
        let (gaps, lost) = (counters.gaps.get(), self.fan_out.lost());
        if gaps > 0 || lost > 0 {
            say!(
                "{gaps} gap(s), {} frames missing, {} of them because analysis was too slow; {lost} event(s) lost",
                counters.missing_frames.get(),
                counters.dropped_frames.get(),
            );
        }
    }
}
