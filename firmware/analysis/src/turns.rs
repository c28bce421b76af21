//! Whose audio is analysed next, when several sources share a thread.

/// Turns of sources, in rounds: in a round every source that has audio waiting is served once, the latest first, and
/// none twice. So a source waits for at most one turn of each of the others, whatever they have waiting, and what is
/// left of the time goes to those that are behind.
///
/// A turn should be of bounded length in audio (a block). How much waits comes in as a value: no clock, no queue.
/// Sources are numbered as in the caller's list; one added to its end or taken from it is noticed with the next round.
#[derive(Debug, Default)]
pub struct Turns {
    /// What is still to be served in this round, the latest last.
    round: Vec<(u64, usize)>,
}

impl Turns {
    /// For so many sources without allocating; more are taken too.
    pub fn new(sources: usize) -> Self {
        Turns {
            round: Vec::with_capacity(sources),
        }
    }

    /// The source whose turn it is; `None` while none of the `sources` has audio waiting.
    ///
    /// `waiting` says how late a source is: audio that waits, in any unit that is the same for all (microseconds, say);
    /// 0 for none. It is asked once per source and round, and again right before the source's turn: a source that is
    /// gone or has nothing left by then is passed over.
    pub fn next(&mut self, sources: usize, waiting: impl Fn(usize) -> u64) -> Option<usize> {
        // A second round begins when the first has nothing left to give.
        for _ in 0..2 {
            while let Some((_, source)) = self.round.pop() {
                if source < sources && waiting(source) > 0 {
                    return Some(source);
                }
            }
            let late = (0..sources).map(|source| (waiting(source), source));
            self.round.extend(late.filter(|&(late, _)| late > 0));
            // Of equally late ones the one with the lower number comes first.
            self.round
                .sort_unstable_by_key(|&(late, source)| (late, std::cmp::Reverse(source)));
        }
        None
    }

    /// Forgets the round; for a list of sources whose numbers have changed.
    pub fn restart(&mut self) {
        self.round.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves `turns` turns of one unit each; `arrives` units come in for each source after every turn.
    fn served(waiting: &mut [u64], arrives: &[u64], turns: usize) -> Vec<usize> {
        let mut order = Turns::new(waiting.len());
        let mut served = Vec::new();
        for _ in 0..turns {
            if let Some(source) = order.next(waiting.len(), |source| waiting[source]) {
                waiting[source] -= 1;
                served.push(source);
            }
            for (waiting, arrives) in waiting.iter_mut().zip(arrives) {
                *waiting += arrives;
            }
        }
        served
    }

    #[test]
    fn a_round_serves_everyone_once_and_the_latest_first() {
        assert_eq!(
            served(&mut [2, 9, 0, 5], &[0; 4], 6),
            [1, 3, 0, 1, 3, 0],
            "the third has nothing"
        );
        assert_eq!(served(&mut [1, 1, 1], &[0; 3], 9), [0, 1, 2]);
    }

    #[test]
    fn nobody_is_served_while_nothing_waits() {
        assert_eq!(Turns::new(3).next(3, |_| 0), None);
        assert_eq!(Turns::new(0).next(0, |_| 7), None);
    }

    #[test]
    fn a_recording_that_never_runs_dry_does_not_starve_live_sources() {
        // Source 0 always has a great deal waiting; the others get a unit whenever they were served.
        let mut order = Turns::new(8);
        let mut since = [0usize; 8];
        for turn in 0..10_000 {
            let late = |source: usize| {
                if source == 0 {
                    1_000_000
                } else {
                    1 + (turn * source % 3) as u64
                }
            };
            let source = order.next(8, late).unwrap();
            since.iter_mut().for_each(|turns| *turns += 1);
            since[source] = 0;
            // At most: last of this round, after first of the one before.
            assert!(
                since.iter().all(|&turns| turns < 2 * 8 - 1),
                "{turn}: {since:?}"
            );
        }
    }

    #[test]
    fn time_that_nobody_else_needs_goes_to_the_one_that_is_behind() {
        let mut waiting = [100, 0, 0];
        let order = served(&mut waiting, &[0, 0, 0], 100);
        assert_eq!(order, [0; 100]);
        assert_eq!(waiting, [0; 3]);
    }

    #[test]
    fn shares_are_equal_when_everyone_is_behind() {
        let order = served(&mut [1 << 30, 1 << 20, 1 << 40], &[0, 7, 1], 3_000);
        for source in 0..3 {
            assert_eq!(order.iter().filter(|&&one| one == source).count(), 1_000);
        }
    }

    #[test]
    fn a_source_that_is_gone_or_empty_by_its_turn_is_passed_over() {
        let mut order = Turns::new(3);
        assert_eq!(order.next(3, |source| source as u64 + 1), Some(2));
        assert_eq!(order.next(1, |_| 5), Some(0), "1 is gone");
        assert_eq!(order.next(3, |_| 5), Some(0));
        assert_eq!(
            order.next(3, |source| if source == 1 { 0 } else { 5 }),
            Some(2)
        );
        order.restart();
        assert_eq!(order.next(3, |_| 5), Some(0));
    }
}
