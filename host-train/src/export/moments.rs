//! Second moments of what a layer hears.

use std::ops::Range;

/// Second moments of some of a layer's inputs.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    /// Which inputs.
    pub(super) inputs: Range<usize>,
    /// Sums of products, row after row of the lower triangle in a square.
    sums: Vec<f32>,
    count: usize,
}

impl Moments {
    /// Of nothing yet.
    pub(super) fn new(inputs: Range<usize>) -> Self {
        Self {
            sums: vec![0.0; inputs.len() * inputs.len()],
            inputs,
            count: 0,
        }
    }

    /// Adds what all of the layer's inputs were at one position.
    pub(super) fn add(&mut self, values: &[f32]) {
        let values = &values[self.inputs.clone()];
        for (row, (sums, &value)) in self
            .sums
            .chunks_exact_mut(values.len().max(1))
            .zip(values)
            .enumerate()
        {
            // Past a rectifier, many are 0.
            if value != 0.0 {
                let products = sums.iter_mut().zip(&values[..=row]);
                products.for_each(|(sum, other)| *sum += value * other);
            }
        }
        self.count += 1;
    }

    /// Mean of the product of two inputs, counted from the first one here.
    pub(super) fn of(&self, a: usize, b: usize) -> f64 {
        let (row, column) = (a.max(b), a.min(b));
        f64::from(self.sums[row * self.inputs.len() + column]) / self.count.max(1) as f64
    }
}
