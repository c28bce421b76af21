//! The weights of a convolution, cut into runs of memory.

use crate::direct::conv::Tap;

/// Weights `[outputs, inputs of a part, high, long]`.
pub(super) struct Kernel {
    pub(super) outputs: usize,
    pub(super) inputs: usize,
    pub(super) high: usize,
    pub(super) long: usize,
    /// Parts of the channels that know nothing of each other.
    pub(super) parts: usize,
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

    /// Rows of a tap: between those of a part lie the channels of the others.
    pub(super) fn span(&self, (first, last): (usize, usize)) -> usize {
        if self.parts == 1 { last + 1 - first } else { 1 }
    }

    /// Column and first row of each tap.
    pub(super) fn places(&self, rows: (usize, usize)) -> impl Iterator<Item = (usize, usize)> {
        let span = self.span(rows);
        let all = (0..self.long).flat_map(move |column| {
            let starts = (rows.0..=rows.1).step_by(span);
            starts.map(move |row| (column, row))
        });
        all.filter(move |&(column, start)| {
            let mut rows = start..start + span;
            rows.any(|row| self.used(row, column))
        })
    }

    /// The taps, `dilation` columns from one of the kernel's columns to the next.
    pub(super) fn taps(&self, rows: (usize, usize), dilation: usize) -> Vec<Tap> {
        let span = self.span(rows);
        let tap = |(column, start): (usize, usize)| {
            let mut weights = Vec::with_capacity(span * self.inputs * self.outputs);
            for row in start..start + span {
                for input in 0..self.inputs {
                    let outputs = 0..self.outputs;
                    weights.extend(outputs.map(|output| self.at(output, input, row, column)));
                }
            }
            Tap {
                column: column * dilation,
                row: start - rows.0,
                weights,
            }
        };
        self.places(rows).map(tap).collect()
    }
}
