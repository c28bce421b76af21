use proptest::prelude::*;
use prost::Message;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, attribute_proto};

use super::lanes::Level;
use super::{BATCH, Direct, Ends, Layer};
use crate::incremental::Incremental;
use crate::metadata::Metadata;
use crate::model::{Model, Runner};
use crate::network::{self, Half, Network};
use crate::tensors::float_tensor;
use crate::{dequantise, graph, pooling};

const FILE: &[u8] = include_bytes!("../../../../models/undertone-research.onnx");

fn shipped() -> (ModelProto, Metadata) {
    let mut proto = ModelProto::decode(FILE).unwrap();
    let metadata = Metadata::of(&proto).unwrap();
    graph::check(&proto, metadata.network).unwrap();
    dequantise::fold(&mut proto).unwrap();
    (proto, metadata)
}

fn frames(seed: u64, count: usize, rows: usize) -> Vec<f32> {
    let mut state = seed | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..count * rows).map(|_| 110.0 * next() - 100.0).collect()
}

fn logits(network: &Network, metadata: &Metadata, frames: &[f32]) -> Vec<f32> {
    let mut stream = Incremental::new(network.clone(), metadata).unwrap();
    for frame in frames.chunks_exact(metadata.rows()) {
        stream.push(frame).unwrap();
    }
    let mut out = vec![0.0; metadata.labels.len()];
    assert!(stream.logits(&mut out).unwrap());
    out
}

fn direct(encoder: Direct, head: Direct) -> Network {
    Network {
        encoder: Half::Direct(encoder.into()),
        head: Half::Direct(head.into()),
    }
}

#[test]
fn the_shipped_network_is_run_without_the_library_and_agrees_with_it_at_every_level_of_the_machine()
{
    let (proto, metadata) = shipped();
    let library = Network::library(&proto, &metadata).unwrap();
    for level in Level::all() {
        let at = |ends: &Ends<'_>| Direct::compile_for(level, &proto, ends).unwrap();
        let found = direct(
            network::with_encoder_ends(&metadata, at),
            network::with_head_ends(&metadata, at),
        );
        for (seed, count) in [(1, 8), (2, 63), (3, 64), (4, 65), (5, 333), (6, 800)] {
            let frames = frames(seed, count, metadata.rows());
            let expected = logits(&library, &metadata, &frames);
            for (found, expected) in logits(&found, &metadata, &frames).iter().zip(expected) {
                let off = (found - expected).abs() / expected.abs().max(1.0);
                assert!(off <= 1e-5, "{level:?}, {count} frames: {found} {expected}");
            }
        }
    }
    assert!(Level::all().any(|level| level == Level::Plain));
}

fn ints(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.into(),
        r#type: attribute_proto::AttributeType::Ints as i32,
        ints: ints.to_vec(),
        ..AttributeProto::default()
    }
}

/// Puts a filter over `taps` frames, the same for all rows, between the normalised plane and the stem.
fn filtered(proto: &mut ModelProto, taps: usize) {
    let graph = proto.graph.as_mut().unwrap();
    let weights: Vec<f32> = (0..taps).map(|tap| (tap as f32).sin() / 9.0).collect();
    graph
        .initializer
        .push(float_tensor("filter_weight", &[1, 1, 1, taps], &weights));
    graph
        .initializer
        .push(float_tensor("filter_bias", &[1], &[0.125]));
    let at = graph
        .node
        .iter()
        .position(|node| node.op_type == "Unsqueeze")
        .unwrap();
    let plane = graph.node[at].output[0].clone();
    for input in graph.node.iter_mut().flat_map(|node| &mut node.input) {
        if *input == plane {
            *input = "filter".into();
        }
    }
    let node = NodeProto {
        op_type: "Conv".into(),
        name: "filter".into(),
        input: [plane.as_str(), "filter_weight", "filter_bias"]
            .map(String::from)
            .to_vec(),
        output: vec!["filter".into()],
        attribute: vec![
            ints("kernel_shape", &[1, taps as i64]),
            ints("pads", &[0, taps as i64 - 1, 0, 0]),
            ints("strides", &[1, 1]),
            ints("dilations", &[1, 1]),
        ],
        ..NodeProto::default()
    };
    graph.node.insert(at + 1, node);
}

#[test]
fn a_filter_over_time_agrees_with_the_library_at_every_level_and_in_any_portions() {
    let (mut proto, metadata) = shipped();
    filtered(&mut proto, 37);
    let library = Network::library(&proto, &metadata).unwrap();
    for level in Level::all() {
        let at = |ends: &Ends<'_>| Direct::compile_for(level, &proto, ends).unwrap();
        let encoder = network::with_encoder_ends(&metadata, at);
        assert!(
            encoder
                .layers
                .iter()
                .any(|layer| matches!(layer, Layer::Filter(_)))
        );
        let found = direct(encoder, network::with_head_ends(&metadata, at));
        for (seed, count) in [(1, 8), (2, 63), (3, 400)] {
            let frames = frames(seed, count, metadata.rows());
            let expected = logits(&library, &metadata, &frames);
            for (found, expected) in logits(&found, &metadata, &frames).iter().zip(expected) {
                let off = (found - expected).abs() / expected.abs().max(1.0);
                assert!(off <= 1e-4, "{level:?}, {count} frames: {found} {expected}");
            }
        }
        let encoder = network::with_encoder_ends(&metadata, at);
        let column = metadata.rows() * metadata.stride;
        let columns = frames(5, 40 * metadata.stride, metadata.rows());
        let run = |portion: usize| {
            let (mut history, mut found) = (encoder.history(), Vec::new());
            for part in columns.chunks(portion * column) {
                let taken = encoder.run(&mut history, part, part.len() / column, |outputs| {
                    found.push(outputs.concat());
                    Ok::<(), ()>(())
                });
                taken.unwrap();
            }
            found
        };
        assert_eq!(run(1), run(7), "{level:?}");
    }
}

#[test]
fn what_is_not_plain_convolutions_is_left_to_the_library_and_still_streamed() {
    let (mut proto, metadata) = shipped();
    let nodes = &mut proto.graph.as_mut().unwrap().node;
    let relu = nodes
        .iter_mut()
        .find(|node| node.name == "fold_relu")
        .unwrap();
    relu.op_type = "Exp".into();
    let model = Model::unverified(proto, metadata.clone()).unwrap();
    let Runner::Streaming(network) = model.network() else {
        panic!("a streaming network is run as a window");
    };
    assert!(matches!(network.encoder, Half::Library(_)));
    assert!(matches!(network.head, Half::Direct(_)));
}

#[test]
fn a_kernel_that_would_take_far_more_memory_than_its_file_is_left_to_the_library() {
    for (length, runs) in [(1_000, true), (7_000, false)] {
        let (mut proto, metadata) = shipped();
        let graph = proto.graph.as_mut().unwrap();
        let conv = graph.node.iter_mut().find(|one| one.name == "attention");
        let conv = conv.unwrap();
        let mut stored = graph.initializer.iter_mut();
        let stored = stored.find(|one| one.name == conv.input[1]).unwrap();
        // One output, that fills a vector.
        let channels = metadata.width;
        let weights = vec![0.01; channels * length];
        *stored = float_tensor(&conv.input[1], &[1, channels, 1, length], &weights);
        conv.attribute = vec![
            ints("kernel_shape", &[1, length as i64]),
            ints("pads", &[0, length as i64 - 1, 0, 0]),
        ];
        let at = |ends: &Ends<'_>| Direct::compile_for(Level::best(), &proto, ends);
        let found = network::with_encoder_ends(&metadata, at);
        assert_eq!(found.is_some(), runs, "{length}");
    }
}

#[test]
fn convolutions_in_groups_are_left_to_the_library() {
    let (mut proto, metadata) = shipped();
    let graph = proto.graph.as_mut().unwrap();
    let conv = graph
        .node
        .iter_mut()
        .find(|one| one.name == "temporal0_conv");
    let conv = conv.unwrap();
    let mut stored = graph.initializer.iter_mut();
    let stored = stored.find(|one| one.name == conv.input[1]).unwrap();
    let dims: Vec<usize> = stored.dims.iter().map(|&dim| dim as usize).collect();
    let half = [dims[0], dims[1] / 2, dims[2], dims[3]];
    let weights = vec![0.01; half.iter().product()];
    *stored = float_tensor(&conv.input[1], &half, &weights);
    conv.attribute.push(AttributeProto {
        name: "group".into(),
        r#type: attribute_proto::AttributeType::Int as i32,
        i: 2,
        ..AttributeProto::default()
    });
    let model = Model::unverified(proto, metadata).unwrap();
    let Runner::Streaming(network) = model.network() else {
        panic!("a streaming network is run as a window");
    };
    assert!(matches!(network.encoder, Half::Library(_)));
}

#[test]
fn the_pooling_of_the_shipped_network_is_understood_and_another_one_is_not() {
    let (mut proto, metadata) = shipped();
    assert_eq!(pooling::understood(&proto, &metadata), Some(16));
    // Of any width: that is for the halves to see, whose weights are for so many channels.
    let mut other = metadata.clone();
    other.width /= 2;
    let at = |ends: &Ends<'_>| Direct::compile_for(Level::best(), &proto, ends);
    assert!(network::with_encoder_ends(&other, at).is_none());
    assert!(network::with_head_ends(&other, at).is_none());
    let nodes = &mut proto.graph.as_mut().unwrap().node;
    let maximum = nodes.iter_mut().find(|node| node.name == "pool_maximum");
    maximum.unwrap().op_type = "ReduceMean".into();
    assert_eq!(pooling::understood(&proto, &metadata), None);
}

#[test]
fn a_portion_of_the_wrong_length_changes_nothing() {
    let (proto, metadata) = shipped();
    let at = |ends: &Ends<'_>| Direct::compile_for(Level::best(), &proto, ends).unwrap();
    let encoder = network::with_encoder_ends(&metadata, at);
    let mut history = encoder.history();
    let column = metadata.rows() * metadata.stride;
    let columns = frames(3, (BATCH + 1) * metadata.stride, metadata.rows());
    for (length, steps) in [(column, 0), (column - 1, 1), (columns.len(), BATCH + 1)] {
        let called = encoder.run(&mut history, &columns[..length], steps, |_| Err(()));
        assert_eq!(called, Ok(()));
    }
    let called = encoder.run(&mut history, &columns[..column], 1, |_| Err(()));
    assert_eq!(called, Err(()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn portions_change_no_bit_of_any_step(
        seed: u64,
        portions in prop::collection::vec(1usize..=BATCH, 1..12),
    ) {
        let (proto, metadata) = shipped();
        let at = |ends: &Ends<'_>| Direct::compile_for(Level::best(), &proto, ends).unwrap();
        let encoder = network::with_encoder_ends(&metadata, at);
        let column = metadata.rows() * metadata.stride;
        let total: usize = portions.iter().sum();
        let columns = frames(seed, total * metadata.stride, metadata.rows());
        let run = |portions: &mut dyn Iterator<Item = usize>| {
            let (mut history, mut found, mut at) = (encoder.history(), Vec::new(), 0);
            for steps in portions {
                let part = &columns[at * column..(at + steps) * column];
                let taken = encoder.run(&mut history, part, steps, |outputs| {
                    found.push(outputs.concat());
                    Ok::<(), ()>(())
                });
                taken.unwrap();
                at += steps;
            }
            found
        };
        let by_portions = run(&mut portions.iter().copied());
        let one_by_one = run(&mut std::iter::repeat_n(1, total));
        prop_assert_eq!(by_portions, one_by_one);
    }
}
