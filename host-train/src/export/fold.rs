//! Batch normalisation folded into the convolution before it.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;

use super::ExportError;
use super::layers::values;
use crate::network::streaming::ConvNorm;

/// A convolution with bias that does what a convolution and its normalisation do.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    /// `[channels out, channels in, rows, frames]`.
    pub(super) shape: [usize; 4],
    /// Weights, row-major.
    pub(super) weight: Vec<f32>,
    /// One per output channel.
    pub(super) bias: Vec<f32>,
    /// Rows, frames.
    pub(super) stride: [usize; 2],
    /// Rows, frames.
    pub(super) dilation: [usize; 2],
    /// Rows before, frames before, rows after, frames after.
    pub(super) pads: [usize; 4],
}

impl Folded {
    /// `gamma * (w x - mean) / sqrt(variance + epsilon) + beta` as one convolution.
    pub(super) fn of(layer: &ConvNorm) -> Self {
        let conv = &layer.conv;
        let shape = conv.weight.val().dims();
        let mut weight = values(conv.weight.val());
        let gamma = values(layer.norm.gamma.val());
        let beta = values(layer.norm.beta.val());
        let mean = values(layer.norm.running_mean.value_sync());
        let variance = values(layer.norm.running_var.value_sync());
        let per_channel = weight.len() / shape[0];
        let mut bias = Vec::with_capacity(shape[0]);
        for (channel, weights) in weight.chunks_exact_mut(per_channel).enumerate() {
            let scale = f64::from(gamma[channel])
                / (f64::from(variance[channel]) + layer.norm.epsilon).sqrt();
            weights
                .iter_mut()
                .for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
            bias.push((f64::from(beta[channel]) - f64::from(mean[channel]) * scale) as f32);
        }
        let pads = match conv.padding {
            PaddingConfig2d::Explicit(top, left, bottom, right) => [top, left, bottom, right],
            PaddingConfig2d::Same | PaddingConfig2d::Valid => [0; 4],
        };
        Self {
            shape,
            weight,
            bias,
            stride: conv.stride,
            dilation: conv.dilation,
            pads,
        }
    }

    /// `conv` as it is, with its bias; without padding.
    ///
    /// # Errors
    /// [`ExportError::Weights`] if it has no bias.
    pub(super) fn plain(name: &str, conv: &Conv2d) -> Result<Self, ExportError> {
        let bias = conv.bias.as_ref();
        let bias = bias.ok_or_else(|| ExportError::Weights(format!("{name} has no bias")))?;
        Ok(Self {
            shape: conv.weight.val().dims(),
            weight: values(conv.weight.val()),
            bias: values(bias.val()),
            stride: [1, 1],
            dilation: [1, 1],
            pads: [0; 4],
        })
    }

    /// The same convolution with each one-wide, strided axis of its kernel widened to two, the second weight 0.
    ///
    /// `rows` is the height of its input. The inference library would turn a one-by-one strided convolution into a
    /// sampling step that it cannot run incrementally.
    pub(super) fn widened(self, rows: usize) -> Self {
        let [out, inputs, height, length] = self.shape;
        let wider =
            |kernel: usize, stride: usize| if kernel == 1 && stride > 1 { 2 } else { kernel };
        let (high, long) = (wider(height, self.stride[0]), wider(length, self.stride[1]));
        let mut weight = vec![0.0; out * inputs * high * long];
        for (channel, kernel) in self.weight.chunks_exact(height * length).enumerate() {
            for (row, line) in kernel.chunks_exact(length).enumerate() {
                let start = (channel * high + row) * long;
                weight[start..start + length].copy_from_slice(line);
            }
        }
        let mut pads = self.pads;
        // The last row of an odd input has no second one to lie under the 0.
        pads[2] += (high - height) * (rows % 2);
        Self {
            shape: [out, inputs, high, long],
            weight,
            pads,
            ..self
        }
    }
}
