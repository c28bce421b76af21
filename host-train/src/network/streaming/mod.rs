//! The streamable network: a residual convolutional encoder, causal in time, with utterance
//! pooling outside it.
//!
//! Every convolution over time is padded on the left only, by `kernel - stride` steps, so that an
//! output step needs nothing beyond the input steps it covers: the encoder can be fed a stride of frames
//! ([`StreamingConfig::time_stride`]) at a time and gives one step each time, the same as on the whole clip.

mod blocks;
mod shape;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use blocks::{ConvNorm, Residual, Temporal};
pub use shape::Shape;

/// Bound of the attention score, so that its exponential can be summed without rescaling.
pub const ATTENTION_BOUND: f32 = 4.0;

/// Added to the variance before the square root of the pooled deviation.
pub const VARIANCE_FLOOR: f32 = 1e-5;

/// Statistics of each channel that are pooled.
pub const STATISTICS: usize = 4;

/// A [`StreamingNet`]'s shape, and what it takes and gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamingConfig {
    /// Rows of a feature frame (frequency axis of the input).
    pub rows: usize,
    /// Width and depth.
    pub shape: Shape,
    /// Number of classes.
    pub classes: usize,
}

impl StreamingConfig {
    /// Feature frames per encoder step.
    #[must_use]
    pub fn time_stride(&self) -> usize {
        self.shape.time_stride()
    }

    /// Rows left after the stem and the stages.
    #[must_use]
    pub fn folded_rows(&self) -> usize {
        let strides = self.shape.row_strides.iter();
        strides.fold(self.rows, |rows, stride| rows.div_ceil(*stride))
    }

    /// Creates the network with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> StreamingNet {
        let shape = &self.shape;
        let ([stem, one, two, three], width) = (shape.channels, shape.width);
        // Rows first, as a convolution has them.
        let strides: [[usize; 2]; 4] =
            std::array::from_fn(|layer| [shape.row_strides[layer], shape.time_strides[layer]]);
        let stage = |channels, strides| Residual::new(channels, [3, 3], strides, device);
        let head = |channels, kernel| Conv2dConfig::new(channels, kernel).init(device);
        StreamingNet {
            stem: ConvNorm::new([1, stem], shape.stem, strides[0], 1, device),
            stages: vec![
                stage([stem, one], strides[1]),
                stage([one, two], strides[2]),
                stage([two, three], strides[3]),
            ],
            fold: ConvNorm::new([three, width], [self.folded_rows(), 1], [1, 1], 1, device),
            temporal: shape
                .dilations
                .iter()
                .map(|&dilation| Temporal::new(width, 3, dilation, device))
                .collect(),
            attention: Conv2dConfig::new([width, 1], [1, 1]).init(device),
            dropout: DropoutConfig::new(shape.dropout).init(),
            hidden: head([width, shape.hidden], [STATISTICS, 1]),
            output: head([shape.hidden, self.classes], [1, 1]),
        }
    }
}

/// The network. See the module's documentation.
#[derive(Module, Debug)]
pub struct StreamingNet {
    /// First convolution.
    pub stem: ConvNorm,
    /// Residual stages.
    pub stages: Vec<Residual>,
    /// Folds what is left of the frequency axis into channels.
    pub fold: ConvNorm,
    /// Temporal residual blocks.
    pub temporal: Vec<Temporal>,
    /// Attention score of a step.
    pub attention: Conv2d,
    /// Dropout on the pooled statistics.
    pub dropout: Dropout,
    /// Hidden layer of the head; the kernel's rows are the statistics of a channel.
    pub hidden: Conv2d,
    /// Output layer of the head.
    pub output: Conv2d,
}

impl StreamingNet {
    /// Feature frames per encoder step.
    #[must_use]
    pub fn time_stride(&self) -> usize {
        let stages = self.stages.iter().map(|stage| stage.first.conv.stride[1]);
        self.stem.conv.stride[1] * stages.product::<usize>()
    }

    /// Encodes normalised features `[batch, rows, frames]` to `[batch, width, steps]` and
    /// attention scores `[batch, 1, steps]`, one step per [`StreamingNet::time_stride`] frames.
    pub fn encode(&self, features: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        let mut x = relu(self.stem.forward(features.unsqueeze_dim(1)));
        for stage in &self.stages {
            x = stage.forward(x);
        }
        x = relu(self.fold.forward(x));
        for block in &self.temporal {
            x = block.forward(x);
        }
        let score = self.attention.forward(x.clone());
        let score = (score / ATTENTION_BOUND).tanh() * ATTENTION_BOUND;
        (x.squeeze_dim(2), score.squeeze_dim(2))
    }

    /// Pools steps to `[batch, 4 * width]`: mean, standard deviation, maximum and
    /// attention-weighted mean of the steps where `mask` (`[batch, 1, steps]`) is 1.
    #[must_use]
    pub fn pool(steps: Tensor<3>, score: Tensor<3>, mask: Tensor<3>) -> Tensor<2> {
        let count = mask.clone().sum_dim(2);
        let masked = steps.clone() * mask.clone();
        let mean = masked.clone().sum_dim(2) / count.clone();
        let square = (masked.clone() * steps).sum_dim(2) / count;
        let variance = (square - mean.clone() * mean.clone()).clamp_min(0.0);
        let deviation = (variance + VARIANCE_FLOOR).sqrt();
        // Steps follow a rectifier, so that a masked step's zero never exceeds a real one.
        let maximum = masked.clone().max_dim(2);
        let weight = score.exp() * mask;
        let attended = (masked * weight.clone()).sum_dim(2) / weight.sum_dim(2);
        Tensor::cat(vec![mean, deviation, maximum, attended], 1).squeeze_dim(2)
    }

    /// Class logits `[batch, classes]` of pooled statistics.
    pub fn classify(&self, pooled: Tensor<2>) -> Tensor<2> {
        let [batch, statistics] = pooled.dims();
        let width = statistics / STATISTICS;
        let x = self.dropout.forward(pooled);
        let x: Tensor<4> = x.reshape([batch, STATISTICS, width, 1]).swap_dims(1, 2);
        let x = self.output.forward(relu(self.hidden.forward(x)));
        x.flatten(1, 3)
    }

    /// Class logits of whole utterances as [`StreamingNet::classify`] gives them, and the steps that they are made of; `mask` is as for
    /// [`StreamingNet::pool`].
    pub fn heard(&self, features: Tensor<3>, mask: Tensor<3>) -> (Tensor<2>, Tensor<3>) {
        let (steps, score) = self.encode(features);
        let pooled = Self::pool(steps.clone(), score, mask);
        (self.classify(pooled), steps)
    }

    /// Class logits `[batch, classes]` of whole utterances.
    pub fn forward(&self, features: Tensor<3>, mask: Tensor<3>) -> Tensor<2> {
        self.heard(features, mask).0
    }
}
