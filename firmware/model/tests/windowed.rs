//! A network that cannot be streamed answers for the last window as the whole graph does, and its file is checked like
//! any other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/refused.rs"]
mod refused;
mod support;
#[path = "support/windowed.rs"]
mod windowed;

use std::sync::OnceLock;

use proptest::prelude::*;
use refused::{attribute, node, refused, tensor};
use support::Random;
use tract_onnx::prelude::*;
use undertone_model::onnx::GraphProto;
use undertone_model::{Metadata, Model, NetworkKind, Stream, seal};
use windowed::Shape;

fn file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| Shape::small().file())
}

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| Model::from_bytes(file()).unwrap())
}

fn frames(seed: u64, count: usize, rows: usize) -> Vec<f32> {
    let mut random = Random(seed);
    (0..count * rows)
        .map(|_| random.between(-100.0, 20.0))
        .collect()
}

fn feed(stream: &mut Stream, frames: &[f32], rows: usize) {
    for frame in frames.chunks_exact(rows) {
        stream.push(frame).unwrap();
    }
}

fn logits(stream: &mut Stream, classes: usize) -> Option<Vec<f32>> {
    let mut out = vec![f32::NAN; classes];
    stream.logits(&mut out).unwrap().then_some(out)
}

/// The file's graph on exactly one window, run by the library alone.
fn whole(window: &[f32]) -> Vec<f32> {
    static GRAPH: OnceLock<Arc<TypedRunnableModel>> = OnceLock::new();
    let (rows, length) = (model().metadata().rows(), model().metadata().window);
    let graph = GRAPH.get_or_init(|| {
        tract_onnx::onnx()
            .model_for_read(&mut std::io::Cursor::new(file()))
            .and_then(InferenceModelExt::into_optimized)
            .and_then(|model| model.into_runnable())
            .unwrap()
    });
    let input = tract_ndarray::Array3::from_shape_fn((1, rows, length), |(_, row, frame)| {
        window[frame * rows + row]
    });
    let output = graph.run(tvec!(Tensor::from(input).into())).unwrap();
    let plain = output[0].try_as_plain_ram().unwrap();
    plain.as_slice::<f32>().unwrap().to_vec()
}

fn near(found: &[f32], expected: &[f32]) -> bool {
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * b.abs().max(1.0);
    found.len() == expected.len() && found.iter().zip(expected).all(close)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chopping_gives_what_the_whole_graph_gives_of_the_last_window_and_nothing_before_it_is_full(
        seed: u64,
        before in 0usize..120,
        portions in prop::collection::vec(1usize..60, 1..8),
    ) {
        let (rows, window) = (model().metadata().rows(), model().metadata().window);
        let mut stream = model().stream().unwrap();
        feed(&mut stream, &frames(!seed, before, rows), rows);
        stream.reset().unwrap();
        let frames = frames(seed, portions.iter().sum(), rows);
        let mut end = 0;
        for portion in portions {
            feed(&mut stream, &frames[end * rows..][..portion * rows], rows);
            end += portion;
            let found = logits(&mut stream, 3);
            prop_assert_eq!(found.is_some(), end >= window, "{} frames", end);
            if let Some(found) = found {
                let expected = whole(&frames[(end - window) * rows..end * rows]);
                prop_assert!(near(&found, &expected), "{end} frames: {found:?} {expected:?}");
            }
        }
    }
}

#[test]
fn of_an_utterance_shorter_than_the_window_a_file_may_have_it_read_over_and_over() {
    let (rows, window) = (model().metadata().rows(), model().metadata().window);
    let bytes = changed(|_| {}, |about| about.shortest = Some(5));
    let early = Model::from_bytes(&bytes).unwrap();
    let mut stream = early.stream().unwrap();
    feed(&mut stream, &frames(8, 2 * window + 3, rows), rows);
    stream.reset().unwrap();
    let frames = frames(9, window + 2, rows);
    for (count, frame) in (1..).zip(frames.chunks_exact(rows)) {
        stream.push(frame).unwrap();
        let found = logits(&mut stream, 3);
        assert_eq!(found.is_some(), count >= 5, "{count} frames");
        let first = count.max(window) - window;
        let repeated = (0..window).flat_map(|at| {
            let frame = first + at % count.min(window);
            frames[frame * rows..][..rows].to_vec()
        });
        if let Some(found) = found {
            let expected = whole(&repeated.collect::<Vec<_>>());
            assert!(near(&found, &expected), "{count}: {found:?} {expected:?}");
        }
    }
}

#[test]
fn different_windows_have_different_answers() {
    let rows = model().metadata().rows();
    let answers = [1, 2].map(|seed| whole(&frames(seed, model().metadata().window, rows)));
    assert!(!near(&answers[0], &answers[1]), "{answers:?}");
}

#[test]
fn a_streaming_network_run_as_a_window_gives_the_same_of_that_window() {
    // A window is the network's own, without a floor under the utterance.
    let about = Metadata {
        floor: None,
        ..support::metadata()
    };
    let streaming = Model::unverified(support::proto(), about).unwrap();
    let about = streaming.metadata();
    let (rows, classes) = (about.rows(), about.labels.len());
    let metadata = Metadata {
        network: NetworkKind::Windowed,
        stride: 1,
        width: 0,
        window: 200,
        self_test: undertone_model::SelfTest {
            frames: 200,
            ..about.self_test.clone()
        },
        ..about.clone()
    };
    let bytes = windowed::sealed(&mut support::proto(), metadata);
    let model = Model::from_bytes(&bytes).unwrap();
    let frames = frames(5, 200, rows);
    let [mut one, mut other] = [model.stream().unwrap(), streaming.stream().unwrap()];
    feed(&mut one, &frames, rows);
    feed(&mut other, &frames, rows);
    let (found, expected) = (logits(&mut one, classes), logits(&mut other, classes));
    assert!(near(&found.unwrap(), &expected.unwrap()));
}

#[test]
fn what_a_windowed_stream_is_given_is_checked_and_it_has_no_statistics() {
    let mut stream = model().stream().unwrap();
    let rows = model().metadata().rows();
    stream.push(&vec![0.0; rows - 1]).unwrap_err();
    stream.push(&vec![f32::NAN; rows]).unwrap_err();
    stream.push(&vec![1e9; rows]).unwrap_err();
    stream.logits(&mut [0.0; 2]).unwrap_err();
    feed(
        &mut stream,
        &vec![0.0; rows * model().metadata().window],
        rows,
    );
    assert!(stream.probabilities(&mut [0.0; 3]).unwrap());
    assert!(!stream.statistics(&mut []).unwrap());
    stream.statistics(&mut [0.0; 4]).unwrap_err();
}

/// The file with another graph and other metadata, sealed without looking.
fn changed(graph: impl FnOnce(&mut GraphProto), metadata: impl FnOnce(&mut Metadata)) -> Vec<u8> {
    let mut proto = Shape::small().graph();
    graph(proto.graph.as_mut().unwrap());
    let mut about = model().metadata().clone();
    metadata(&mut about);
    seal(&mut proto, &about).unwrap()
}

#[test]
fn metadata_that_no_windowed_network_has_cannot_be_written() {
    type Change = fn(&mut Metadata);
    let changes: [(&str, Change); 8] = [
        (
            "`shortest` is 4, which a streaming network does not have",
            |about| {
                (about.network, about.width) = (NetworkKind::Streaming, 4);
                about.shortest = Some(4);
            },
        ),
        ("`shortest` is 0, not 1 to 48", |about| {
            about.shortest = Some(0)
        }),
        ("`shortest` is 49, not 1 to 48", |about| {
            about.shortest = Some(49)
        }),
        ("`stride` is 2, not 1 to 1", |about| about.stride = 2),
        ("`width` is 8, not 0 to 0", |about| about.width = 8),
        ("`window` is 0, not 1 to 2000", |about| about.window = 0),
        ("`window` is 2001, not 1 to 2000", |about| {
            about.window = 2_001
        }),
        ("`self_test.frames` is 47, not 48 to 2000", |about| {
            about.self_test.frames = 47
        }),
    ];
    for (said, change) in changes {
        let mut about = model().metadata().clone();
        change(&mut about);
        refused::says(
            &seal(&mut Shape::small().graph(), &about).unwrap_err(),
            &[said],
        );
    }
}

#[test]
fn a_file_that_is_not_what_it_says_is_refused() {
    let bytes = changed(
        |_| {},
        |about| (about.network, about.width) = (NetworkKind::Streaming, 4),
    );
    refused!(
        bytes,
        Graph,
        "\"Transpose\", which is not run in a streaming network"
    );
    let bytes = changed(|_| {}, |about| about.self_test.logits[0] += 0.01);
    refused!(bytes, SelfTest, "training recorded");
    let bytes = changed(
        |_| {},
        |about| {
            about.labels.pop();
            about.self_test.logits.pop();
        },
    );
    refused!(bytes, Graph, "for 2 labels");
    let bytes = changed(|_| {}, |about| about.window -= 1);
    refused!(bytes, Inference, "cannot be run");
    let mut bytes = file().to_vec();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    refused!(bytes, Hash, "changed or damaged");
}

#[test]
fn operators_that_are_not_run_are_refused() {
    let softmax = |graph: &mut GraphProto| node(graph, "wide_relu").op_type = "Softmax".into();
    refused!(
        changed(softmax, |_| {}),
        Graph,
        "\"Softmax\", which is not run in a windowed network"
    );
    let wide = |graph: &mut GraphProto| attribute(node(graph, "pool"), "kernel_shape").ints[0] = 65;
    refused!(
        changed(wide, |_| {}),
        Graph,
        "\"kernel_shape\" of 65, not 1 to 64"
    );
    let padded =
        |graph: &mut GraphProto| attribute(node(graph, "pool"), "strides").name = "pads".into();
    refused!(
        changed(padded, |_| {}),
        Graph,
        "\"pads\", which `MaxPool` does not take here"
    );
}

#[test]
fn what_costs_too_much_for_the_time_between_two_answers_is_refused() {
    let often = changed(
        |_| {},
        |about| {
            about.update_hop = 1;
            about.frontend.hop_length = 1;
        },
    );
    refused!(
        often,
        TooCostly,
        "multiplications for an answer",
        "train a smaller network"
    );
}

#[test]
fn a_windowed_network_that_overflows_is_refused() {
    let bytes = changed(
        |graph| {
            for (bias, value) in [("narrow_bias", f32::MAX), ("logits_bias", f32::MAX)] {
                for bytes in tensor(graph, bias).raw_data.as_chunks_mut::<4>().0 {
                    *bytes = value.to_le_bytes();
                }
            }
        },
        |_| {},
    );
    refused!(bytes, NotFinite, "an answer's logits has");
}
