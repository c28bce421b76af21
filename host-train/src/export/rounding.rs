//! Rounding that keeps sums.
//!
//! What a layer hears has passed a rectifier and is mostly positive, so that rounding errors of one sign add up. Rounded
//! each by itself, a channel of 1000 weights is off by some ten steps in sum. Here a few weights are rounded the other way, until the
//! errors of every kernel, and then of every output channel, sum to half a step at most: the first two levels of SQuant (Guo et al. 2022,
//! "On-the-fly data-free quantization via diagonal Hessian approximation"), which need no data either.

use std::ops::Range;

/// Largest rounded magnitude; -128 stays unused, so that the range is symmetric.
pub(super) const LARGEST: f32 = 127.0;

/// The weights of one output channel as integers, `steps` (each at most [`LARGEST`] in magnitude) being the weights in units of the channel's
/// scale, and `kernel` (at least 1) how many of them in a row belong to one input channel.
pub(super) fn integers(steps: &[f32], kernel: usize) -> Vec<i8> {
    let mut channel = Channel {
        rounded: steps.iter().map(|step| step.round()).collect(),
        steps,
    };
    let kernel = kernel.max(1);
    let kernels = (0..steps.len())
        .step_by(kernel)
        .map(|start| start..(start + kernel).min(steps.len()));
    for places in kernels.clone() {
        let excess = channel.excess(places.clone());
        for _ in 0..flips(excess) {
            if let Some(place) = channel.nearest(places.clone(), excess) {
                channel.flip(place, excess);
            }
        }
    }
    let excess = channel.excess(0..steps.len());
    // One weight of a kernel at most, first of those that are off to the same side as the whole.
    let mut open: Vec<(f32, usize)> = kernels
        .filter_map(|places| {
            let off = channel.excess(places.clone()) * excess.signum();
            Some((off, channel.nearest(places, excess)?))
        })
        .collect();
    open.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, place) in open.into_iter().take(flips(excess)) {
        channel.flip(place, excess);
    }
    channel.rounded.iter().map(|&value| value as i8).collect()
}

/// How many weights are to go one step back, so that half a step is left at most.
fn flips(excess: f32) -> usize {
    excess.abs().round() as usize
}

struct Channel<'a> {
    steps: &'a [f32],
    rounded: Vec<f32>,
}

impl Channel<'_> {
    fn error(&self, place: usize) -> f32 {
        self.rounded[place] - self.steps[place]
    }

    /// By how much the integers at `places` exceed the weights, in sum.
    fn excess(&self, places: Range<usize>) -> f32 {
        places.map(|place| self.error(place)).sum()
    }

    /// Where a step against `excess` costs least; `None` where the range ends everywhere.
    fn nearest(&self, places: Range<usize>, excess: f32) -> Option<usize> {
        let open = |place: &usize| (self.rounded[*place] - excess.signum()).abs() <= LARGEST;
        let gain = |place: usize| self.error(place) * excess.signum();
        places
            .filter(open)
            .max_by(|&a, &b| gain(a).total_cmp(&gain(b)))
    }

    fn flip(&mut self, place: usize, excess: f32) {
        self.rounded[place] -= excess.signum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn sum(steps: &[f32], integers: &[i8]) -> f32 {
        let errors = steps.iter().zip(integers);
        errors
            .map(|(step, &integer)| f32::from(integer) - step)
            .sum()
    }

    #[test]
    fn errors_of_a_channel_sum_to_half_a_step_and_no_weight_moves_by_more_than_a_step_and_a_half() {
        for (seed, kernel) in [(1, 9), (2, 1), (3, 3), (4, 56)] {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut steps: Vec<f32> = (0..kernel * 64)
                // Errors of one sign, so that plain rounding is far off.
                .map(|_| rng.random_range(-126..126) as f32 + rng.random_range(0.2..0.5))
                .collect();
            steps[0] = LARGEST;
            steps[1] = -LARGEST;
            let plain: Vec<i8> = steps.iter().map(|step| step.round() as i8).collect();
            assert!(sum(&steps, &plain).abs() > 10.0);
            let kept = integers(&steps, kernel);
            assert!(sum(&steps, &kept).abs() <= 0.51, "kernel {kernel}");
            for (step, &integer) in steps.iter().zip(&kept) {
                assert!((f32::from(integer) - step).abs() <= 1.5 && integer != i8::MIN);
            }
            if kernel > 1 {
                // The second level may take one step of a kernel.
                for (steps, kept) in steps.chunks(kernel).zip(kept.chunks(kernel)) {
                    assert!(sum(steps, kept).abs() <= 1.51);
                }
            }
        }
    }

    #[test]
    fn weights_that_are_integers_stay_and_the_range_is_never_left() {
        let steps = [127.0, -127.0, 0.0, 3.0];
        assert_eq!(integers(&steps, 2), [127, -127, 0, 3]);
        // All errors would have to go beyond the range.
        let steps = [126.6, 126.7, 127.0, 126.55];
        assert!(sum(&steps, &integers(&steps, 4)).abs() <= 0.51);
        assert!(integers(&[-126.6; 3], 1).iter().all(|&one| one >= -127));
        assert!(integers(&[], 3).is_empty());
    }
}
