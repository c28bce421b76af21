//! What is done to values one by one.

use tract_onnx::pb::NodeProto;

use super::{Bound, Compiler, Draft, Step};
use crate::direct::Map;

impl<'a> Compiler<'a> {
    /// The convolution that wrote a value and nothing since, if the value is nobody else's.
    fn writer(&mut self, value: usize) -> Option<&mut Draft> {
        if self.frozen[value] {
            return None;
        }
        match self.steps.get_mut(self.written[value]?)? {
            Step::Conv(draft) => Some(draft),
            Step::Filter(_) | Step::Map { .. } => None,
        }
    }

    pub(super) fn relu(&mut self, node: &'a NodeProto) -> Option<()> {
        let name = node.input.first()?.as_str();
        let bound = *self.names.get(name)?;
        let Some(draft) = self.writer(bound.value) else {
            return self.map(node, name, Map::Relu);
        };
        if draft.residual.is_some() {
            draft.last_relu = true;
        } else {
            draft.relu = true;
        }
        self.bind(&node.name, bound.value, bound.rank);
        Some(())
    }

    pub(super) fn arithmetic(&mut self, node: &'a NodeProto) -> Option<()> {
        let [left, right] = node.input.as_slice() else {
            return None;
        };
        let operation = node.op_type.as_str();
        let swaps = matches!(operation, "Add" | "Mul");
        let (name, constant) = match (self.half.floats(left), self.half.floats(right)) {
            (None, Some(constant)) => (left.as_str(), constant),
            (Some(constant), None) if swaps => (right.as_str(), constant),
            (None, None) if operation == "Add" => return self.sum(node, left, right),
            _ => return None,
        };
        let map = |by: f32| match operation {
            "Add" => Map::Add(by),
            "Sub" => Map::Sub(by),
            "Mul" => Map::Mul(by),
            _ => Map::Div(by),
        };
        let bound = *self.names.get(name)?;
        let value = &self.values[bound.value];
        let (dims, numbers) = constant;
        // Rows of zeros around a value must stay zeros: what is added is added to rows alone, and here there are none.
        match numbers.as_slice() {
            &[by] if dims.len() <= bound.rank => self.map(node, name, map(by)),
            _ => {
                let rows = bound.value == 0
                    && bound.rank == 3
                    && self.steps.is_empty()
                    && !self.frozen[0]
                    && dims == [1, value.rows, 1];
                if !rows {
                    return None;
                }
                self.stages.push(numbers.into_iter().map(map).collect());
                self.bind(&node.name, bound.value, bound.rank);
                Some(())
            }
        }
    }

    /// Changes a value in place.
    pub(super) fn map(&mut self, node: &'a NodeProto, name: &str, map: Map) -> Option<()> {
        let bound = *self.names.get(name)?;
        if self.frozen[bound.value] {
            return None;
        }
        let Bound { value, rank } = bound;
        let about = &self.values[value];
        let cost = about.values() * about.rate;
        self.step(node, value, rank, cost, Step::Map { value, map })
    }

    /// Adds a value to what a later convolution gives.
    fn sum(&mut self, node: &'a NodeProto, left: &str, right: &str) -> Option<()> {
        let pair = [*self.names.get(left)?, *self.names.get(right)?];
        for [into, from] in [pair, [pair[1], pair[0]]] {
            let shape = |bound: Bound| {
                let value = &self.values[bound.value];
                (bound.rank, value.rows, value.channels, value.rate)
            };
            if into.value == from.value || shape(into) != shape(from) {
                return None;
            }
            let earlier = self.written[from.value] < self.written[into.value];
            match self.writer(into.value) {
                Some(draft) if earlier && draft.residual.is_none() => {
                    draft.residual = Some(from.value);
                    self.bind(&node.name, into.value, into.rank);
                    return Some(());
                }
                _ => {}
            }
        }
        None
    }
}
