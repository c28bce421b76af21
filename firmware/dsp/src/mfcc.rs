use std::f64::consts::PI;

/// Coefficients of one parity that are computed together: as many as vector registers hold beside those of the other.
const LANES: usize = 24;

/// Orthonormal DCT-II of a log-mel spectrum, as in librosa `feature.mfcc` (`dct_type=2`, `norm='ortho'`, no lifter).
///
/// `c[k] = s(k) * sum_n x[n] cos(pi k (2n + 1) / 2N)`, `s(0) = sqrt(1/N)`, else `sqrt(2/N)`. Row `k` of the matrix is symmetric
/// for even `k` and antisymmetric for odd `k`, so that sums and differences of mirrored bands halve the work.
#[derive(Debug, Clone)]
pub struct Dct {
    /// For every group of `2 * LANES` coefficients, one row per folded input.
    rows: Box<[Row]>,
    inputs: usize,
}

/// The shares of one folded input in a group of coefficients, those of even ones first.
#[derive(Debug, Clone)]
struct Row {
    even: [f32; LANES],
    odd: [f32; LANES],
}

impl Dct {
    /// From `inputs` values to the first `outputs` coefficients.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize) -> Self {
        let rows = |first: usize| {
            (0..inputs.div_ceil(2)).map(move |n| {
                let part = |parity: usize| {
                    std::array::from_fn(|lane| {
                        let k = first + 2 * lane + parity;
                        if k < outputs {
                            entry(inputs, k, n)
                        } else {
                            0.0
                        }
                    })
                };
                Row {
                    even: part(0),
                    odd: part(1),
                }
            })
        };
        Self {
            rows: (0..outputs).step_by(2 * LANES).flat_map(rows).collect(),
            inputs,
        }
    }

    /// Writes the coefficients of `input`; both lengths are those given to [`new`](Self::new).
    pub fn apply(&self, input: &[f32], output: &mut [f32]) {
        self.fill(input, output);
    }

    #[inline(always)]
    pub(crate) fn fill(&self, input: &[f32], output: &mut [f32]) {
        let half = self.inputs.div_ceil(2).max(1);
        let groups = self.rows.chunks_exact(half);
        for (rows, output) in groups.zip(output.chunks_mut(2 * LANES)) {
            let (even, odd) = dot(rows, input);
            let mut values = [[0.0; 2]; LANES];
            for lane in 0..LANES {
                values[lane] = [even[lane], odd[lane]];
            }
            output.copy_from_slice(&values.as_flattened()[..output.len()]);
        }
    }
}

#[inline(always)]
fn dot(rows: &[Row], input: &[f32]) -> ([f32; LANES], [f32; LANES]) {
    let (mut even, mut odd) = ([0.0f32; LANES], [0.0f32; LANES]);
    let mirrored = input.iter().zip(input.iter().rev());
    for (row, (&a, &b)) in rows.iter().zip(mirrored) {
        let (sum, difference) = (a + b, a - b);
        for lane in 0..LANES {
            even[lane] += sum * row.even[lane];
            odd[lane] += difference * row.odd[lane];
        }
    }
    (even, odd)
}

/// What input `n` and its mirror image weigh in coefficient `k`; in the middle of an odd length they are the same, and count
/// half.
fn entry(inputs: usize, k: usize, n: usize) -> f32 {
    let scale = if k == 0 { 1.0 } else { 2.0 } / inputs as f64;
    let share = if 2 * n + 1 == inputs { 0.5 } else { 1.0 };
    (share * scale.sqrt() * (PI * (k * (2 * n + 1)) as f64 / (2 * inputs) as f64).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_those_of_the_plain_sum_for_even_and_odd_lengths() {
        for (inputs, outputs) in [
            (64, 40),
            (64, 64),
            (13, 13),
            (13, 5),
            (1, 1),
            (2, 2),
            (40, 1),
            (40, 0),
        ] {
            let input: Vec<f32> = (0..inputs)
                .map(|n| -40.0 + 30.0 * (n as f32 * 1.7).sin())
                .collect();
            let mut output = vec![0.0; outputs];
            Dct::new(inputs, outputs).apply(&input, &mut output);
            for (k, value) in output.iter().enumerate() {
                let scale = (if k == 0 { 1.0 } else { 2.0 } / inputs as f64).sqrt();
                let exact: f64 = input
                    .iter()
                    .enumerate()
                    .map(|(n, x)| {
                        f64::from(*x) * (PI * (k * (2 * n + 1)) as f64 / (2 * inputs) as f64).cos()
                    })
                    .sum::<f64>()
                    * scale;
                assert!(
                    (f64::from(*value) - exact).abs() < 1e-4,
                    "{k} of {inputs}: {value} instead of {exact}"
                );
            }
        }
    }
}
