//! Small files that ask for much: valid ONNX, sealed with the right hash, that would take all memory or time if they
//! were run as they say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/detour.rs"]
mod detour;
#[path = "support/measure.rs"]
mod measure;
mod support;
#[path = "support/windowed.rs"]
mod windowed;

use std::time::{Duration, Instant};

use detour::Detour;
use measure::peak_of;
use support::{FILE, resealed, silence_caught_panics};
use undertone_model::onnx::tensor_proto::DataType;
use undertone_model::{MAX_FILE_BYTES, Metadata, Model, ModelError};

/// Most that a hostile file may take while it is looked at.
const MEMORY: usize = 512 << 20;
/// The same for time, with room for a slow or busy machine.
const TIME: Duration = Duration::from_secs(20);

#[track_caller]
fn bounded(bytes: &[u8]) -> Result<Model, ModelError> {
    silence_caught_panics();
    let start = Instant::now();
    let (result, peak) = peak_of(|| Model::from_bytes(bytes));
    let took = start.elapsed();
    let verdict = result
        .as_ref()
        .map_or_else(ToString::to_string, |_| "run".into());
    let verdict: String = verdict.chars().take(200).collect();
    println!(
        "{:.1} MiB, {took:.1?}: {verdict}",
        peak as f64 / (1 << 20) as f64
    );
    assert!(peak <= MEMORY, "{peak} bytes: {verdict}");
    assert!(took <= TIME, "{took:?}: {verdict}");
    result
}

#[track_caller]
fn too_costly(bytes: &[u8]) -> String {
    let error = bounded(bytes).unwrap_err();
    assert!(matches!(error, ModelError::TooCostly { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains("train a smaller network"), "{message}");
    message
}

fn with_detour(from: &str, build: impl FnOnce(&mut Detour)) -> Vec<u8> {
    let mut detour = Detour::default();
    build(&mut detour);
    resealed(|graph| detour.insert(graph, from))
}

#[test]
fn the_shipped_file_takes_little() {
    let (_, peak) = peak_of(|| bounded(FILE).unwrap());
    assert!(peak <= 64 << 20, "{peak}");
}

#[test]
fn a_value_joined_to_itself_forty_times() {
    for count in [20, 40, 62, 300] {
        too_costly(&with_detour("features", |detour| {
            let mut wide = "features".to_owned();
            for _ in 0..count {
                wide = detour.node("Concat", &[&wide, &wide], &[("axis", &[1])]);
            }
            let one = detour.node("ReduceMax", &[&wide], &[("axes", &[1]), ("keepdims", &[1])]);
            detour.node("Add", &["features", &one], &[]);
        }));
    }
}

#[test]
fn a_value_spread_over_new_dimensions() {
    too_costly(&with_detour("plane", |detour| {
        let [first, second] = [[4_096, 1, 1, 1], [1, 4_096, 1, 1]].map(|dims| detour.zeros(&dims));
        let wide = detour.node("Add", &["plane", &first], &[]);
        let wide = detour.node("Add", &[&wide, &second], &[]);
        let keep: [(&str, &[i64]); 2] = [("axes", &[0, 1]), ("keepdims", &[1])];
        detour.node("ReduceMax", &[&wide], &keep);
    }));
    too_costly(&with_detour("pooled", |detour| {
        let [first, second] = [[4_096, 1, 1], [1, 4_096, 1]].map(|dims| detour.zeros(&dims));
        let wide = detour.node("Add", &["pooled", &first], &[]);
        let wide = detour.node("Add", &[&wide, &second], &[]);
        detour.node("ReduceMax", &[&wide], &[("axes", &[0]), ("keepdims", &[0])]);
    }));
}

#[test]
fn constants_multiplied_with_each_other() {
    let bytes = with_detour("features", |detour| {
        let [column, row] = [[1, 65_536, 1], [1, 1, 65_536]].map(|dims| detour.zeros(&dims));
        let product = detour.node("Mul", &[&column, &row], &[]);
        let one = detour.node(
            "ReduceMax",
            &[&product],
            &[("axes", &[1, 2]), ("keepdims", &[1])],
        );
        detour.node("Add", &["features", &one], &[]);
    });
    let error = bounded(&bytes).unwrap_err();
    assert!(
        error.to_string().contains("computes from constants alone"),
        "{error}"
    );
}

#[test]
fn integers_made_into_weights_again_and_again() {
    let bytes = with_detour("features", |detour| {
        let integers = detour.tensor(&[1 << 20], DataType::Int8, vec![1; 1 << 20]);
        let scale = detour.tensor(&[], DataType::Float, 1f32.to_le_bytes().to_vec());
        let mut last = "features".to_owned();
        for _ in 0..200 {
            let weight = detour.node("DequantizeLinear", &[&integers, &scale], &[]);
            last = detour.node("Add", &[&last, &weight], &[]);
        }
    });
    let error = bounded(&bytes).unwrap_err();
    assert!(
        error.to_string().contains("weights of the same integers"),
        "{error}"
    );
}

#[test]
fn shapes_of_astronomic_size() {
    for shape in [
        vec![1, 64, 65_536, 65_536, -1],
        vec![65_536; 6],
        vec![-1, -1, 65_536],
        vec![0, 0, 0],
        vec![-65_536, 1],
    ] {
        let bytes = with_detour("features", |detour| {
            let shape = detour.integers(&shape);
            let wide = detour.node("Reshape", &["features", &shape], &[]);
            let one = detour.node("ReduceMax", &[&wide], &[("keepdims", &[0])]);
            detour.node("Add", &["features", &one], &[]);
        });
        bounded(&bytes).unwrap_err();
    }
}

#[test]
fn more_and_more_dimensions() {
    let bytes = with_detour("features", |detour| {
        let axes = detour.integers(&[0, 1, 2, 3, 4, 5]);
        let mut deep = "features".to_owned();
        for _ in 0..200 {
            deep = detour.node("Unsqueeze", &[&deep, &axes], &[]);
        }
        for _ in 0..200 {
            deep = detour.node("Squeeze", &[&deep, &axes], &[]);
        }
    });
    let error = bounded(&bytes).unwrap_err();
    assert!(
        error.to_string().contains("at most 6 known dimensions"),
        "{error}"
    );
}

#[test]
fn a_convolution_whose_columns_are_larger_than_its_input() {
    // One weight in each of 4096 x 64 places: as many columns as there are positions.
    let bytes = with_detour("plane", |detour| {
        let weight = detour.zeros(&[1, 1, 4_096, 64]);
        let shape: [(&str, &[i64]); 3] = [
            ("kernel_shape", &[4_096, 64]),
            ("pads", &[4_095, 63, 4_096, 0]),
            ("strides", &[1, 1]),
        ];
        let wide = detour.node("Conv", &["plane", &weight], &shape);
        let keep: [(&str, &[i64]); 2] = [("axes", &[2]), ("keepdims", &[1])];
        let one = detour.node("ReduceMax", &[&wide], &keep);
        detour.node("Add", &["plane", &one], &[]);
    });
    too_costly(&bytes);
}

#[test]
fn a_kernel_that_states_another_shape_than_its_weight_has() {
    let bytes = resealed(|graph| {
        let stem = graph
            .node
            .iter_mut()
            .find(|node| node.name == "stem")
            .unwrap();
        for attribute in &mut stem.attribute {
            if attribute.name == "kernel_shape" {
                attribute.ints = vec![4_096, 4_096];
            }
        }
    });
    bounded(&bytes).unwrap_err();
}

#[test]
fn convolutions_that_look_back_for_ever() {
    too_costly(&with_detour("plane", |detour| {
        let widen = detour.zeros(&[256, 1, 1, 1]);
        let mut last = detour.node("Conv", &["plane", &widen], &[]);
        let weight = detour.zeros(&[256, 1, 1, 2]);
        for _ in 0..200 {
            let far: [(&str, &[i64]); 4] = [
                ("group", &[256]),
                ("dilations", &[1, 4_096]),
                ("pads", &[0, 4_096, 0, 0]),
                ("kernel_shape", &[1, 2]),
            ];
            last = detour.node("Conv", &[&last, &weight], &far);
        }
        detour.node("ReduceMax", &[&last], &[("axes", &[1]), ("keepdims", &[1])]);
    }));
}

#[test]
fn padding_upon_padding() {
    too_costly(&with_detour("plane", |detour| {
        let weight = detour.zeros(&[1, 1, 1, 1]);
        let mut last = "plane".to_owned();
        for _ in 0..300 {
            let pads: (&str, &[i64]) = ("pads", &[4_096, 0, 4_096, 0]);
            last = detour.node("Conv", &[&last, &weight], &[pads]);
        }
        let one = detour.node("ReduceMax", &[&last], &[("axes", &[2]), ("keepdims", &[1])]);
        detour.node("Add", &["plane", &one], &[]);
    }));
}

#[test]
fn long_chains_of_cheap_nodes() {
    for operator in ["Relu", "Identity", "Tanh", "Add", "Mul", "Concat", "Sub"] {
        let bytes = with_detour("features", |detour| {
            let mut last = "features".to_owned();
            for _ in 0..430 {
                let two = [last.as_str(), "features"];
                last = match operator {
                    "Add" | "Mul" | "Sub" => detour.node(operator, &two, &[]),
                    "Concat" => detour.node(operator, &two, &[("axis", &[1])]),
                    _ => detour.node(operator, &[&last], &[]),
                };
            }
        });
        print!("{operator}: ");
        let _ = bounded(&bytes);
    }
}

#[test]
fn values_added_to_themselves() {
    for operator in ["Add", "Mul"] {
        let bytes = with_detour("features", |detour| {
            let mut last = "features".to_owned();
            for _ in 0..430 {
                last = detour.node(operator, &[&last, &last], &[]);
            }
        });
        let _ = bounded(&bytes);
    }
}

#[test]
fn the_largest_file_that_is_read() {
    let bytes = with_detour("features", |detour| {
        for _ in 0..3 {
            let zeros = detour.zeros(&[1, 1 << 20, 1]);
            detour.node("Mul", &["features", &zeros], &[]);
        }
    });
    assert!(bytes.len() < MAX_FILE_BYTES && bytes.len() > 12 << 20);
    bounded(&bytes).unwrap_err();
    let mut bytes = vec![0x3a, 0x80, 0x80, 0x80, 0x07];
    bytes.resize((14 << 20) + 5, 0);
    bytes[5..].as_chunks_mut::<2>().0.fill([0x0a, 0x00]);
    assert!(matches!(bounded(&bytes), Err(ModelError::Outline { .. })));
}

#[test]
fn the_classic_network_of_twelve_million_weights_is_run_within_bounds() {
    let bytes = windowed::Shape::classic().file();
    assert!(bytes.len() < MAX_FILE_BYTES && bytes.len() > 12_000_000);
    let model = bounded(&bytes).unwrap();
    assert!(model.parameters() > 12_590_000, "{}", model.parameters());
    let mut often = model.metadata().clone();
    often.update_hop = 50;
    let bytes = undertone_model::seal(&mut windowed::Shape::classic().graph(), &often).unwrap();
    too_costly(&bytes);
}

/// The small windowed network, its vector raised by the largest value of what is made out of it, and its answer to the
/// self test left out: it is to be refused before.
fn beside_the_vector(
    about: impl FnOnce(&mut Metadata),
    build: impl FnOnce(&mut Detour) -> String,
) -> Vec<u8> {
    let mut graph = windowed::Shape::small().graph();
    let mut detour = Detour::default();
    let made = build(&mut detour);
    let flat = detour.integers(&[1, 1, -1]);
    let flat = detour.node("Reshape", &[&made, &flat], &[]);
    let most = detour.node("ReduceMax", &[&flat], &[("axes", &[2]), ("keepdims", &[1])]);
    detour.node("Add", &["vector", &most], &[]);
    detour.insert(graph.graph.as_mut().unwrap(), "vector");
    let mut metadata = windowed::Shape::small().metadata();
    about(&mut metadata);
    undertone_model::seal(&mut graph, &metadata).unwrap()
}

/// Reaches the self test, so that what is refused with more in it is refused for that.
#[test]
fn a_windowed_network_with_little_beside_its_vector_is_run() {
    let bytes = beside_the_vector(|_| {}, |detour| detour.node("Relu", &["vector"], &[]));
    let error = bounded(&bytes).unwrap_err();
    assert!(matches!(error, ModelError::SelfTest { .. }), "{error}");
}

#[test]
fn a_windowed_convolution_whose_columns_are_larger_than_its_input() {
    too_costly(&beside_the_vector(
        |_| {},
        |detour| {
            let weight = detour.zeros(&[1, 1, 4_096]);
            let attributes: [(&str, &[i64]); 2] =
                [("kernel_shape", &[4_096]), ("pads", &[4_095, 4_096])];
            let last = detour.node("Conv", &["vector", &weight], &attributes);
            let weight = detour.zeros(&[1, 1, 4_096]);
            detour.node("Conv", &[&last, &weight], &attributes)
        },
    ));
}

#[test]
fn a_pool_whose_table_of_places_is_larger_than_its_input() {
    let error = too_costly(&beside_the_vector(
        |_| {},
        |detour| {
            let most = detour.node(
                "ReduceMax",
                &["vector"],
                &[("axes", &[2]), ("keepdims", &[1])],
            );
            let shape = detour.integers(&[1, 1, 1, 1, 1, 1]);
            let mut last = detour.node("Reshape", &[&most, &shape], &[]);
            for dims in [[1, 1, 64, 64, 1, 1], [1, 1, 1, 1, 64, 16]] {
                let zeros = detour.zeros(&dims);
                last = detour.node("Add", &[&last, &zeros], &[]);
            }
            let kernel: [(&str, &[i64]); 1] = [("kernel_shape", &[64, 64, 64, 16])];
            detour.node("MaxPool", &[&last], &kernel)
        },
    ));
    assert!(error.contains("stored values"), "{error}");
}

#[test]
fn a_pool_that_compares_more_than_there_is_time_for() {
    let pooled = |hop| {
        beside_the_vector(
            |about| (about.update_hop, about.frontend.hop_length) = (1, hop),
            |detour| {
                let shape = detour.integers(&[1, 1, 64, 48]);
                let picture = detour.node("Reshape", &["vector", &shape], &[]);
                // 33 x 25 places of 768 values each: three times what all the rest multiplies.
                let kernel: [(&str, &[i64]); 1] = [("kernel_shape", &[32, 24])];
                detour.node("MaxPool", &[&picture], &kernel)
            },
        )
    };
    let error = too_costly(&pooled(16));
    assert!(error.contains("multiplications for an answer"), "{error}");
    let error = bounded(&pooled(160)).unwrap_err();
    assert!(matches!(error, ModelError::SelfTest { .. }), "{error}");
}
