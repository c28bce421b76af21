//! Sizes of the classic network.

use burn::nn::DropoutConfig;
use burn::nn::pool::MaxPool2dConfig;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Block, ClassicNet, dense};
use crate::features::LiveWindow;
use crate::training::TrainingError;

/// Largest pooling that a box runs.
const MAX_POOL: usize = 64;

/// Width of a [`ClassicNet`], what a recipe can choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassicShape {
    /// Filters of the three convolutions.
    pub filters: [usize; 3],
    /// Kernel size of the convolutions, odd.
    pub kernel: usize,
    /// Size and stride of the pooling after the first convolution.
    pub pool: usize,
    /// Units of the two hidden dense layers.
    pub hidden: [usize; 2],
    /// Share of values dropped after the second and third convolution while training.
    pub dropout: f64,
}

/// The published shape.
impl Default for ClassicShape {
    fn default() -> Self {
        Self {
            filters: [512, 64, 32],
            kernel: 5,
            pool: 3,
            hidden: [256, 128],
            dropout: 0.2,
        }
    }
}

impl ClassicShape {
    /// Whether it is the published one.
    #[must_use]
    pub fn is_published(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses what no network can be made of, or none that a box would run.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], the first field that is out of its range.
    pub fn check(&self) -> Result<(), TrainingError> {
        let refuse = TrainingError::refuse;
        let filters = self.filters.map(|filters| ("classic.filters", filters));
        let hidden = self.hidden.map(|units| ("classic.hidden", units));
        for (field, value) in filters.into_iter().chain(hidden) {
            if !(1..=1024).contains(&value) {
                return refuse(field, value.to_string(), "1 to 1024");
            }
        }
        if !(1..=99).contains(&self.kernel) || self.kernel.is_multiple_of(2) {
            return refuse(
                "classic.kernel",
                self.kernel.to_string(),
                "odd, from 1 to 99",
            );
        }
        if !(1..=MAX_POOL).contains(&self.pool) {
            return refuse("classic.pool", self.pool.to_string(), "1 to 64");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            let value = self.dropout.to_string();
            return refuse("classic.dropout", value, "0 to below 1");
        }
        Ok(())
    }
}

/// Shape of a [`ClassicNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassicConfig {
    /// Values of the input vector; what is left over by `pool` is not read beyond the first convolution.
    pub inputs: usize,
    /// The window whose frames make the vector; `None` if features already come as one vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveWindow>,
    /// Filters of the three convolutions.
    pub filters: [usize; 3],
    /// Kernel size of the convolutions, odd.
    pub kernel: usize,
    /// Size and stride of the pooling after the first convolution.
    pub pool: usize,
    /// Units of the two hidden dense layers.
    pub hidden: [usize; 2],
    /// Share of values dropped after the second and third convolution while training.
    pub dropout: f64,
    /// Number of classes.
    pub classes: usize,
}

impl ClassicConfig {
    /// The published shape, for vectors of `inputs` values and `classes` labels.
    #[must_use]
    pub fn new(inputs: usize, classes: usize) -> Self {
        Self::of(&ClassicShape::default(), inputs, classes)
    }

    /// `shape`, for vectors of `inputs` values and `classes` labels.
    #[must_use]
    pub fn of(shape: &ClassicShape, inputs: usize, classes: usize) -> Self {
        Self {
            inputs,
            live: None,
            filters: shape.filters,
            kernel: shape.kernel,
            pool: shape.pool,
            hidden: shape.hidden,
            dropout: shape.dropout,
            classes,
        }
    }

    /// `shape`, for windows of frames of `rows` values and `classes` labels.
    #[must_use]
    pub fn live(shape: &ClassicShape, rows: usize, window: LiveWindow, classes: usize) -> Self {
        Self {
            live: Some(window),
            ..Self::of(shape, rows * window.frames, classes)
        }
    }

    /// Creates the network with random weights.
    #[must_use]
    pub fn init(&self, device: &Device) -> ClassicNet {
        let [one, two, three] = self.filters;
        let [wide, narrow] = self.hidden;
        let flat = self.inputs / self.pool * three;
        ClassicNet {
            live: self.live,
            first: Block::new([1, one], self.kernel, device),
            pool: MaxPool2dConfig::new([1, self.pool])
                .with_strides([1, self.pool])
                .init(),
            second: Block::new([one, two], self.kernel, device),
            third: Block::new([two, three], self.kernel, device),
            dropout: DropoutConfig::new(self.dropout).init(),
            wide: dense(flat, wide, device),
            narrow: dense(wide, narrow, device),
            output: dense(narrow, self.classes, device),
        }
    }
}
