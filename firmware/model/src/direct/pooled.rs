//! What a graph makes of the encoder's steps, worked out for a handful of them, to see whether it pools as this crate does.

use std::collections::HashMap;

use tract_onnx::pb::{ModelProto, NodeProto};

use super::graph::{Half, integer, integers};
use crate::graph::{POOLED, SCORE, STEPS};

/// Most numbers of a value.
const MAX_VALUES: usize = 1 << 20;

/// A value `[1, rows, columns]`, row by row.
#[derive(Clone)]
struct Plane {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

impl Plane {
    fn map(&self, map: impl Fn(f32) -> f32) -> Self {
        Plane {
            values: self.values.iter().map(|&value| map(value)).collect(),
            ..*self
        }
    }

    /// Each row becomes one number.
    fn reduce(&self, reduce: impl Fn(&[f32]) -> f32) -> Self {
        Plane {
            rows: self.rows,
            columns: 1,
            values: self.values.chunks_exact(self.columns).map(reduce).collect(),
        }
    }

    /// Value by value; an axis of length 1 counts for all.
    fn with(&self, other: &Self, map: impl Fn(f32, f32) -> f32) -> Option<Self> {
        let fits = |a: usize, b: usize| (a == b || a == 1 || b == 1).then(|| a.max(b));
        let rows = fits(self.rows, other.rows)?;
        let columns = fits(self.columns, other.columns)?;
        let at = |plane: &Plane, row: usize, column: usize| {
            let row = row.min(plane.rows - 1);
            plane.values[row * plane.columns + column.min(plane.columns - 1)]
        };
        let values = (0..rows * columns).map(|index| {
            let (row, column) = (index / columns, index % columns);
            map(at(self, row, column), at(other, row, column))
        });
        Some(Plane {
            rows,
            columns,
            values: values.collect(),
        })
    }
}

/// The statistics that the graph makes of `columns` steps of `width` values (row by row) and their scores; `None` for
/// operators that are not understood here. Also how many nodes it takes.
pub(crate) fn statistics(
    model: &ModelProto,
    width: usize,
    steps: &[f32],
    scores: &[f32],
) -> Option<(Vec<f32>, usize)> {
    let half = Half::of(model.graph.as_ref()?, &[STEPS, SCORE], &[POOLED]);
    let plane = |rows, values: &[f32]| Plane {
        rows,
        columns: scores.len(),
        values: values.to_vec(),
    };
    let mut values = HashMap::from([(STEPS, plane(width, steps)), (SCORE, plane(1, scores))]);
    let mut found = None;
    for node in &half.nodes {
        let result = value(&half, &values, node)?;
        let squeezed = node.op_type == "Squeeze";
        // Flat, it can only be the result.
        if squeezed != (node.name == POOLED) || result.values.len() > MAX_VALUES {
            return None;
        }
        if squeezed {
            found = Some(result);
        } else {
            values.insert(&node.name, result);
        }
    }
    Some((found?.values, half.nodes.len()))
}

fn value(half: &Half<'_>, values: &HashMap<&str, Plane>, node: &NodeProto) -> Option<Plane> {
    let input = |index: usize| -> Option<Plane> {
        let name = node.input.get(index)?;
        if let Some(plane) = values.get(name.as_str()) {
            return Some(plane.clone());
        }
        let (_, numbers) = half.floats(name)?;
        let [one] = numbers.as_slice() else {
            return None;
        };
        Some(Plane {
            rows: 1,
            columns: 1,
            values: vec![*one],
        })
    };
    let x = input(0)?;
    let kept = integer(node, "keepdims", 1) == 1 && integer(node, "noop_with_empty_axes", 0) == 0;
    let along_time = match node.input.get(1) {
        Some(axes) => kept && half.axis(axes) == Some(2),
        None => kept && integers::<1>(node, "axes", 0) == Some([2]),
    };
    let sum = |row: &[f32]| row.iter().sum::<f32>();
    match node.op_type.as_str() {
        "Relu" => Some(x.map(|value| value.max(0.0))),
        "Sqrt" => Some(x.map(f32::sqrt)),
        "Exp" => Some(x.map(f32::exp)),
        "Add" => x.with(&input(1)?, |a, b| a + b),
        "Sub" => x.with(&input(1)?, |a, b| a - b),
        "Mul" => x.with(&input(1)?, |a, b| a * b),
        "Div" => x.with(&input(1)?, |a, b| a / b),
        "ReduceSum" if along_time => Some(x.reduce(sum)),
        "ReduceMean" if along_time => Some(x.reduce(|row| sum(row) / row.len() as f32)),
        "ReduceMax" if along_time => {
            Some(x.reduce(|row| row.iter().copied().fold(f32::NEG_INFINITY, f32::max)))
        }
        "Squeeze" if x.columns == 1 && half.axis(node.input.get(1)?) == Some(2) => Some(x),
        "Concat" if integer(node, "axis", 0) == 1 => {
            let parts = (0..node.input.len())
                .map(input)
                .collect::<Option<Vec<_>>>()?;
            let same = parts.iter().all(|part| part.columns == x.columns);
            let rows = parts.iter().map(|part| part.rows).sum();
            same.then(|| Plane {
                rows,
                columns: x.columns,
                values: parts.into_iter().flat_map(|part| part.values).collect(),
            })
        }
        _ => None,
    }
}
