//! The analysis thread: what the ring holds goes to the analyser, what it tells to the sinks.

use std::time::Duration;

use undertone_events::EndReason;

use super::reporter::Reporter;
use crate::capture::{Format, Found, MarkKind, Reader};
use crate::stop::Stop;
use crate::talk::say;
use undertone_analysis::{Analyser, Scorer, ScorerError};

/// How long an idle analysis sleeps when nobody wakes it.
const IDLE: Duration = Duration::from_millis(20);

/// Analyses until the audio ends, the end is asked for or every sink is closed; then ends what is open.
///
/// # Errors
/// When the model fails.
pub(super) fn analyse<S: Scorer>(
    mut reader: Reader,
    mut analyser: Analyser<S>,
    mut reporter: Reporter,
    (format, block_frames): (Format, usize),
    stop: &Stop,
) -> Result<(), ScorerError> {
    let mut buffer = vec![0.0; block_frames * format.channels];
    let (mut heard, mut gaps, mut missing) = (0u64, 0u64, 0u64);
    while reporter.is_open() {
        let tell = &mut |channel, told| reporter.put(channel, told);
        match reader.next(&mut buffer) {
            Found::Samples(count) => {
                heard += count as u64;
                analyser.push(&buffer[..count], tell)?;
            }
            Found::Mark(MarkKind::Gap(frames)) => {
                gaps += 1;
                missing = missing.saturating_add(frames);
                analyser.gap(frames, tell)?;
            }
            Found::Mark(MarkKind::End(reason)) => analyser.close(reason, tell)?,
            Found::Abandoned => break,
            // What was captured before the end was asked for still counts.
            Found::Nothing if stop.requested() => break,
            Found::Nothing => std::thread::park_timeout(IDLE),
        }
    }
    analyser.close(EndReason::Shutdown, &mut |channel, told| {
        reporter.put(channel, told)
    })?;
    // A recording without speech gives no event; this says that it was heard all the same.
    say!(
        "{:.1} s of audio heard, {} utterance(s)",
        heard as f64 / (f64::from(format.rate) * format.channels as f64),
        reporter.utterances()
    );
    if gaps > 0 || reporter.lost() > 0 {
        say!(
            "{gaps} gap(s), {missing} frames missing, {} of them because analysis was too slow; {} event(s) lost",
            reader.dropped(),
            reporter.lost()
        );
    }
    Ok(())
}
