//! Convolutions and matrix products.

use tract_onnx::pb::NodeProto;

use super::kernel::Kernel;
use super::{Compiler, Draft, MAX_WEIGHTS, Step};
use crate::direct::conv::{Conv, Tap};
use crate::direct::filter::Filter;
use crate::direct::graph::{integer, integers, is_one};

impl<'a> Compiler<'a> {
    pub(super) fn conv(&mut self, node: &'a NodeProto) -> Option<()> {
        let bound = *self.names.get(node.input.first()?.as_str())?;
        let (dims, weights) = self.half.floats(node.input.get(1)?)?;
        let &[outputs, inputs, high, long] = dims.as_slice() else {
            return None;
        };
        let strides = integers::<2>(node, "strides", 1)?;
        let [row_dilation, dilation] = integers::<2>(node, "dilations", 1)?;
        let [above, past, below, ahead] = integers::<4>(node, "pads", 0)?;
        let from = self.values[bound.value].clone();
        // Every output column sees the columns that it covers and earlier ones.
        let causal = ((long - 1) * dilation + 1).checked_sub(strides[1]) == Some(past);
        let fits = bound.rank == 4
            && integers::<2>(node, "kernel_shape", 0).is_some_and(|kernel| kernel == [high, long])
            && integer(node, "group", 1) == 1
            && row_dilation == 1
            && ahead == 0
            && inputs == from.channels
            && from.rate.is_multiple_of(strides[1]);
        if !(causal && fits) {
            return None;
        }
        let along =
            [inputs, outputs, high] == [1; 3] && strides == [1, 1] && (above, below) == (0, 0);
        if along {
            let filter = Filter {
                input: bound.value,
                output: self.value(from.rows, 1, from.rate),
                dilation,
                weights,
                bias: self.bias(node, 1)?.first().copied()?,
            };
            return self.filter(node, filter);
        }
        let rows = (from.rows + above + below).checked_sub(high)? / strides[0] + 1;
        let kernel = Kernel {
            outputs,
            inputs,
            high,
            long,
            weights,
        };
        let (first, last) = kernel.rows()?;
        let run = (last + 1 - first) * inputs;
        self.weigh(kernel.columns().count(), run, outputs)?;
        let taps = kernel.taps((first, last), dilation);
        let to = self.value(rows, outputs, from.rate / strides[1]);
        let input = &mut self.values[bound.value];
        input.past = input.past.max(past);
        input.above = input.above.max(above.saturating_sub(first));
        let end = (rows - 1) * strides[0] + last + 1;
        input.below = input.below.max(end.saturating_sub(above + from.rows));
        let draft = Draft {
            input: bound.value,
            output: to,
            strides,
            first,
            above,
            past,
            taps,
            run,
            bias: self.bias(node, outputs)?,
            relu: false,
            residual: None,
            last_relu: false,
        };
        self.draft(node, draft, 4)
    }

    fn filter(&mut self, node: &'a NodeProto, filter: Filter) -> Option<()> {
        let from = &mut self.values[filter.input];
        from.past = from.past.max(filter.past());
        let each = filter.weights.len().checked_mul(from.rows)?;
        let cost = each.checked_mul(from.rate)?;
        self.step(node, filter.output, 4, cost, Step::Filter(filter))
    }

    /// A matrix product of one row is a convolution of one position.
    pub(super) fn gemm(&mut self, node: &'a NodeProto) -> Option<()> {
        let bound = *self.names.get(node.input.first()?.as_str())?;
        let (dims, weights) = self.half.floats(node.input.get(1)?)?;
        let &[inputs, outputs] = dims.as_slice() else {
            return None;
        };
        let plain = is_one(node, "alpha")
            && is_one(node, "beta")
            && integer(node, "transA", 0) == 0
            && integer(node, "transB", 0) == 0;
        let from = self.values[bound.value].clone();
        if !plain || bound.rank != 2 || from.channels != inputs || from.rate != 1 {
            return None;
        }
        self.weigh(1, inputs, outputs)?;
        let output = self.value(1, outputs, 1);
        let draft = Draft {
            input: bound.value,
            output,
            strides: [1, 1],
            first: 0,
            above: 0,
            past: 0,
            taps: vec![Tap { column: 0, weights }],
            run: inputs,
            bias: self.bias(node, outputs)?,
            relu: false,
            residual: None,
            last_relu: false,
        };
        self.draft(node, draft, 2)
    }

    fn bias(&self, node: &NodeProto, outputs: usize) -> Option<Vec<f32>> {
        let Some(name) = node.input.get(2) else {
            return Some(vec![0.0; outputs]);
        };
        let (_, bias) = self.half.floats(name)?;
        (bias.len() == outputs).then_some(bias)
    }

    /// Counts weights before they are laid out; `None` if that would take more memory than allowed.
    fn weigh(&mut self, taps: usize, run: usize, outputs: usize) -> Option<()> {
        let outputs = Conv::padded(outputs)?;
        let weights = taps.checked_mul(run)?.checked_mul(outputs)?;
        self.weights = self.weights.checked_add(weights)?;
        (self.weights <= MAX_WEIGHTS).then_some(())
    }

    fn draft(&mut self, node: &'a NodeProto, draft: Draft, rank: usize) -> Option<()> {
        let output = draft.output;
        let to = &self.values[output];
        let outputs = Conv::padded(to.channels)?;
        let products = (draft.run * draft.taps.len()).checked_mul(outputs)?;
        let each = products.checked_add(to.channels)?;
        let cost = each.checked_mul(to.rows)?.checked_mul(to.rate)?;
        self.step(node, output, rank, cost, Step::Conv(draft))
    }
}
