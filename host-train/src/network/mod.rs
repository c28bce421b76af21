//! The networks that can be trained.
//!
//! [`streaming`] is what ships: an encoder that is causal in time, pooling by running statistics
//! and a small head. [`classic`] is the one-dimensional network that most public notebooks use, on their input for comparison, or on
//! the windows that a box holds. Training drives either through [`Network`]; a run's plan names it by its
//! [`NetworkConfig`].

pub mod classic;
pub mod streaming;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use classic::ClassicConfig;
use streaming::{StreamingConfig, StreamingNet};

use crate::features::LiveWindow;

/// What training asks of a network.
pub trait Network: Module {
    /// Class logits `[batch, classes]` of normalised features `[batch, rows, frames]`; `mask`
    /// (`[batch, 1, steps]`) is 1 where an encoder step belongs to the clip.
    fn logits(&self, features: Tensor<3>, mask: Tensor<3>) -> Tensor<2>;

    /// The same, and the encoder's steps `[batch, width, steps]` that they are made of, for a network that has some.
    fn heard(&self, features: Tensor<3>, mask: Tensor<3>) -> (Tensor<2>, Option<Tensor<3>>) {
        (self.logits(features, mask), None)
    }

    /// The window of a clip that `features` must hold; `None` for all that there is of it.
    fn window(&self) -> Option<LiveWindow> {
        None
    }

    /// Frames per step of the mask; features come as a multiple of it.
    fn time_stride(&self) -> usize {
        1
    }
}

impl Network for StreamingNet {
    fn logits(&self, features: Tensor<3>, mask: Tensor<3>) -> Tensor<2> {
        self.forward(features, mask)
    }

    fn heard(&self, features: Tensor<3>, mask: Tensor<3>) -> (Tensor<2>, Option<Tensor<3>>) {
        let (logits, steps) = StreamingNet::heard(self, features, mask);
        (logits, Some(steps))
    }

    fn time_stride(&self) -> usize {
        Self::time_stride(self)
    }
}

/// Which network, and its shape; the serialised forms are told apart by their fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NetworkConfig {
    /// The streamable network.
    Streaming(StreamingConfig),
    /// The network of the field's notebooks.
    Classic(ClassicConfig),
}

impl NetworkConfig {
    /// The streamable network's shape, if that is what it is.
    #[must_use]
    pub fn streaming(&self) -> Option<&StreamingConfig> {
        match self {
            Self::Streaming(config) => Some(config),
            Self::Classic(_) => None,
        }
    }

    /// The classic network's shape, if that is what it is.
    #[must_use]
    pub fn classic(&self) -> Option<&ClassicConfig> {
        match self {
            Self::Classic(config) => Some(config),
            Self::Streaming(_) => None,
        }
    }
}
