//! The one-dimensional network of the field's public notebooks (Keras), layer for layer.
//!
//! It reads one vector of 4536 values: ZCR, RMS and 40 MFCC of 108 frames. In the notebooks these are the whole ZCR track, the whole
//! RMS track and the MFCC frame by frame, each value scaled by the mean and deviation of its own column
//! ([`crate::features::window`]). On a box it reads the window that is held there ([`crate::features::live`]): frame after
//! frame, each with its ZCR, RMS and MFCC, and each row scaled as a whole, since no moment of an utterance has a column of its
//! own. With seven classes Keras counts 12,600,039 parameters:
//!
//! | layer | output | parameters |
//! |---|---|---|
//! | Conv1D 512, kernel 5, same | 4536 x 512 | 3,072 |
//! | MaxPooling1D 3, ReLU | 1512 x 512 | |
//! | BatchNormalization | 1512 x 512 | 2,048 |
//! | Conv1D 64, kernel 5, same, ReLU | 1512 x 64 | 163,904 |
//! | BatchNormalization, Dropout 0.2 | 1512 x 64 | 256 |
//! | Conv1D 32, kernel 5, same, ReLU | 1512 x 32 | 10,272 |
//! | BatchNormalization, Dropout 0.2 | 1512 x 32 | 128 |
//! | Flatten, Dense 256, ReLU | 256 | 12,386,560 |
//! | Dense 128, ReLU | 128 | 32,896 |
//! | Dense 7, softmax | 7 | 903 |
//!
//! What is known of it is the filters (512/64/32), the inputs and the total; the rest is derived. Among all stacks of these
//! filters with one odd kernel size for all, batch normalization after every convolution, any pooling down to a
//! whole number of positions and up to three hidden layers of 16 to 1024 units in falling sizes, this is the simplest that
//! gives the total: kernel 5, positions divided by 3, hidden layers of 256 and 128. The total fixes neither where the pooling
//! stands nor where dropout does. The pooling stands right behind the first convolution here, where it costs least, and
//! dropout of 0.2 after the later blocks, as in the notebooks of this family (Conv1D 512/512/256/256/128 on 2376 inputs,
//! 7,193,223 parameters), whose kernel, activation, normalization after the rectifier and `same` padding are taken too.
//! A maximum passes a bias and a rectifier unchanged, so that both work on a third of the positions here.
//!
//! Weights start as in Keras: Glorot uniform, biases 0. Keras's batch normalization has momentum 0.99 and epsilon
//! 1e-3, and its four values a channel all count as parameters. Flattening goes channel by channel here (Keras: position by
//! position), which only permutes the rows of the first dense layer.

mod shape;

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::MaxPool2d;
use burn::nn::{
    BatchNorm, BatchNormConfig, Dropout, Initializer, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

pub use self::shape::{ClassicConfig, ClassicShape};
use super::Network;
use crate::features::LiveWindow;

/// Keras's `GlorotUniform`.
const GLOROT: Initializer = Initializer::XavierUniform { gain: 1.0 };

fn dense(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs)
        .with_initializer(GLOROT)
        .init(device);
    layer.bias = Some(zeros(outputs, device));
    layer
}

fn zeros(size: usize, device: &Device) -> Param<Tensor<1>> {
    Initializer::Zeros.init([size], device)
}

/// Convolution, rectifier and batch normalization, in this order, of pictures one row high: backends have the gradients of such
/// convolutions, but not of one-dimensional ones, in one operation.
#[derive(Module, Debug)]
pub struct Block {
    /// The convolution, padded to keep the number of positions, without its bias.
    pub conv: Conv2d,
    /// Its bias, `[filters]`, which is added where the positions are pooled already.
    pub bias: Param<Tensor<1>>,
    /// The normalization after the rectifier.
    pub norm: BatchNorm,
}

impl Block {
    fn new(channels: [usize; 2], kernel: usize, device: &Device) -> Self {
        let around = kernel / 2;
        Self {
            conv: Conv2dConfig::new(channels, [1, kernel])
                .with_padding(PaddingConfig2d::Explicit(0, around, 0, around))
                .with_bias(false)
                .with_initializer(GLOROT)
                .init(device),
            bias: zeros(channels[1], device),
            // burn's momentum is the share of the new value, Keras's that of the old one.
            norm: BatchNormConfig::new(channels[1])
                .with_momentum(0.01)
                .with_epsilon(1e-3)
                .init(device),
        }
    }

    /// `[batch, filters, 1, positions]`, where the convolution's output is pooled if `pool` is given.
    fn forward(&self, x: Tensor<4>, pool: Option<&MaxPool2d>) -> Tensor<4> {
        let x = self.conv.forward(x);
        let x = match pool {
            Some(pool) => pool.forward(x),
            None => x,
        };
        // Positions as rows: the gradient of the bias is one sum over them then.
        let [batch, filters, _, positions] = x.dims();
        let x = x
            .permute([0, 2, 3, 1])
            .reshape([batch * positions, filters]);
        let x = relu(x + self.bias.val().unsqueeze());
        let x = x.reshape([batch, 1, positions, filters]);
        self.norm.forward(x.permute([0, 3, 1, 2]))
    }
}

/// The network. See the module's documentation.
#[derive(Module, Debug)]
pub struct ClassicNet {
    /// The window whose frames make the vector; `None` if features already come as one vector.
    #[module(skip)]
    pub live: Option<LiveWindow>,
    /// First convolution.
    pub first: Block,
    /// Pooling of the first convolution's output.
    pub pool: MaxPool2d,
    /// Second convolution.
    pub second: Block,
    /// Third convolution.
    pub third: Block,
    /// Dropout after the second and the third convolution.
    pub dropout: Dropout,
    /// First hidden layer.
    pub wide: Linear,
    /// Second hidden layer.
    pub narrow: Linear,
    /// Output layer.
    pub output: Linear,
}

impl ClassicNet {
    /// Class logits `[batch, classes]` of normalised vectors `[batch, inputs]`.
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let [batch, positions] = inputs.dims();
        let x = inputs.reshape([batch, 1, 1, positions]);
        let x = self.first.forward(x, Some(&self.pool));
        let x = self.second.forward(x, None);
        let x = self.third.forward(self.dropout.forward(x), None);
        let x = self.dropout.forward(x).flatten(1, 3);
        let x = relu(self.wide.forward(x));
        let x = relu(self.narrow.forward(x));
        self.output.forward(x)
    }
}

impl Network for ClassicNet {
    /// `features` holds each vector as the first of its frames, or a window as its first frames; `mask` has no meaning here.
    fn logits(&self, features: Tensor<3>, _mask: Tensor<3>) -> Tensor<2> {
        self.forward(match self.live {
            None => features.narrow(2, 0, 1).squeeze_dim(2),
            Some(window) => {
                let frames = features.narrow(2, 0, window.frames).swap_dims(1, 2);
                frames.flatten(1, 2)
            }
        })
    }

    fn window(&self) -> Option<LiveWindow> {
        self.live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_parameters_that_keras_counts() {
        // Like Keras, burn counts the running mean and variance too.
        let network = ClassicConfig::new(4536, 7).init(&Device::flex());
        assert_eq!(network.num_params(), 12_600_039);
        let dense = [&network.wide, &network.narrow, &network.output].map(Linear::num_params);
        assert_eq!(dense, [12_386_560, 32_896, 903]);
        let blocks = [&network.first, &network.second, &network.third].map(Block::num_params);
        assert_eq!(blocks, [3_072 + 2_048, 163_904 + 256, 10_272 + 128]);
    }

    #[test]
    fn weights_start_within_glorots_bound_and_biases_at_0() {
        let network = ClassicConfig::new(36, 7).init(&Device::flex());
        let values = |data: burn::tensor::TensorData| data.iter::<f32>().collect::<Vec<_>>();
        let kernel = values(network.second.conv.weight.val().into_data());
        let bound = (6.0f32 / (5.0 * (512.0 + 64.0))).sqrt();
        let largest = kernel.iter().fold(0.0, |a: f32, b| a.max(b.abs()));
        assert!(
            largest <= bound && largest > 0.99 * bound,
            "{largest} of {bound}"
        );
        for bias in [Some(&network.third.bias), network.wide.bias.as_ref()] {
            let bias = values(bias.unwrap().val().into_data());
            assert!(bias.iter().all(|&bias| bias == 0.0));
        }
    }

    #[test]
    fn a_batch_of_vectors_gives_a_row_of_finite_logits_each() {
        let device = Device::flex();
        let config = ClassicConfig {
            filters: [8, 4, 4],
            hidden: [16, 8],
            ..ClassicConfig::new(36, 7)
        };
        let features = Tensor::ones([3, 36, 4], &device);
        let logits = config
            .init(&device)
            .logits(features, Tensor::ones([3, 1, 1], &device));
        assert_eq!(logits.dims(), [3, 7]);
        assert!(logits.into_data().iter::<f32>().all(f32::is_finite));
    }

    #[test]
    fn a_window_is_read_frame_by_frame_and_nothing_behind_it() {
        let device = Device::flex();
        let window = LiveWindow {
            frames: 6,
            shortest: 1,
        };
        let shape = ClassicShape {
            filters: [8, 4, 4],
            hidden: [16, 8],
            ..ClassicShape::default()
        };
        let network = ClassicConfig::live(&shape, 3, window, 7).init(&device);
        let frames = Tensor::<1>::from_floats([1.0f32; 24].map(|_| 0.0), &device);
        let ramp = Tensor::<1, burn::tensor::Int>::arange(0..24, &device).float();
        let features = (frames + ramp).reshape([1, 3, 8]);
        let mask = Tensor::ones([1, 1, 2], &device);
        // Row 0 is 0 to 7, row 1 is 8 to 15, row 2 is 16 to 23.
        let vector: Vec<f32> = (0..18).map(|i| (i % 3 * 8 + i / 3) as f32).collect();
        let expected = network.forward(Tensor::<1>::from_floats(&*vector, &device).unsqueeze());
        let values = |logits: Tensor<2>| -> Vec<f32> { logits.into_data().iter().collect() };
        assert_eq!(values(network.logits(features, mask)), values(expected));
    }
}
