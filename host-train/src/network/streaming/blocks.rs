//! What the streamable network is built of: convolutions that see no later step.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// Convolution and batch normalisation, folded into one convolution when exported.
#[derive(Module, Debug)]
pub struct ConvNorm {
    /// The convolution, without bias.
    pub conv: Conv2d,
    /// The normalisation after it.
    pub norm: BatchNorm,
}

impl ConvNorm {
    pub(super) fn new(
        channels: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: usize,
        device: &Device,
    ) -> Self {
        // Frequency: centred, except that a kernel as tall as its input takes all of it.
        let rows = if stride[0] == 1 && kernel[1] == 1 {
            0
        } else {
            kernel[0] / 2
        };
        let past = (kernel[1] - 1) * dilation + 1 - stride[1].min(kernel[1]);
        Self {
            conv: Conv2dConfig::new(channels, kernel)
                .with_stride(stride)
                .with_dilation([1, dilation])
                .with_padding(PaddingConfig2d::Explicit(rows, past, rows, 0))
                .with_bias(false)
                .with_initializer(Initializer::KaimingNormal {
                    gain: 2f64.sqrt(),
                    fan_out_only: false,
                })
                .init(device),
            norm: BatchNormConfig::new(channels[1]).init(device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

/// Two convolutions with a shortcut; the first one may stride.
#[derive(Module, Debug)]
pub struct Residual {
    /// First convolution, strided.
    pub first: ConvNorm,
    /// Second convolution.
    pub second: ConvNorm,
    /// One-by-one convolution that brings the input to the output's shape.
    pub shortcut: ConvNorm,
}

impl Residual {
    pub(super) fn new(
        channels: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        device: &Device,
    ) -> Self {
        let within = [channels[1], channels[1]];
        Self {
            first: ConvNorm::new(channels, kernel, stride, 1, device),
            second: ConvNorm::new(within, kernel, [1, 1], 1, device),
            shortcut: ConvNorm::new(channels, [1, 1], stride, 1, device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let shortcut = self.shortcut.forward(x.clone());
        let x = relu(self.first.forward(x));
        relu(self.second.forward(x) + shortcut)
    }
}

/// A dilated convolution over time with a shortcut, on the folded representation.
#[derive(Module, Debug)]
pub struct Temporal {
    /// The convolution, kernel over time only.
    pub conv: ConvNorm,
}

impl Temporal {
    pub(super) fn new(width: usize, kernel: usize, dilation: usize, device: &Device) -> Self {
        let channels = [width, width];
        Self {
            conv: ConvNorm::new(channels, [1, kernel], [1, 1], dilation, device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        relu(self.conv.forward(x.clone())) + x
    }
}
