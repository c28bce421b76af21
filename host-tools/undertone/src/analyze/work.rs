//! All recordings, on all cores.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::inputs::Input;
use super::journal::Journal;
use super::line::lines;
use super::progress::Progress;
use super::recording::{Listening, hear};
use crate::clock;

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) recordings: usize,
    pub(super) failed: usize,
    utterances: usize,
    /// Audio that was heard.
    seconds: f64,
    jobs: usize,
    elapsed: Duration,
    /// CPU time of all threads.
    cpu: f64,
}

impl Outcome {
    /// One line for people. Hours per minute are by the clock, hours per CPU minute by what the cores gave this process.
    pub(super) fn describe(&self, skipped: usize) -> String {
        let hours = self.seconds / 3600.0;
        let per_minute = |seconds: f64| hours / (seconds.max(1e-9) / 60.0);
        let complete = if skipped == 0 {
            String::new()
        } else {
            format!("; {skipped} were complete already")
        };
        format!(
            "{} recording(s), {hours:.2} h of audio, {} utterance(s) in {:.1} s with {} job(s): {:.1} h of audio per minute, \
             {:.1} h per CPU minute{complete}",
            self.recordings,
            self.utterances,
            self.elapsed.as_secs_f64(),
            self.jobs,
            per_minute(self.elapsed.as_secs_f64()),
            per_minute(self.cpu),
        )
    }
}

/// Hears every recording; each worker takes the next one that nobody has. Rows of a recording are written together.
///
/// # Errors
/// When rows cannot be written. A reader that has had enough ends the work without an error.
pub(super) fn analyse(
    inputs: &[Input],
    listening: &Listening<'_>,
    jobs: usize,
    journal: &mut Journal,
) -> Result<Outcome> {
    let jobs = jobs.clamp(1, inputs.len().max(1));
    let (started, cpu) = (Instant::now(), clock::process_cpu());
    let mut outcome = Outcome {
        jobs,
        ..Outcome::default()
    };
    let progress = Progress::new(inputs);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (sender, receiver) = sync_channel(jobs);
    let written = std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (sender, next, stop, progress) = (sender.clone(), &next, &stop, &progress);
            scope.spawn(move || {
                while let Some(input) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut part = progress.begin(input.bytes);
                    let heard = hear(input, listening, &mut |share| {
                        part.reach(share);
                        !stop.load(Ordering::Relaxed)
                    });
                    part.reach(1.0);
                    if stop.load(Ordering::Relaxed) || sender.send(heard).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut write = || -> Result<()> {
            for (timeline, ended) in &receiver {
                let failure = ended.as_ref().err().map(String::as_str);
                let rows = lines(&timeline, failure)?;
                match progress.apart(|| journal.write(&rows)) {
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                    written => written.context("cannot write the rows")?,
                }
                if let Some(reason) = failure {
                    progress.apart(|| eprintln!("failed: {reason}"));
                    outcome.failed += 1;
                }
                outcome.recordings += 1;
                outcome.utterances += timeline.utterances().count();
                outcome.seconds += timeline.seconds;
                progress.heard(outcome.recordings, outcome.failed, outcome.seconds);
            }
            Ok(())
        };
        let written = write();
        stop.store(true, Ordering::Relaxed);
        // A worker that waits to hand over its timeline is let go.
        drop(receiver);
        written
    });
    progress.finish();
    outcome.elapsed = started.elapsed();
    outcome.cpu = clock::process_cpu() - cpu;
    written.map(|()| outcome)
}
