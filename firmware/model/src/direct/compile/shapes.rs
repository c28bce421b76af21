//! Nodes that only give a value another shape.

use tract_onnx::pb::NodeProto;

use super::{Bound, Compiler};
use crate::direct::graph::{integer, integers};

/// Rank of a value in rows of channels, `[1, rows, channels, 1]`, that nothing but a `Transpose` takes.
pub(super) const SPLIT: usize = 5;

impl<'a> Compiler<'a> {
    pub(super) fn shape(&mut self, node: &'a NodeProto) -> Option<()> {
        let bound = *self.names.get(node.input.first()?.as_str())?;
        match node.op_type.as_str() {
            "Identity" => {
                self.bind(&node.name, bound.value, bound.rank);
                Some(())
            }
            "Squeeze" => {
                let axis = self.half.axis(node.input.get(1)?)?;
                let flat = bound.rank == 4 && axis == 2 && self.values[bound.value].rows == 1;
                flat.then(|| self.bind(&node.name, bound.value, 3))
            }
            "Unsqueeze" => {
                let axis = self.half.axis(node.input.get(1)?)?;
                let flat = bound.rank == 3 && axis == 1 && self.values[bound.value].channels == 1;
                flat.then(|| self.bind(&node.name, bound.value, 4))
            }
            "Flatten" => {
                let flat = bound.rank == 4
                    && integer(node, "axis", 1) == 1
                    && self.values[bound.value].rows == 1
                    && !self.timed;
                flat.then(|| self.bind(&node.name, bound.value, 2))
            }
            "Reshape" => self.split(node, bound),
            "Transpose" => {
                let turned = bound.rank == SPLIT && integers::<4>(node, "perm", 0)? == [0, 2, 1, 3];
                turned.then(|| self.bind(&node.name, bound.value, 4))
            }
            _ => None,
        }
    }

    /// `[1, rows * channels]`, the input, to `[1, rows, channels, 1]`; a `Transpose` makes a plane of it.
    fn split(&mut self, node: &'a NodeProto, bound: Bound) -> Option<()> {
        let shape = self.half.integers(node.input.get(1)?)?;
        let &[1, rows, channels, 1] = shape.as_slice() else {
            return None;
        };
        let [rows, channels] = [rows, channels].map(|size| usize::try_from(size).ok());
        let (rows, channels) = (rows?, channels?);
        let value = &mut self.values[bound.value];
        let whole = rows.checked_mul(channels) == Some(value.channels);
        if bound.value != 0 || bound.rank != 2 || !self.steps.is_empty() || self.frozen[0] || !whole
        {
            return None;
        }
        // The same numbers in the same order.
        (value.rows, value.channels) = (rows, channels);
        self.bind(&node.name, bound.value, SPLIT);
        Some(())
    }
}
