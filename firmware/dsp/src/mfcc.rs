use std::f64::consts::PI;

/// Coefficients that are computed together.
const LANES: usize = 8;

/// Orthonormal DCT-II of a log-mel spectrum, as in librosa `feature.mfcc` (`dct_type=2`, `norm='ortho'`, no lifter).
///
/// `c[k] = s(k) * sum_n x[n] cos(pi k (2n + 1) / 2N)`, `s(0) = sqrt(1/N)`, else `sqrt(2/N)`. Row `k` of the matrix is symmetric
/// for even `k` and antisymmetric for odd `k`, so that sums and differences of mirrored bands halve the work.
#[derive(Debug, Clone)]
pub struct Dct {
    /// For every group of `LANES` coefficients of one parity, one row per folded input.
    even: Box<[[f32; LANES]]>,
    odd: Box<[[f32; LANES]]>,
    sums: Box<[f32]>,
    differences: Box<[f32]>,
}

impl Dct {
    /// From `inputs` values to the first `outputs` coefficients.
    #[must_use]
    pub fn new(inputs: usize, outputs: usize) -> Self {
        let half = inputs.div_ceil(2);
        Self {
            even: matrix(inputs, outputs, 0),
            odd: matrix(inputs, outputs, 1),
            sums: vec![0.0; half].into(),
            differences: vec![0.0; half].into(),
        }
    }

    /// Writes the coefficients of `input`; both lengths are those given to [`new`](Self::new).
    pub fn apply(&mut self, input: &[f32], output: &mut [f32]) {
        let folded = self.sums.iter_mut().zip(&mut self.differences);
        for ((sum, difference), (&a, &b)) in folded.zip(input.iter().zip(input.iter().rev())) {
            *sum = a + b;
            *difference = a - b;
        }
        for (parity, rows, folded) in [
            (0, &self.even, &self.sums),
            (1, &self.odd, &self.differences),
        ] {
            let wanted = output.iter_mut().skip(parity).step_by(2);
            for (value, out) in rows
                .chunks(folded.len())
                .flat_map(|rows| dot(rows, folded))
                .zip(wanted)
            {
                *out = value;
            }
        }
    }
}

fn dot(rows: &[[f32; LANES]], input: &[f32]) -> [f32; LANES] {
    let mut sums = [0.0f32; LANES];
    for (row, &value) in rows.iter().zip(input) {
        for lane in 0..LANES {
            sums[lane] += value * row[lane];
        }
    }
    sums
}

/// The rows of one parity, in groups; a middle input of an odd length meets itself when folded, and counts half.
fn matrix(inputs: usize, outputs: usize, parity: usize) -> Box<[[f32; LANES]]> {
    let half = inputs.div_ceil(2);
    let wanted: Vec<usize> = (parity..outputs).step_by(2).collect();
    let entry = |k: usize, n: usize| {
        let scale = if k == 0 { 1.0 } else { 2.0 } / inputs as f64;
        let share = if 2 * n + 1 == inputs { 0.5 } else { 1.0 };
        (share * scale.sqrt() * (PI * (k * (2 * n + 1)) as f64 / (2 * inputs) as f64).cos()) as f32
    };
    wanted
        .chunks(LANES)
        .flat_map(|group| {
            (0..half).map(move |n| {
                std::array::from_fn(|lane| group.get(lane).map_or(0.0, |&k| entry(k, n)))
            })
        })
        .collect()
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
