//! Three layers of separable convolutions along the bands. Values of all channels lie side by side.

use super::CONTEXT;
use super::features::BANDS;
use super::weights::Reader;

/// Channels of every layer.
pub(super) const CHANNELS: usize = 16;
/// What the last layer leaves of the bands.
pub(super) const COLUMNS: usize = 5;

const KERNEL: usize = 3;
/// Columns of the first layer before and after the maximum of [`KERNEL`], every second one.
const WIDE: usize = BANDS - KERNEL + 1;
const POOLED: usize = (WIDE - KERNEL) / 2 + 1;
/// Columns of the second layer.
const HALF: usize = POOLED.div_ceil(2);

type Column = [f32; CHANNELS];

/// Their weights.
pub(super) struct Layers {
    kernel: [[f32; KERNEL]; CONTEXT],
    weight: Column,
    bias: Column,
    second: Separable,
    second_bias: Column,
    third: Separable,
}

impl Layers {
    pub(super) fn new(weights: &mut Reader) -> Self {
        Self {
            kernel: std::array::from_fn(|_| weights.floats()),
            weight: weights.floats(),
            bias: weights.floats(),
            second: Separable::new(weights),
            second_bias: weights.floats(),
            third: Separable::new(weights),
        }
    }

    /// From the bands of the last hops to what the recurrent layers read, in 1/32768.
    #[inline(always)]
    pub(super) fn run(&self, context: &[[f32; BANDS]; CONTEXT]) -> [[i16; CHANNELS]; COLUMNS] {
        let pooled = self.first(context);
        let half: [Column; HALF] = std::array::from_fn(|column| {
            let sums = self.second.at(&pooled, column);
            std::array::from_fn(|channel| (sums[channel] + self.second_bias[channel]).max(0.0))
        });
        std::array::from_fn(|column| {
            let sums = self.third.at(&half, column);
            // A cast keeps to the range of its type.
            std::array::from_fn(|channel| (sums[channel] * 32_768.0).round() as i16)
        })
    }

    #[inline(always)]
    fn first(&self, context: &[[f32; BANDS]; CONTEXT]) -> [Column; POOLED] {
        let mut row = [0.0f32; WIDE];
        for (kernel, bands) in self.kernel.iter().zip(context) {
            for (offset, weight) in kernel.iter().enumerate() {
                for (sum, band) in row.iter_mut().zip(&bands[offset..]) {
                    *sum += band * weight;
                }
            }
        }
        let mut pooled = [[0.0f32; CHANNELS]; POOLED];
        for (column, out) in pooled.iter_mut().enumerate() {
            for value in &row[2 * column..][..KERNEL] {
                let scale = self.weight.iter().zip(&self.bias);
                for (out, (weight, bias)) in out.iter_mut().zip(scale) {
                    // From 0 on, which is the rectifier as well.
                    *out = out.max(value * weight + bias);
                }
            }
        }
        pooled
    }
}

/// A convolution of every channel by itself, then a mixture of the channels.
struct Separable {
    /// By place in the kernel.
    kernel: [Column; KERNEL],
    /// By channel that is read.
    mixture: [Column; CHANNELS],
}

impl Separable {
    fn new(weights: &mut Reader) -> Self {
        let kernel: [[f32; KERNEL]; CHANNELS] = std::array::from_fn(|_| weights.floats());
        let mixture: [Column; CHANNELS] = std::array::from_fn(|_| weights.floats());
        Self {
            kernel: std::array::from_fn(|place| std::array::from_fn(|c| kernel[c][place])),
            mixture: std::array::from_fn(|from| std::array::from_fn(|to| mixture[to][from])),
        }
    }

    /// Every second column, the kernel's middle at `2 * column`; beyond the edges there are zeros.
    #[inline(always)]
    fn at(&self, columns: &[Column], column: usize) -> Column {
        let mut own = [0.0f32; CHANNELS];
        for (place, kernel) in self.kernel.iter().enumerate() {
            let read = (2 * column + place).checked_sub(1);
            if let Some(read) = read.and_then(|read| columns.get(read)) {
                for channel in 0..CHANNELS {
                    own[channel] += read[channel] * kernel[channel];
                }
            }
        }
        let mut mixed = [0.0f32; CHANNELS];
        for (from, weights) in own.iter().zip(&self.mixture) {
            for channel in 0..CHANNELS {
                mixed[channel] += from * weights[channel];
            }
        }
        mixed
    }
}
