//! A convolution, with what follows it at once: `relu?(relu?(conv + bias) + residual)`.
//!
//! The products are summed in registers for a few positions (of row and time) and a few vectors of output channels at
//! a time; one weight vector serves all positions, one input value all channels.

use super::lanes::{Lanes, Level, Work};
use super::layout::{Layout, Scratch, Value};

/// Vectors of output channels that are computed together, at most.
const VECTORS: usize = 3;
/// Positions that are computed together, where registers are many.
const WIDE: usize = 8;
/// The same where there are sixteen.
const NARROW: usize = 4;

/// One run of memory that a kernel looks at: all its rows at one time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tap {
    /// Columns from the beginning of the input's past to the tap of the first output column.
    pub(super) column: usize,
    /// Weights `[run][outputs]`, run = rows times input channels.
    pub(super) weights: Vec<f32>,
}

/// What the compiler knows of a convolution.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) input: usize,
    pub(super) output: usize,
    /// Input columns and rows from one output to the next.
    pub(super) time_stride: usize,
    pub(super) row_stride: usize,
    /// Padded row of the input where the first output row begins to look.
    pub(super) first_row: usize,
    /// Values that an output channel looks at, in one tap.
    pub(super) run: usize,
    pub(super) outputs: usize,
}

/// A convolution ready to run.
#[derive(Debug)]
pub(super) struct Conv {
    shape: Shape,
    /// Numbers from where an output begins to look to each tap.
    offsets: Vec<usize>,
    lanes: usize,
    /// By group of vectors: `[tap][run][vectors * lanes]`.
    groups: Vec<Group>,
    pub(super) relu: bool,
    pub(super) residual: Option<usize>,
    pub(super) last_relu: bool,
}

#[derive(Debug)]
struct Group {
    vectors: usize,
    /// First output channel.
    first: usize,
    /// Output channels.
    count: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
}

impl Conv {
    /// Output channels with those that fill up the vectors, at most; `None` if there is no such number.
    pub(super) fn padded(outputs: usize) -> Option<usize> {
        outputs.checked_next_multiple_of(Level::MOST)
    }

    /// `from` is the input as it is laid out.
    pub(super) fn new(
        level: Level,
        shape: Shape,
        from: &Value,
        taps: &[Tap],
        bias: &[f32],
    ) -> Self {
        let lanes = level.count();
        let width = VECTORS * lanes;
        let groups = (0..shape.outputs).step_by(width).map(|first| {
            let count = width.min(shape.outputs - first);
            let vectors = count.div_ceil(lanes);
            let padded = |values: &[f32]| {
                let mut out = values.to_vec();
                out.resize(vectors * lanes, 0.0);
                out
            };
            let rows = taps
                .iter()
                .flat_map(|tap| tap.weights.chunks_exact(shape.outputs));
            Group {
                vectors,
                first,
                count,
                weights: rows
                    .flat_map(|row| padded(&row[first..first + count]))
                    .collect(),
                bias: padded(&bias[first..first + count]),
            }
        });
        Conv {
            groups: groups.collect(),
            offsets: taps.iter().map(|tap| tap.column * from.pitch()).collect(),
            shape,
            lanes,
            relu: false,
            residual: None,
            last_relu: false,
        }
    }

    pub(super) fn run(&self, level: Level, layout: &Layout, scratch: &mut Scratch, steps: usize) {
        scratch.write(self.shape.output, |others, output| {
            level.run(Run {
                conv: self,
                layout,
                scratch: others,
                output,
                steps,
            });
        });
    }
}

struct Run<'a> {
    conv: &'a Conv,
    layout: &'a Layout,
    scratch: &'a Scratch,
    output: &'a mut [f32],
    steps: usize,
}

impl Work for Run<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        debug_assert_eq!(self.conv.lanes, L::COUNT);
        let about = &self.layout.values[self.conv.shape.output];
        let positions = self.steps * about.rate * about.rows;
        for group in &self.conv.groups {
            match (group.vectors, positions, L::MANY) {
                (1, 1, _) => self.group::<L, 1, 1>(lanes, group),
                (2, 1, _) => self.group::<L, 1, 2>(lanes, group),
                (_, 1, _) => self.group::<L, 1, 3>(lanes, group),
                (1, _, true) => self.group::<L, WIDE, 1>(lanes, group),
                (2, _, true) => self.group::<L, WIDE, 2>(lanes, group),
                (_, _, true) => self.group::<L, WIDE, 3>(lanes, group),
                (1, _, false) => self.group::<L, NARROW, 1>(lanes, group),
                (2, _, false) => self.group::<L, NARROW, 2>(lanes, group),
                (_, _, false) => self.group::<L, NARROW, 3>(lanes, group),
            }
        }
    }
}

impl Run<'_> {
    #[inline(always)]
    fn group<L: Lanes, const P: usize, const V: usize>(&mut self, lanes: L, group: &Group) {
        let (conv, shape) = (self.conv, &self.conv.shape);
        let from = &self.layout.values[shape.input];
        let to = &self.layout.values[shape.output];
        let input = &self.scratch.values[shape.input][..];
        let (weights, _) = L::blocks(&group.weights).as_chunks::<V>();
        let positions = self.steps * to.rate * to.rows;
        let (pitch, row) = (from.pitch(), shape.row_stride * from.channels);
        let origin = shape.first_row * from.channels;
        let mut start = 0;
        while start < positions {
            // The last ones may be computed again.
            let mut place = [(0, 0); P];
            let mut base = [0; P];
            for lane in 0..P {
                let position = (start + lane).min(positions - 1);
                let (column, at) = (position / to.rows, position % to.rows);
                place[lane] = (column, at);
                base[lane] = column * shape.time_stride * pitch + at * row + origin;
            }
            let mut sums = [[lanes.splat(0.0); V]; P];
            for (tap, offset) in conv.offsets.iter().enumerate() {
                let weights = &weights[tap * shape.run..][..shape.run];
                let mut values: [&[f32]; P] = [&[]; P];
                for lane in 0..P {
                    values[lane] = &input[base[lane] + offset..][..shape.run];
                }
                for index in 0..shape.run {
                    let mut weight = [lanes.splat(0.0); V];
                    for vector in 0..V {
                        weight[vector] = lanes.load(&weights[index][vector]);
                    }
                    for lane in 0..P {
                        let value = lanes.splat(values[lane][index]);
                        for vector in 0..V {
                            sums[lane][vector] =
                                lanes.multiply_add(value, weight[vector], sums[lane][vector]);
                        }
                    }
                }
            }
            for lane in 0..P {
                self.finish(lanes, group, &sums[lane], place[lane]);
            }
            start += P;
        }
    }

    #[inline(always)]
    fn finish<L: Lanes, const V: usize>(
        &mut self,
        lanes: L,
        group: &Group,
        sums: &[L::Vector; V],
        (column, row): (usize, usize),
    ) {
        let conv = self.conv;
        let to = &self.layout.values[conv.shape.output];
        let count = group.count;
        let start = |value: &Value| {
            (value.past + column) * value.pitch()
                + (value.above + row) * value.channels
                + group.first
        };
        let output = &mut self.output[start(to)..][..count];
        for (part, &sum) in output.chunks_mut(L::COUNT).zip(sums) {
            lanes.store(sum, part);
        }
        for (sum, bias) in output.iter_mut().zip(&group.bias) {
            *sum += bias;
        }
        if conv.relu {
            output.iter_mut().for_each(|sum| *sum = sum.max(0.0));
        }
        if let Some(residual) = conv.residual {
            let start = start(&self.layout.values[residual]);
            let values = &self.scratch.values[residual][start..][..count];
            output
                .iter_mut()
                .zip(values)
                .for_each(|(sum, value)| *sum += value);
        }
        if conv.last_relu {
            output.iter_mut().for_each(|sum| *sum = sum.max(0.0));
        }
    }
}
