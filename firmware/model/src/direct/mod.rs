//! Networks of plain causal convolutions, run without the inference library.
//!
//! Comes in: any number of columns (feature frames, or the pooled statistics). Goes out: as many steps as they make.
//! Columns may come in any portions: every value is computed by the same operations in the same order, so the result
//! does not depend on them to the last bit. What convolutions look back at is the channel's [`History`]; working memory
//! is shared by all channels ([`Scratch`]).
//!
//! [`Direct::compile`] takes what the exporter writes and leaves everything else to the library. Activations lie channel
//! by channel within a row, row by row within a column of time, so that a kernel's taps at one time are one run of memory.

mod compile;
mod conv;
mod filter;
mod graph;
mod lanes;
mod layout;
mod pooled;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

pub(crate) use compile::Ends;
use conv::Conv;
use filter::Filter;
use lanes::Level;
pub(crate) use layout::History;
use layout::{Layout, Scratch};
pub(crate) use pooled::statistics;

/// Steps that are computed at once, at most. More would not make weights pay off better, and working memory larger.
pub(crate) const BATCH: usize = 16;

/// What is done to the values of a column, one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Map {
    Add(f32),
    Sub(f32),
    Mul(f32),
    Div(f32),
    Relu,
    Tanh,
}

impl Map {
    fn apply(self, values: &mut [f32]) {
        let each = |values: &mut [f32], map: fn(f32, f32) -> f32, by| {
            values.iter_mut().for_each(|value| *value = map(*value, by));
        };
        match self {
            Map::Add(by) => each(values, |value, by| value + by, by),
            Map::Sub(by) => each(values, |value, by| value - by, by),
            Map::Mul(by) => each(values, |value, by| value * by, by),
            Map::Div(by) => each(values, |value, by| value / by, by),
            Map::Relu => each(values, |value, _| value.max(0.0), 0.0),
            Map::Tanh => each(values, |value, _| value.tanh(), 0.0),
        }
    }
}

#[derive(Debug)]
enum Layer {
    Conv(Box<Conv>),
    Filter(Filter),
    /// Changes a value in place.
    Map {
        value: usize,
        map: Map,
    },
}

/// A network half ready to run; shared by all channels.
#[derive(Debug)]
pub(crate) struct Direct {
    level: Level,
    layers: Vec<Layer>,
    layout: Layout,
    /// What is done to the rows of an input column: one map per row and stage.
    stages: Vec<Vec<Map>>,
    input: usize,
    outputs: Vec<usize>,
    /// Nodes of the graph that it stands for.
    nodes: usize,
    scratch: Mutex<Vec<Scratch>>,
}

impl Direct {
    /// How many nodes of the graph it stands for.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }

    /// What a channel looks back at, at its beginning: zeros.
    pub(crate) fn history(&self) -> History {
        self.layout.history()
    }

    /// Takes `steps` (at most [`BATCH`]) steps' worth of input columns, one after the other, and calls `each` with the
    /// outputs of every step, in the order of [`Direct::compile`]'s names.
    ///
    /// Nothing is done if `columns` has another length.
    pub(crate) fn run<E>(
        &self,
        history: &mut History,
        columns: &[f32],
        steps: usize,
        mut each: impl FnMut(&[&[f32]]) -> Result<(), E>,
    ) -> Result<(), E> {
        let input = &self.layout.values[self.input];
        if steps == 0 || steps > BATCH || columns.len() != steps * input.rate * input.values() {
            return Ok(());
        }
        let mut scratch = self.borrow();
        scratch.recall(&self.layout, history);
        for (index, column) in columns.chunks_exact(input.values()).enumerate() {
            let rows = scratch.rows_mut(&self.layout, self.input, index);
            for (row, &value) in rows.iter_mut().zip(column) {
                *row = value;
            }
            for stage in &self.stages {
                for (row, map) in rows.iter_mut().zip(stage) {
                    map.apply(std::slice::from_mut(row));
                }
            }
        }
        for layer in &self.layers {
            match layer {
                Layer::Conv(conv) => conv.run(self.level, &self.layout, &mut scratch, steps),
                Layer::Filter(filter) => {
                    filter.run(self.level, &self.layout, &mut scratch, steps);
                }
                Layer::Map { value, map } => {
                    for index in 0..steps * self.layout.values[*value].rate {
                        map.apply(scratch.rows_mut(&self.layout, *value, index));
                    }
                }
            }
        }
        scratch.keep(&self.layout, history, steps);
        let outcome = (0..steps).try_for_each(|step| {
            let mut found: [&[f32]; 2] = [&[]; 2];
            for (found, &value) in found.iter_mut().zip(&self.outputs) {
                *found = scratch.rows(&self.layout, value, step);
            }
            each(&found[..self.outputs.len().min(2)])
        });
        self.give_back(scratch);
        outcome
    }

    fn borrow(&self) -> Scratch {
        let mut spare = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let found = spare.pop();
        drop(spare);
        found.unwrap_or_else(|| self.layout.scratch())
    }

    fn give_back(&self, scratch: Scratch) {
        let mut spare = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(scratch);
    }
}
