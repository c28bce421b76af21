//! A convolution over time alone, the same for all rows of a value of one channel, as a running mean is.
//!
//! Its columns lie row by row, so that rows are computed together here, where [`super::conv`] would fill a vector with one
//! output channel. Every row sums the same products in the same order, whatever the portion.

use super::lanes::{Lanes, Level, Work};
use super::layout::{Layout, Scratch};

/// Vectors of rows that are computed together.
const VECTORS: usize = 4;

/// A filter over time ready to run.
#[derive(Debug)]
pub(super) struct Filter {
    pub(super) input: usize,
    pub(super) output: usize,
    /// Columns from one weight to the next.
    pub(super) dilation: usize,
    /// Of the earliest column first.
    pub(super) weights: Vec<f32>,
    pub(super) bias: f32,
}

impl Filter {
    pub(super) fn run(&self, level: Level, layout: &Layout, scratch: &mut Scratch, steps: usize) {
        scratch.write(self.output, |others, output| {
            level.run(Run {
                filter: self,
                layout,
                input: &others.values[self.input],
                output,
                steps,
            });
        });
    }

    /// Columns that it looks back at.
    pub(super) fn past(&self) -> usize {
        self.weights.len().saturating_sub(1) * self.dilation
    }
}

struct Run<'a> {
    filter: &'a Filter,
    layout: &'a Layout,
    input: &'a [f32],
    output: &'a mut [f32],
    steps: usize,
}

impl Work for Run<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let from = &self.layout.values[self.filter.input];
        let to = &self.layout.values[self.filter.output];
        let oldest = from.past - self.filter.past();
        let pitch = from.pitch() * self.filter.dilation;
        for index in 0..self.steps * to.rate {
            let start = (to.past + index) * to.pitch() + to.above;
            let output = &mut self.output[start..start + to.rows];
            let first = (oldest + index) * from.pitch() + from.above;
            let mut row = 0;
            while row < to.rows {
                let rest = to.rows - row;
                let (input, output) = (&self.input[first + row..], &mut output[row..]);
                row += if rest >= VECTORS * L::COUNT {
                    self.filter.rows::<L, VECTORS>(lanes, input, pitch, output)
                } else if rest >= L::COUNT {
                    self.filter.rows::<L, 1>(lanes, input, pitch, output)
                } else {
                    self.filter.row(input, pitch, output)
                };
            }
        }
    }
}

impl Filter {
    /// `V` vectors of rows of one column; gives how many rows that is.
    #[inline(always)]
    fn rows<L: Lanes, const V: usize>(
        &self,
        lanes: L,
        input: &[f32],
        pitch: usize,
        output: &mut [f32],
    ) -> usize {
        let mut sums = [lanes.splat(self.bias); V];
        for (tap, &weight) in self.weights.iter().enumerate() {
            let weight = lanes.splat(weight);
            let column = L::blocks(&input[tap * pitch..][..V * L::COUNT]);
            for vector in 0..V {
                let value = lanes.load(&column[vector]);
                sums[vector] = lanes.multiply_add(value, weight, sums[vector]);
            }
        }
        for (part, sum) in output.chunks_exact_mut(L::COUNT).zip(sums) {
            lanes.store(sum, part);
        }
        V * L::COUNT
    }

    /// One row of one column.
    fn row(&self, input: &[f32], pitch: usize, output: &mut [f32]) -> usize {
        let taps = self.weights.iter().enumerate();
        output[0] = taps.fold(self.bias, |sum, (tap, weight)| {
            input[tap * pitch] * weight + sum
        });
        1
    }
}
