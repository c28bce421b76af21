//! A stream fed frame by frame answers like the whole graph run at once on the whole utterance.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::OnceLock;

use proptest::prelude::*;
use support::Random;
use tract_onnx::prelude::*;
use undertone_model::{FRAME_LIMIT, Model, ModelError, Stream};

/// Largest difference of a logit, relative above 1. What a convolution keeps is copied and not rounded; the sums of
/// pooling are `f64` in a stream and `f32` in the graph, and the order of summation in a matrix product depends on the
/// number of columns.
const TOLERANCE: f32 = 1e-5;

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(support::model)
}

/// Frames of log-mel-like values: a level for each frame and something around it, from silence to clipping.
fn frames(seed: u64, count: usize) -> Vec<f32> {
    let rows = model().metadata().rows();
    let mut random = Random(seed);
    (0..count)
        .flat_map(|_| {
            let level = random.between(-100.0, 20.0);
            (0..rows)
                .map(|_| level + random.between(-20.0, 20.0))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn feed(stream: &mut Stream, frames: &[f32]) {
    for frame in frames.chunks_exact(model().metadata().rows()) {
        stream.push(frame).unwrap();
    }
}

fn logits(stream: &mut Stream) -> Option<Vec<f32>> {
    let mut out = vec![f32::NAN; model().metadata().labels.len()];
    stream.logits(&mut out).unwrap().then_some(out)
}

fn streamed(frames: &[f32]) -> Option<Vec<f32>> {
    let mut stream = model().stream().unwrap();
    feed(&mut stream, frames);
    logits(&mut stream)
}

/// The same bytes, run by the library alone with the number of frames made concrete, over the file's floor.
fn whole(frames: &[f32]) -> Vec<f32> {
    let rows = model().metadata().rows();
    let count = frames.len() / rows;
    let mut frames = frames.to_vec();
    if let Some(floor) = model().metadata().floor {
        floor.raise_all(&mut frames, rows);
    }
    let input = tract_ndarray::Array3::from_shape_fn((1, rows, count), |(_, row, frame)| {
        frames[frame * rows + row]
    });
    let output = tract_onnx::onnx()
        .model_for_read(&mut std::io::Cursor::new(support::FILE))
        .unwrap()
        .with_input_fact(0, f32::fact([1, rows, count]).into())
        .unwrap()
        .into_optimized()
        .unwrap()
        .into_runnable()
        .unwrap()
        .run(tvec!(Tensor::from(input).into()))
        .unwrap();
    let plain = output[0].try_as_plain_ram().unwrap();
    plain.as_slice::<f32>().unwrap().to_vec()
}

fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
        .fold(0.0, |most, one| {
            if one > most || one.is_nan() {
                one
            } else {
                most
            }
        })
}

/// Fewest frames that have an answer.
fn stride() -> usize {
    model().metadata().stride
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_gives_the_logits_of_the_whole_graph(seed: u64, count in stride()..=600) {
        let metadata = model().metadata();
        let count = count.clamp(metadata.stride, metadata.window);
        let frames = frames(seed, count);
        let found = streamed(&frames).unwrap();
        let off = difference(&found, &whole(&frames));
        prop_assert!(off <= TOLERANCE, "{count} frames: {off}");
    }

    #[test]
    fn a_reset_stream_is_a_fresh_one(seed: u64, before in 1usize..120, count in stride()..120) {
        let mut stream = model().stream().unwrap();
        feed(&mut stream, &frames(seed, before));
        stream.reset().unwrap();
        prop_assert_eq!(logits(&mut stream), None);
        let frames = frames(!seed, count);
        feed(&mut stream, &frames);
        prop_assert_eq!(logits(&mut stream), streamed(&frames));
    }

    #[test]
    fn asking_on_the_way_changes_nothing(seed: u64, count in stride()..120) {
        let frames = frames(seed, count);
        let mut stream = model().stream().unwrap();
        for frame in frames.chunks_exact(model().metadata().rows()) {
            stream.push(frame).unwrap();
            let _ = logits(&mut stream);
        }
        prop_assert_eq!(logits(&mut stream), streamed(&frames));
    }

    #[test]
    fn any_batches_any_questions_and_resets_at_gaps_give_the_answer_of_each_whole_utterance(
        seed: u64,
        utterances in prop::collection::vec((stride()..300, prop::collection::vec(1usize..90, 1..6)), 1..4),
    ) {
        let rows = model().metadata().rows();
        let mut stream = model().stream().unwrap();
        for (number, (count, portions)) in utterances.iter().enumerate() {
            let frames = frames(seed.wrapping_add(number as u64), *count);
            let mut rest = &frames[..];
            for portion in portions.iter().cycle() {
                let (now, later) = rest.split_at(rest.len().min(portion * rows));
                feed(&mut stream, now);
                // A question makes an end of the batch.
                let _ = logits(&mut stream);
                rest = later;
                if rest.is_empty() {
                    break;
                }
            }
            let off = difference(&logits(&mut stream).unwrap(), &whole(&frames));
            prop_assert!(off <= TOLERANCE, "{count} frames: {off}");
            stream.reset().unwrap();
        }
    }

    #[test]
    fn streams_of_one_model_do_not_influence_each_other(seed: u64, count in stride()..120) {
        let voices = [frames(seed, count), frames(!seed, count)];
        let mut streams = [model().stream().unwrap(), model().stream().unwrap()];
        let rows = model().metadata().rows();
        for at in (0..count * rows).step_by(rows) {
            for (stream, frames) in streams.iter_mut().zip(&voices) {
                stream.push(&frames[at..at + rows]).unwrap();
            }
        }
        for (stream, frames) in streams.iter_mut().zip(&voices) {
            prop_assert_eq!(logits(stream), streamed(frames));
        }
    }

    #[test]
    fn probabilities_are_a_distribution(seed: u64, count in stride()..120, scale in 0.0f32..1e4) {
        let mut stream = model().stream().unwrap();
        let frames: Vec<f32> = frames(seed, count).iter().map(|value| value * scale).collect();
        feed(&mut stream, &frames);
        let mut out = vec![f32::NAN; model().metadata().labels.len()];
        prop_assert!(stream.probabilities(&mut out).unwrap());
        prop_assert!(out.iter().all(|share| (0.0..=1.0).contains(share)), "{:?}", out);
        prop_assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{:?}", out);
    }
}

#[test]
fn statistics_are_of_every_whole_stride_whether_an_answer_was_asked_for_or_not() {
    let (rows, stride) = (model().metadata().rows(), model().metadata().stride);
    let length = 4 * model().metadata().width;
    for count in [1, stride - 1, stride, 3 * stride + 1, 23 * stride, 150] {
        let frames = frames(count as u64, count);
        let mut statistics = [vec![0.0; length], vec![0.0; length]];
        let [unasked, asked] = &mut statistics;
        let mut stream = model().stream().unwrap();
        feed(&mut stream, &frames[..count * rows]);
        let found = stream.statistics(unasked).unwrap();
        assert_eq!(found, count >= stride, "{count}");
        let mut stream = model().stream().unwrap();
        for frame in frames.chunks_exact(rows) {
            stream.push(frame).unwrap();
            logits(&mut stream);
        }
        assert_eq!(stream.statistics(asked).unwrap(), found);
        for (unasked, asked) in unasked.iter().zip(asked.iter()) {
            assert!(
                (unasked - asked).abs() <= TOLERANCE * asked.abs().max(1.0),
                "{count}"
            );
        }
    }
}

#[test]
fn there_is_no_answer_before_the_first_stride_and_one_from_then_on() {
    let stride = stride();
    let rows = model().metadata().rows();
    let mut out = vec![7.0; model().metadata().labels.len()];
    let mut stream = model().stream().unwrap();
    for (index, frame) in frames(3, 3 * stride).chunks_exact(rows).enumerate() {
        assert_eq!(stream.probabilities(&mut out).unwrap(), index >= stride);
        assert_eq!(out[0] == 7.0, index < stride, "nothing is written before");
        stream.push(frame).unwrap();
    }
}

#[test]
fn an_utterance_longer_than_the_window_is_judged_by_its_end() {
    let metadata = model().metadata();
    let (window, rows) = (metadata.window, metadata.rows());
    let tail = frames(5, 3 * window);
    // A window is forgotten in eight parts: both utterances end at the same place of a part.
    let parts = (window / metadata.stride).div_ceil(8) * 8;
    // What convolutions look back at and the granularity of forgetting fit into the second window.
    let mut long = frames(6, parts * metadata.stride);
    long.extend(&tail);
    assert!(difference(&streamed(&long).unwrap(), &streamed(&tail).unwrap()) <= TOLERANCE);
    assert_eq!(tail.len(), 3 * window * rows);
}

#[test]
fn a_model_is_shared_by_threads_that_all_get_the_same_answers() {
    fn shared<T: Send + Sync + 'static>() {}
    fn moved<T: Send>() {}
    shared::<Model>();
    moved::<Stream>();
    let inputs: Vec<Vec<f32>> = (0..4).map(|seed| frames(seed, 90)).collect();
    let expected: Vec<_> = inputs.iter().map(|frames| streamed(frames)).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| inputs.iter().map(|one| streamed(one)).collect::<Vec<_>>()))
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), expected);
        }
    });
}

#[test]
fn a_frame_or_buffer_of_the_wrong_length_is_refused_with_both_lengths() {
    let rows = model().metadata().rows();
    let classes = model().metadata().labels.len();
    let mut stream = model().stream().unwrap();
    for found in [0, rows - 1, rows + 1] {
        let message = stream.push(&vec![0.0; found]).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("model: a feature frame has {found} values, {rows} are needed")
        );
    }
    for found in [0, classes - 1, classes + 1] {
        let error = stream.probabilities(&mut vec![0.0; found]).unwrap_err();
        assert!(
            matches!(error, ModelError::Length { found: f, expected, .. } if f == found && expected == classes)
        );
    }
}

#[test]
fn a_frame_that_no_voice_has_is_refused_and_leaves_the_stream_as_it_was() {
    let rows = model().metadata().rows();
    let frames = frames(9, 41);
    let beyond = FRAME_LIMIT * 1.001;
    for bad in [f32::NAN, f32::INFINITY, f32::MIN, beyond, -beyond] {
        for row in [0, rows / 2, rows - 1] {
            let mut stream = model().stream().unwrap();
            for (index, frame) in frames.chunks_exact(rows).enumerate() {
                if index % 7 == 2 {
                    let mut broken = frame.to_vec();
                    broken[row] = bad;
                    match stream.push(&broken) {
                        Err(ModelError::Frame {
                            row: found, value, ..
                        }) => {
                            assert_eq!((found, value.to_bits()), (row, bad.to_bits()));
                        }
                        other => panic!("{other:?}"),
                    }
                }
                stream.push(frame).unwrap();
            }
            assert_eq!(logits(&mut stream), streamed(&frames));
        }
    }
    let mut stream = model().stream().unwrap();
    assert_eq!(
        stream.push(&vec![f32::NAN; rows]).unwrap_err().to_string(),
        "model: a feature frame has NaN at row 0, not a number within ±1e7: check what feeds the stream"
    );
}

#[test]
fn the_largest_values_that_are_taken_give_a_distribution() {
    let rows = model().metadata().rows();
    let mut out = vec![0.0; model().metadata().labels.len()];
    let mut stream = model().stream().unwrap();
    for index in 0..40 {
        let sign = if index % 3 == 0 { -1.0 } else { 1.0 };
        stream.push(&vec![sign * FRAME_LIMIT; rows]).unwrap();
        if stream.probabilities(&mut out).unwrap() {
            assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{out:?}");
        }
    }
}
