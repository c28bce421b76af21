//! A layer of a graph that has weights, and what it hears of a clip.

use undertone_model::onnx::{GraphProto, NodeProto};

use crate::export::ExportError;
use crate::export::moments::Moments;

/// Positions of a layer that are looked at in a clip, at most.
const POSITIONS: usize = 96;
/// Inputs of a layer that are looked at together: those of the largest convolution that ships, and few enough for their square.
const TOGETHER: usize = 1152;

/// A convolution or a product, and where its inputs come from.
pub(super) struct Layer {
    pub(super) weight: String,
    pub(super) input: String,
    /// Input channels, and rows and columns of the kernel; a product has one of each.
    kernel: [usize; 3],
    /// Rows, columns.
    strides: [usize; 2],
    /// Rows, columns.
    dilations: [usize; 2],
    /// Rows above, columns before, rows below, columns after.
    pads: [usize; 4],
}

impl Layer {
    pub(super) fn of(graph: &GraphProto, node: &NodeProto) -> Option<Self> {
        let (input, weight) = (node.input.first()?.clone(), node.input.get(1)?.clone());
        let stored = graph
            .initializer
            .iter()
            .find(|tensor| tensor.name == weight)?;
        let dims: Vec<usize> = stored
            .dims
            .iter()
            .map(|&dim| usize::try_from(dim).unwrap_or(0))
            .collect();
        let numbers = |name: &str| -> Option<Vec<usize>> {
            let attribute = node.attribute.iter().find(|one| one.name == name)?;
            Some(
                attribute
                    .ints
                    .iter()
                    .map(|&int| usize::try_from(int).unwrap_or(0))
                    .collect(),
            )
        };
        let pair = |name: &str| match numbers(name).as_deref() {
            Some(&[columns]) => [1, columns],
            Some(&[rows, columns]) => [rows, columns],
            _ => [1, 1],
        };
        let kernel = match (node.op_type.as_str(), dims.as_slice()) {
            ("Gemm", &[inputs, _]) => [inputs, 1, 1],
            ("Conv", &[_, channels, columns]) => [channels, 1, columns],
            ("Conv", &[_, channels, rows, columns]) => [channels, rows, columns],
            _ => return None,
        };
        Some(Self {
            weight,
            input,
            kernel,
            strides: pair("strides"),
            dilations: pair("dilations"),
            pads: match numbers("pads").as_deref() {
                Some(&[before, after]) => [0, before, 0, after],
                Some(&[above, before, below, after]) => [above, before, below, after],
                _ => [0; 4],
            },
        })
    }

    pub(super) fn moments(&self) -> Vec<Moments> {
        let inputs: usize = self.kernel.iter().product();
        let starts = (0..inputs).step_by(TOGETHER);
        starts
            .map(|start| Moments::new(start..(start + TOGETHER).min(inputs)))
            .collect()
    }

    /// Gives what it hears of one clip at some positions to `take`, by the number of the position: `values` of shape `[1, channels]`,
    /// `[1, channels, columns]` or `[1, channels, rows, columns]`.
    pub(super) fn hear(
        &self,
        values: &[f32],
        shape: &[usize],
        mut take: impl FnMut(usize, &[f32]),
    ) -> Result<(), ExportError> {
        let [channels, high, long] = self.kernel;
        let [rows, columns] = match shape {
            [_, _] => [1, 1],
            [_, _, columns] => [1, *columns],
            [_, _, rows, columns] => [*rows, *columns],
            _ => [0, 0],
        };
        if channels * rows * columns != values.len() || values.is_empty() {
            return Err(ExportError::Weights(format!(
                "`{}` is for {channels} channels, and hears {shape:?}",
                self.weight
            )));
        }
        let [above, before, below, after] = self.pads;
        let steps = |padded: usize, kernel: usize, axis: usize| {
            let reach = (kernel - 1) * self.dilations[axis] + 1;
            padded
                .checked_sub(reach)
                .map_or(0, |left| left / self.strides[axis] + 1)
        };
        let down = steps(rows + above + below, high, 0);
        let along = steps(columns + before + after, long, 1);
        let mut patch = vec![0.0; channels * high * long];
        let step = (down * along).div_ceil(POSITIONS).max(1);
        for position in (0..down * along).step_by(step) {
            let row = position / along * self.strides[0];
            let column = position % along * self.strides[1];
            let inside = |at: usize, tap: usize, axis: usize, pad: usize, length: usize| {
                let at = (at + tap * self.dilations[axis]).checked_sub(pad);
                at.filter(|at| *at < length)
            };
            let mut places = patch.iter_mut();
            for channel in 0..channels {
                for tap in 0..high {
                    let at = inside(row, tap, 0, above, rows);
                    for (place, tap) in places.by_ref().take(long).zip(0..) {
                        let when = inside(column, tap, 1, before, columns);
                        let index = at
                            .zip(when)
                            .map(|(at, when)| (channel * rows + at) * columns + when);
                        *place = index.map_or(0.0, |index| values[index]);
                    }
                }
            }
            take(position, &patch);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::prelude::*;
    use undertone_model::floats;

    use crate::export::onnx::{Dim, Graph, ints};

    /// What a convolution of a graph gives, and what its layer hears, at every position.
    fn agree(graph: Graph, shape: [usize; 2]) {
        let model = graph.finish("layers");
        let graph = model.graph.as_ref().unwrap();
        let [rows, frames] = shape;
        let values: Vec<f32> = (0..rows * frames)
            .map(|i| ((i * 37) % 19) as f32 - 9.0)
            .collect();
        let run = |output: &str| {
            let plan = tract_onnx::onnx()
                .model_for_proto_model(&model)
                .and_then(|model| model.with_input_fact(0, f32::fact([1, rows, frames]).into()))
                .and_then(|model| model.with_outputs_by_name([output]))
                .and_then(InferenceModelExt::into_optimized)
                .and_then(IntoRunnable::into_runnable)
                .unwrap();
            let input = Tensor::from_shape(&[1, rows, frames], &values).unwrap();
            let output = plan.run(tvec!(input.into())).unwrap();
            let view = output[0].to_plain_array_view::<f32>().unwrap();
            (
                view.iter().copied().collect::<Vec<f32>>(),
                view.shape().to_vec(),
            )
        };
        let node = graph.node.iter().find(|node| node.name == "layer").unwrap();
        let layer = Layer::of(graph, node).unwrap();
        let stored = graph
            .initializer
            .iter()
            .find(|one| one.name == layer.weight)
            .unwrap();
        let weights = floats(stored);
        let (heard, shape) = run(&layer.input);
        let (given, _) = run("layer");
        let inputs: usize = layer.kernel.iter().product();
        let outputs = weights.len() / inputs;
        let positions = given.len() / outputs;
        let mut seen = 0;
        let take = |position: usize, patch: &[f32]| {
            seen += 1;
            for output in 0..outputs {
                let by_input = |index: usize| match node.op_type.as_str() {
                    "Gemm" => weights[index * outputs + output],
                    _ => weights[output * inputs + index],
                };
                let sum: f32 = patch
                    .iter()
                    .enumerate()
                    .map(|(i, value)| value * by_input(i))
                    .sum();
                let expected = given[output * positions + position];
                assert!(
                    (sum - expected).abs() < 1e-3,
                    "{position} {output}: {sum} {expected}"
                );
            }
        };
        layer.hear(&heard, &shape, take).unwrap();
        assert_eq!(seen, positions);
        assert!(layer.hear(&heard[1..], &shape, |_, _| ()).is_err());
    }

    fn weights(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 13) % 7) as f32 - 3.0).collect()
    }

    fn graph(rows: usize, frames: usize) -> Graph {
        let mut graph = Graph::default();
        graph.input(
            "features",
            &[Dim::Fixed(1), Dim::Fixed(rows), Dim::Fixed(frames)],
        );
        graph
    }

    #[test]
    fn what_a_layer_hears_times_its_weights_is_what_it_gives() {
        // Over rows and time, every side padded otherwise.
        let mut plane = graph(6, 10);
        let axis = plane.integers("axis", &[1]);
        let x = plane.node("Unsqueeze", "plane", &["features", &axis], vec![]);
        let two = plane.floats("two_weight", &[2, 1, 1, 1], &[1.0, -2.0]);
        let x = plane.node(
            "Conv",
            "two",
            &[&x, &two],
            vec![ints("kernel_shape", &[1, 1])],
        );
        let weight = plane.floats("layer_weight", &[3, 2, 3, 2], &weights(36));
        let attributes = vec![
            ints("kernel_shape", &[3, 2]),
            ints("pads", &[1, 2, 0, 1]),
            ints("strides", &[2, 1]),
            ints("dilations", &[1, 2]),
        ];
        plane.node("Conv", "layer", &[&x, &weight], attributes);
        agree(plane, [6, 10]);
        // Over time alone.
        let mut line = graph(4, 9);
        let weight = line.floats("layer_weight", &[2, 4, 3], &weights(24));
        let attributes = vec![
            ints("kernel_shape", &[3]),
            ints("pads", &[2, 1]),
            ints("strides", &[2]),
        ];
        line.node("Conv", "layer", &["features", &weight], attributes);
        agree(line, [4, 9]);
        // A product.
        let mut product = graph(2, 3);
        let shape = product.integers("shape", &[1, 6]);
        let x = product.node("Reshape", "flat", &["features", &shape], vec![]);
        let weight = product.floats("layer_weight", &[6, 5], &weights(30));
        let bias = product.floats("layer_bias", &[5], &[0.0; 5]);
        product.node("Gemm", "layer", &[&x, &weight, &bias], vec![]);
        agree(product, [2, 3]);
    }
}
