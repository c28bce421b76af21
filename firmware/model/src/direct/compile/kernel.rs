//! The weights of a convolution, cut into runs of memory.

use crate::direct::conv::Tap;

/// Weights `[outputs, inputs, high, long]`.
pub(super) struct Kernel {
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    pub(super) high: usize,
    pub(super) long: usize,
    pub(super) weights: Vec<f32>,
}

impl Kernel {
    fn at(&self, output: usize, input: usize, row: usize, column: usize) -> f32 {
        let line = (output * self.inputs + input) * self.high + row;
        self.weights[line * self.long + column]
    }

    /// Rows and columns that are all zeros need not be looked at.
    fn used(&self, row: usize, column: usize) -> bool {
        let mut channels = (0..self.outputs).flat_map(|output| {
            let inputs = 0..self.inputs;
            inputs.map(move |input| (output, input))
        });
        channels.any(|(output, input)| self.at(output, input, row, column) != 0.0)
    }

    /// The first and the last row that are not all zeros; `None` if all are.
    pub(super) fn rows(&self) -> Option<(usize, usize)> {
        let used = |row: &usize| (0..self.long).any(|column| self.used(*row, column));
        Some(((0..self.high).find(used)?, (0..self.high).rfind(used)?))
    }

    /// The columns that are not all zeros.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> {
        (0..self.long).filter(|&column| (0..self.high).any(|row| self.used(row, column)))
    }

    /// The taps, `dilation` columns from one of the kernel's columns to the next.
    pub(super) fn taps(&self, (first, last): (usize, usize), dilation: usize) -> Vec<Tap> {
        let tap = |column: usize| {
            let mut weights = Vec::with_capacity((last + 1 - first) * self.inputs * self.outputs);
            for row in first..=last {
                for input in 0..self.inputs {
                    let outputs = 0..self.outputs;
                    weights.extend(outputs.map(|output| self.at(output, input, row, column)));
                }
            }
            Tap {
                column: column * dilation,
                weights,
            }
        };
        self.columns().map(tap).collect()
    }
}
