//! From a checked graph to layers, or `None` for what only the inference library can run.

mod changes;
mod kernel;
mod products;
mod shapes;

use std::collections::HashMap;

use tract_onnx::pb::{ModelProto, NodeProto};

use super::conv::{Conv, Shape, Tap};
use super::filter::Filter;
use super::graph::Half;
use super::lanes::Level;
use super::layout::{Layout, Value};
use super::{Direct, Layer, Map};

/// Most numbers of working memory (32 MiB).
const MAX_SCRATCH: usize = 8 << 20;
/// Most numbers of weights (64 MiB, what the largest file holds), those that fill vectors up counted too.
const MAX_WEIGHTS: usize = 16 << 20;

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
    weights: usize,
}

impl Direct {
    /// The half of `model` between the ends; `None` if it is anything but causal convolutions, matrix products,
    /// rectifiers, sums, constants and changes of shape, or takes more time or memory than allowed.
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
            weights: 0,
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
            "Identity" | "Squeeze" | "Unsqueeze" => self.shape(node),
            _ => None,
        }
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
                let mut conv = Conv::new(level, shape, from, &draft.taps, &draft.bias);
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
