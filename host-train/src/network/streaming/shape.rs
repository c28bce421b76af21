//! Sizes of the streamable network.

use serde::{Deserialize, Serialize};

use crate::training::TrainingError;

/// Width and depth of a [`StreamingNet`](super::StreamingNet), what a recipe can choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shape {
    /// Output channels of the stem and of the three residual stages.
    pub channels: [usize; 4],
    /// Rows and frames of the stem's kernel; rows are odd.
    pub stem: [usize; 2],
    /// What the stem and each stage divide the number of rows by.
    pub row_strides: [usize; 4],
    /// What the stem and each stage divide the frame rate by; their product is the encoder's stride.
    pub time_strides: [usize; 4],
    /// Channels of the encoder's output.
    pub width: usize,
    /// Dilations of the temporal residual blocks, one each.
    pub dilations: Vec<usize>,
    /// Units of the head's hidden layer.
    pub hidden: usize,
    /// Share of pooled statistics dropped while training.
    pub dropout: f64,
}

/// The shape that ships.
impl Default for Shape {
    fn default() -> Self {
        Self {
            channels: [32, 64, 96, 128],
            stem: [7, 8],
            row_strides: [4, 2, 2, 2],
            time_strides: [4, 2, 1, 1],
            width: 160,
            dilations: vec![1, 2],
            hidden: 96,
            dropout: 0.1,
        }
    }
}

impl Shape {
    /// Feature frames per encoder step.
    #[must_use]
    pub fn time_stride(&self) -> usize {
        self.time_strides.iter().product()
    }

    /// Refuses what no network can be made of, or none that a box would run.
    ///
    /// # Errors
    /// [`TrainingError::Recipe`], the first field that is out of its range.
    pub fn check(&self) -> Result<(), TrainingError> {
        let refuse = TrainingError::refuse;
        let counts = [("shape.width", self.width), ("shape.hidden", self.hidden)];
        let channels = self.channels.map(|channels| ("shape.channels", channels));
        for (field, value) in counts.into_iter().chain(channels) {
            if !(1..=1024).contains(&value) {
                return refuse(field, value.to_string(), "1 to 1024");
            }
        }
        let [rows, frames] = self.stem;
        if !(1..=15).contains(&rows) || rows.is_multiple_of(2) || !(1..=32).contains(&frames) {
            let value = format!("{:?}", self.stem);
            return refuse(
                "shape.stem",
                value,
                "odd rows up to 15, and up to 32 frames",
            );
        }
        // A stride beyond the kernel would leave rows or frames unread; a stage's kernel is 3.
        let strides = [
            ("shape.row_strides", self.row_strides, rows),
            ("shape.time_strides", self.time_strides, frames),
        ];
        for (field, [stem, stages @ ..], kernel) in strides {
            if !(1..=kernel.min(8)).contains(&stem)
                || stages.iter().any(|one| ![1, 2].contains(one))
            {
                let value = format!("{:?}", [stem, stages[0], stages[1], stages[2]]);
                let range = "1 to 8 and within the stem's kernel, then three of 1 or 2";
                return refuse(field, value, range);
            }
        }
        if self.dilations.len() > 16 || self.dilations.iter().any(|one| !(1..=64).contains(one)) {
            let value = format!("{:?}", self.dilations);
            return refuse("shape.dilations", value, "at most 16 of 1 to 64");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            let value = self.dropout.to_string();
            return refuse("shape.dropout", value, "0 to below 1");
        }
        Ok(())
    }
}
