//! From a checked graph to layers, or `None` for what only the inference library can run.

use std::collections::HashMap;

use tract_onnx::pb::{ModelProto, NodeProto};

use super::conv::{Conv, Shape, Tap};
use super::filter::Filter;
use super::graph::{Half, integer, integers, is_one};
use super::lanes::Level;
use super::layout::{Layout, Value};
use super::{Direct, Layer, Map};

/// Most numbers of working memory (32 MiB).
const MAX_SCRATCH: usize = 8 << 20;

/// What a half takes and gives.
pub(crate) struct Ends<'a> {
    /// Name of the input, rows of a column, columns per step, and its rank in the graph: `[1, rows, time]` or `[1, rows]`.
    pub(crate) input: (&'a str, usize, usize),
    /// Names of at most two outputs, one column per step, and the values of each.
    pub(crate) outputs: &'a [(&'a str, usize)],
    /// Whether the input has an axis of time.
    pub(crate) timed: bool,
    /// Most multiplications and stored values of a step.
    pub(crate) cost: usize,
}

/// A value under one of its names.
#[derive(Clone, Copy)]
struct Bound {
    value: usize,
    rank: usize,
}

/// A convolution before the layout is settled.
struct Draft {
    input: usize,
    output: usize,
    strides: [usize; 2],
    /// First row of the kernel that is not all zeros, and rows of zeros in front of the input.
    first: usize,
    above: usize,
    past: usize,
    taps: Vec<Tap>,
    run: usize,
    bias: Vec<f32>,
    relu: bool,
    residual: Option<usize>,
    last_relu: bool,
}

enum Step {
    Conv(Draft),
    Filter(Filter),
    Map { value: usize, map: Map },
}

struct Compiler<'a> {
    half: Half<'a>,
    values: Vec<Value>,
    /// Values that something else reads too, so that they may not be changed in place.
    frozen: Vec<bool>,
    /// The step that wrote a value last.
    written: Vec<Option<usize>>,
    names: HashMap<&'a str, Bound>,
    steps: Vec<Step>,
    stages: Vec<Vec<Map>>,
    cost: usize,
}

impl Direct {
    /// The half of `model` between the ends; `None` if it is anything but causal convolutions, matrix products,
    /// rectifiers, sums and constants, or costs more than allowed.
    pub(crate) fn compile(model: &ModelProto, ends: &Ends<'_>) -> Option<Self> {
        Self::compile_for(Level::best(), model, ends)
    }

    /// The same for another level of the machine than its best.
    pub(super) fn compile_for(level: Level, model: &ModelProto, ends: &Ends<'_>) -> Option<Self> {
        let graph = model.graph.as_ref()?;
        let outputs: Vec<&str> = ends.outputs.iter().map(|(name, _)| *name).collect();
        let (name, rows, rate) = ends.input;
        let mut compiler = Compiler {
            half: Half::of(graph, &[name], &outputs),
            values: Vec::new(),
            frozen: Vec::new(),
            written: Vec::new(),
            names: HashMap::new(),
            steps: Vec::new(),
            stages: Vec::new(),
            cost: 0,
        };
        let (rows, channels, rank) = if ends.timed {
            (rows, 1, 3)
        } else {
            (1, rows, 2)
        };
        let input = compiler.value(rows, channels, rate);
        compiler.bind(name, input, rank);
        for node in compiler.half.nodes.clone() {
            compiler.node(node)?;
        }
        let mut found = Vec::new();
        for &(name, values) in ends.outputs {
            let bound = compiler.names.get(name)?;
            let value = &compiler.values[bound.value];
            if (value.rows, value.channels, value.rate) != (1, values, 1) || bound.rank != rank {
                return None;
            }
            found.push(bound.value);
        }
        if compiler.cost > ends.cost || found.len() > 2 {
            return None;
        }
        let nodes = compiler.half.nodes.len();
        compiler.finish(level, input, found, nodes)
    }
}

impl<'a> Compiler<'a> {
    fn value(&mut self, rows: usize, channels: usize, rate: usize) -> usize {
        self.values.push(Value {
            rows,
            channels,
            rate,
            above: 0,
            below: 0,
            past: 0,
        });
        self.frozen.push(false);
        self.written.push(None);
        self.values.len() - 1
    }

    fn bind(&mut self, name: &'a str, value: usize, rank: usize) {
        self.frozen[value] |= self.half.uses(name) != 1;
        self.names.insert(name, Bound { value, rank });
    }

    fn node(&mut self, node: &'a NodeProto) -> Option<()> {
        let first = node.input.first()?.as_str();
        match node.op_type.as_str() {
            "Conv" => self.conv(node),
            "Gemm" => self.gemm(node),
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(node),
            "Relu" => self.relu(node),
            "Tanh" => self.map(node, first, Map::Tanh),
            "Identity" => {
                let bound = *self.names.get(first)?;
                self.bind(&node.name, bound.value, bound.rank);
                Some(())
            }
            "Squeeze" => {
                let bound = *self.names.get(first)?;
                let axis = self.half.axis(node.input.get(1)?)?;
                let flat = bound.rank == 4 && axis == 2 && self.values[bound.value].rows == 1;
                flat.then(|| self.bind(&node.name, bound.value, 3))
            }
            "Unsqueeze" => {
                let bound = *self.names.get(first)?;
                let axis = self.half.axis(node.input.get(1)?)?;
                let flat = bound.rank == 3 && axis == 1 && self.values[bound.value].channels == 1;
                flat.then(|| self.bind(&node.name, bound.value, 4))
            }
            _ => None,
        }
    }

    fn conv(&mut self, node: &'a NodeProto) -> Option<()> {
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
        // Rows and columns of the kernel that are all zeros need not be looked at.
        let at = |output: usize, input: usize, row: usize, column: usize| {
            weights[((output * inputs + input) * high + row) * long + column]
        };
        let used = |row: usize, column: usize| {
            (0..outputs)
                .any(|output| (0..inputs).any(|input| at(output, input, row, column) != 0.0))
        };
        let first = (0..high).find(|&row| (0..long).any(|column| used(row, column)))?;
        let last = (0..high).rfind(|&row| (0..long).any(|column| used(row, column)))?;
        let columns = (0..long).filter(|&column| (first..=last).any(|row| used(row, column)));
        let taps = columns.map(|column| {
            let mut run = Vec::with_capacity((last + 1 - first) * inputs * outputs);
            for row in first..=last {
                for input in 0..inputs {
                    run.extend((0..outputs).map(|output| at(output, input, row, column)));
                }
            }
            Tap {
                column: column * dilation,
                weights: run,
            }
        });
        let taps: Vec<Tap> = taps.collect();
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
            run: (last + 1 - first) * inputs,
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
    fn gemm(&mut self, node: &'a NodeProto) -> Option<()> {
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

    fn draft(&mut self, node: &'a NodeProto, draft: Draft, rank: usize) -> Option<()> {
        let output = draft.output;
        let to = &self.values[output];
        let products = (draft.run * draft.taps.len()).checked_mul(to.channels)?;
        let each = products.checked_add(to.channels)?;
        let cost = each.checked_mul(to.rows)?.checked_mul(to.rate)?;
        self.step(node, output, rank, cost, Step::Conv(draft))
    }

    /// The step that writes `value` next, which then goes by the node's name.
    fn step(
        &mut self,
        node: &'a NodeProto,
        value: usize,
        rank: usize,
        cost: usize,
        step: Step,
    ) -> Option<()> {
        self.cost = self.cost.checked_add(cost)?;
        self.written[value] = Some(self.steps.len());
        self.steps.push(step);
        self.bind(&node.name, value, rank);
        Some(())
    }

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

    fn relu(&mut self, node: &'a NodeProto) -> Option<()> {
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

    fn arithmetic(&mut self, node: &'a NodeProto) -> Option<()> {
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
    fn map(&mut self, node: &'a NodeProto, name: &str, map: Map) -> Option<()> {
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

    fn finish(
        self,
        level: Level,
        input: usize,
        outputs: Vec<usize>,
        nodes: usize,
    ) -> Option<Direct> {
        let layout = Layout {
            values: self.values,
        };
        if layout.size().is_none_or(|size| size > MAX_SCRATCH) {
            return None;
        }
        let layers = self.steps.into_iter().map(|step| match step {
            Step::Map { value, map } => Layer::Map { value, map },
            Step::Filter(filter) => Layer::Filter(filter),
            Step::Conv(mut draft) => {
                let from = &layout.values[draft.input];
                draft
                    .taps
                    .iter_mut()
                    .for_each(|tap| tap.column += from.past - draft.past);
                let shape = Shape {
                    input: draft.input,
                    output: draft.output,
                    time_stride: draft.strides[1],
                    row_stride: draft.strides[0],
                    first_row: from.above + draft.first - draft.above,
                    run: draft.run,
                    outputs: layout.values[draft.output].channels,
                };
                let mut conv = Conv::new(level, shape, &draft.taps, &draft.bias);
                conv.relu = draft.relu;
                conv.residual = draft.residual;
                conv.last_relu = draft.last_relu;
                Layer::Conv(Box::new(conv))
            }
        });
        Some(Direct {
            level,
            layers: layers.collect(),
            stages: self.stages,
            input,
            outputs,
            nodes,
            scratch: Default::default(),
            layout,
        })
    }
}
