//! Whether a microphone lives: a pure state machine over the levels of its source.

use undertone_analysis::Signal;

/// A source counts as dead when every one of its levels was, for so many seconds. A sound server that begins to play, or a
/// driver that starts up, delivers a moment of digital silence too.
const DEAD_SECONDS: u64 = 2;

/// Follows the levels of one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pulse {
    /// Where the first of the dead levels in a row ended, in frames.
    since: Option<u64>,
    dead: bool,
}

impl Pulse {
    /// Takes a level: whether all of its samples were the same, and where it ends in frames at `rate` (Hz).
    pub(super) fn take(&mut self, dead: bool, at_frame: u64, rate: u32) {
        self.since = dead.then(|| self.since.unwrap_or(at_frame));
        self.dead = self
            .since
            .is_some_and(|since| at_frame.saturating_sub(since) >= DEAD_SECONDS * u64::from(rate));
    }

    /// True while nothing that works would deliver what comes.
    pub(super) fn is_dead(&self) -> bool {
        self.dead
    }
}

/// The worse of two signals.
pub(super) fn worse(one: Signal, other: Signal) -> Signal {
    let badness = |signal| match signal {
        Signal::Ok => 0,
        Signal::Low => 1,
        Signal::Clipping => 2,
        Signal::None => 3,
    };
    if badness(other) > badness(one) {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a source is after each of these levels, half a second apart.
    fn after(levels: &[bool]) -> Vec<bool> {
        let mut pulse = Pulse::default();
        let take = |(number, dead): (usize, &bool)| {
            pulse.take(*dead, 8_000 * (number as u64 + 1), 16_000);
            pulse.is_dead()
        };
        levels.iter().enumerate().map(take).collect()
    }

    #[test]
    fn a_microphone_is_dead_after_two_seconds_of_one_value_and_alive_with_the_first_other_one() {
        assert_eq!(
            after(&[true, true, true, true, true, true, false, true]),
            [false, false, false, false, true, true, false, false]
        );
    }

    #[test]
    fn moments_of_digital_silence_are_no_death() {
        let stutter = [true, true, true, false].repeat(5);
        assert!(!after(&stutter).contains(&true));
    }

    #[test]
    fn of_two_signals_the_worse_is_told_in_either_order() {
        let worst_last = [Signal::Ok, Signal::Low, Signal::Clipping, Signal::None];
        for (index, one) in worst_last.into_iter().enumerate() {
            for (other_index, other) in worst_last.into_iter().enumerate() {
                assert_eq!(worse(one, other), worst_last[index.max(other_index)]);
            }
        }
    }
}
