//! Rounding that costs a layer's output least.
//!
//! Rounded each by itself, the weights of a channel move its output by the sum of all their errors, and what a layer hears is far from
//! white: its inputs rise and fall together. Here each weight is rounded knowing what those before it have cost, so that later ones make
//! up for it: the nearest plane of the lattice (Babai 1986) in the metric of the inputs' second moments, which is GPTQ
//! (Frantar et al. 2023) from its other end.

use std::ops::Range;

use super::moments::Moments;

/// Largest rounded magnitude; -128 stays unused, so that the range is symmetric.
pub(super) const LARGEST: f32 = 127.0;

/// Share of the inputs' mean square that is taken as noise of their own: moments of some thousand moments of sound are not exact.
const NOISE: f64 = 0.1;

/// How the inputs of a layer, or of a part of them, go together.
#[derive(Debug)]
pub(super) struct Curvature {
    /// The inputs in question.
    inputs: Range<usize>,
    /// Of these, from the quietest to the loudest; the last one is rounded first.
    order: Vec<usize>,
    /// Cholesky factor of their second moments, in that order: rows of a lower triangle, one after the other, each up to its diagonal.
    factor: Vec<f64>,
}

impl Curvature {
    /// Of inputs with these moments.
    pub(super) fn of(moments: &Moments) -> Self {
        let size = moments.inputs.len();
        let noise =
            NOISE * (0..size).map(|at| moments.of(at, at)).sum::<f64>() / size.max(1) as f64;
        // Of inputs that are never anything but 0, nothing is known.
        let noise = if noise > 0.0 { noise } else { 1.0 };
        let mut order: Vec<usize> = (0..size).collect();
        order.sort_by(|&a, &b| moments.of(a, a).total_cmp(&moments.of(b, b)));
        let mut factor: Vec<f64> = Vec::with_capacity(start(size));
        for (row, &a) in order.iter().enumerate() {
            for (column, &b) in order[..=row].iter().enumerate() {
                let (earlier, of_column) = (&factor[start(row)..], &factor[start(column)..]);
                let known: f64 = earlier
                    .iter()
                    .zip(&of_column[..column])
                    .map(|(a, b)| a * b)
                    .sum();
                let left = moments.of(a, b) - known;
                factor.push(if row == column {
                    (left + noise).max(f64::MIN_POSITIVE).sqrt()
                } else {
                    left / factor[start(column) + column]
                });
            }
        }
        Self {
            inputs: moments.inputs.clone(),
            order,
            factor,
        }
    }

    /// The row of the factor for the input that is the `row`-th in order.
    fn row(&self, row: usize) -> &[f64] {
        &self.factor[start(row)..start(row + 1)]
    }

    /// Rounds the weights of one output channel for these inputs, `steps` being all of the channel in units of its scale.
    fn round(&self, steps: &[f32], rounded: &mut [i8]) {
        let mut owed = vec![0.0f64; self.order.len()];
        for (row, &input) in self.order.iter().enumerate().rev() {
            let factor = self.row(row);
            let place = self.inputs.start + input;
            let step = f64::from(steps[place]);
            let wanted = step + owed[row] / factor[row];
            let integer = wanted
                .round()
                .clamp(-f64::from(LARGEST), f64::from(LARGEST));
            for (owed, factor) in owed.iter_mut().zip(factor) {
                *owed += (step - integer) * factor;
            }
            rounded[place] = integer as i8;
        }
    }
}

/// Numbers of a lower triangle in front of a row.
fn start(row: usize) -> usize {
    row * (row + 1) / 2
}

/// The weights of one output channel as integers, `steps` (each at most [`LARGEST`] in magnitude) being the weights in units of the
/// channel's scale. Inputs that no curvature is about are rounded each by itself.
pub(super) fn integers(steps: &[f32], curvatures: &[Curvature]) -> Vec<i8> {
    let mut rounded: Vec<i8> = steps.iter().map(|step| step.round() as i8).collect();
    for curvature in curvatures {
        curvature.round(steps, &mut rounded);
    }
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// Inputs that go together: a common part, and some of their own.
    fn inputs(count: usize, size: usize, rng: &mut StdRng) -> Vec<Vec<f32>> {
        let draw = |_| {
            let common: f32 = rng.random_range(0.0..2.0);
            let own = |at: usize| 0.2 * (at % 5) as f32;
            (0..size)
                .map(|at| common + own(at) * rng.random_range(0.0..1.0))
                .collect()
        };
        (0..count).map(draw).collect()
    }

    fn moments(inputs: &[Vec<f32>]) -> Moments {
        let mut moments = Moments::new(0..inputs[0].len());
        inputs.iter().for_each(|input| moments.add(input));
        moments
    }

    fn cost(steps: &[f32], integers: &[i8], inputs: &[Vec<f32>]) -> f64 {
        let off = |input: &Vec<f32>| {
            let errors = steps
                .iter()
                .zip(integers)
                .map(|(step, &integer)| f32::from(integer) - step);
            f64::from(
                errors
                    .zip(input)
                    .map(|(error, value)| error * value)
                    .sum::<f32>(),
            )
            .powi(2)
        };
        inputs.iter().map(off).sum::<f64>() / inputs.len() as f64
    }

    #[test]
    fn the_output_is_off_by_a_fraction_of_what_plain_rounding_costs_it() {
        let mut rng = StdRng::seed_from_u64(1);
        let heard = inputs(2000, 96, &mut rng);
        let others = inputs(500, 96, &mut rng);
        let curvature = [Curvature::of(&moments(&heard))];
        for _ in 0..5 {
            let steps: Vec<f32> = (0..96).map(|_| rng.random_range(-127.0..127.0)).collect();
            let plain = cost(&steps, &integers(&steps, &[]), &others);
            let rounded = integers(&steps, &curvature);
            let found = cost(&steps, &rounded, &others);
            assert!(found < 0.3 * plain, "{found} {plain}");
            for (step, &integer) in steps.iter().zip(&rounded) {
                assert!((f32::from(integer) - step).abs() < 4.0 && integer != i8::MIN);
            }
        }
    }

    #[test]
    fn the_factor_is_that_of_the_moments() {
        let mut rng = StdRng::seed_from_u64(2);
        let moments = moments(&inputs(50, 7, &mut rng));
        let curvature = Curvature::of(&moments);
        let mean = (0..7).map(|at| moments.of(at, at)).sum::<f64>() / 7.0;
        for row in 0..7 {
            for column in 0..=row {
                let both = curvature.row(row).iter().zip(curvature.row(column));
                let product: f64 = both.map(|(a, b)| a * b).sum();
                let [a, b] = [row, column].map(|at| curvature.order[at]);
                let noise = if row == column { NOISE * mean } else { 0.0 };
                assert!((product - moments.of(a, b) - noise).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn inputs_of_which_nothing_is_known_are_rounded_each_by_itself_and_the_range_is_never_left() {
        let steps = [127.0, -127.0, 0.4, 3.5, 126.6];
        assert_eq!(integers(&steps, &[]), [127, -127, 0, 4, 127]);
        let silent = Curvature::of(&moments(&[vec![0.0; 5]]));
        assert_eq!(integers(&steps, &[silent]), [127, -127, 0, 4, 127]);
        let equal = Curvature::of(&moments(&[vec![1.0; 5]]));
        assert!(
            integers(&[-126.6; 5], &[equal])
                .iter()
                .all(|&one| one >= -127)
        );
        assert!(integers(&[], &[]).is_empty());
    }

    #[test]
    fn parts_of_a_layer_are_rounded_one_without_the_other() {
        let mut rng = StdRng::seed_from_u64(3);
        let heard = inputs(300, 8, &mut rng);
        let part = |range: Range<usize>| {
            let mut moments = Moments::new(range);
            heard.iter().for_each(|input| moments.add(input));
            Curvature::of(&moments)
        };
        let steps: Vec<f32> = (0..8).map(|at| at as f32 * 7.3 - 20.0).collect();
        let together = integers(&steps, &[part(0..4), part(4..8)]);
        assert_eq!(together[..4], integers(&steps, &[part(0..4)])[..4]);
        assert_eq!(together[4..], integers(&steps, &[part(4..8)])[4..]);
    }
}
