//! A minimal gated recurrent layer in whole numbers: inputs and cells in 1/2^15, weights in 1/2^9.

use super::CELLS;
use super::weights::Reader;

/// One in the unit of products, 1/2^24.
const ONE: i32 = (1 << 24) - 1;

/// Its weights: for every cell those of what is new, and those of the gate.
pub(super) struct Gru<const INPUTS: usize> {
    value: [[i16; INPUTS]; CELLS],
    gate: [[i16; INPUTS]; CELLS],
}

impl<const INPUTS: usize> Gru<INPUTS> {
    pub(super) fn new(weights: &mut Reader) -> Self {
        Self {
            value: std::array::from_fn(|_| weights.integers()),
            gate: std::array::from_fn(|_| weights.integers()),
        }
    }

    /// Moves the cells on by one hop.
    #[inline(always)]
    pub(super) fn step(&self, inputs: &[i16], cells: &mut [i16; CELLS]) {
        let Some(inputs) = inputs.first_chunk() else {
            return;
        };
        let (mut values, mut gates) = ([0i32; CELLS], [0i32; CELLS]);
        for (sum, weights) in values.iter_mut().zip(&self.value) {
            *sum = dot(inputs, weights);
        }
        for (sum, weights) in gates.iter_mut().zip(&self.gate) {
            *sum = dot(inputs, weights);
        }
        for ((cell, value), gate) in cells.iter_mut().zip(values).zip(gates) {
            let new = i64::from((gate << 2).clamp(0, ONE));
            let old = i64::from(ONE) - new;
            let mixed = (old * (i64::from(*cell) << 9) + new * i64::from(value)) >> 33;
            *cell = mixed.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
}

/// Sum of products, modulo 2^32.
#[inline(always)]
pub(super) fn dot<const COUNT: usize>(a: &[i16; COUNT], b: &[i16; COUNT]) -> i32 {
    a.iter().zip(b).fold(0i32, |sum, (&a, &b)| {
        sum.wrapping_add(i32::from(a) * i32::from(b))
    })
}
