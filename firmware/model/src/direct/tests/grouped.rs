//! Convolutions in groups, as a committee of networks has them.

use super::*;

fn floats(tensor: &TensorProto) -> Vec<f32> {
    let words = tensor.raw_data.as_chunks::<4>().0.iter();
    words.map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

fn group(groups: usize) -> AttributeProto {
    AttributeProto {
        name: "group".into(),
        r#type: attribute_proto::AttributeType::Int as i32,
        i: groups as i64,
        ..AttributeProto::default()
    }
}

/// Leaves of a convolution's weights those of the first input channels, for every group the same number.
fn split(proto: &mut ModelProto, node: &str, groups: usize) {
    let graph = proto.graph.as_mut().unwrap();
    let conv = graph.node.iter_mut().find(|one| one.name == node).unwrap();
    conv.attribute.retain(|attribute| attribute.name != "group");
    conv.attribute.push(group(groups));
    let weight = conv.input[1].clone();
    let stored = graph.initializer.iter_mut().find(|one| one.name == weight);
    let stored = stored.unwrap();
    let dims: Vec<usize> = stored.dims.iter().map(|&dim| dim as usize).collect();
    let kernel: usize = dims[2..].iter().product();
    let inputs = dims[1] / groups;
    let each = floats(stored);
    let kept: Vec<f32> = each
        .chunks_exact(dims[1] * kernel)
        .flat_map(|channel| channel[..inputs * kernel].to_vec())
        .collect();
    *stored = tensor(&weight, &[dims[0], inputs, dims[2], dims[3]], &kept);
}

/// Makes the head's hidden layer one of `groups` members.
fn members(proto: &mut ModelProto, width: usize, groups: usize) {
    let graph = proto.graph.as_mut().unwrap();
    let at = graph.node.iter().position(|node| node.name == "hidden");
    let at = at.unwrap();
    let hidden = graph.node.remove(at);
    let bias = graph.initializer.iter();
    let units = bias.clone().find(|one| one.name == hidden.input[2]);
    let units = units.unwrap().dims[0] as usize;
    let count = units * width / groups * 4;
    let weights: Vec<f32> = (0..count).map(|at| (at as f32).sin() / 20.0).collect();
    graph
        .initializer
        .retain(|tensor| tensor.name != hidden.input[1]);
    let dims = [units, width / groups, 4, 1];
    graph
        .initializer
        .push(tensor(&hidden.input[1], &dims, &weights));
    let shape = [1, 4, width as i64, 1].map(i64::to_le_bytes).concat();
    graph
        .initializer
        .push(constant("shape", DataType::Int64, &[4], shape));
    let node = |kind: &str, name: &str, inputs: &[&str], attribute| NodeProto {
        op_type: kind.into(),
        name: name.into(),
        input: inputs.iter().map(ToString::to_string).collect(),
        output: vec![name.into()],
        attribute,
        ..NodeProto::default()
    };
    let (weight, bias) = (&hidden.input[1], &hidden.input[2]);
    let kernel = vec![ints("kernel_shape", &[4, 1]), group(groups)];
    let nodes = [
        node("Reshape", "split", &["pooled", "shape"], vec![]),
        node(
            "Transpose",
            "turned",
            &["split"],
            vec![ints("perm", &[0, 2, 1, 3])],
        ),
        node("Conv", "parts", &["turned", weight, bias], kernel),
        node("Flatten", "hidden", &["parts"], vec![]),
    ];
    graph.node.splice(at..at, nodes);
}

/// The shipped network with some of its layers in groups.
fn grouped() -> (ModelProto, Metadata) {
    let (mut proto, metadata) = shipped();
    // Of rows, of one row, and with groups that are no multiple of a vector.
    split(&mut proto, "stage1_second", 2);
    split(&mut proto, "stage2_first", 8);
    split(&mut proto, "temporal0_conv", 4);
    // With a column of zeros, and as tall as its input.
    split(&mut proto, "stage1_shortcut", 2);
    split(&mut proto, "fold", 4);
    members(&mut proto, metadata.width, 4);
    graph::check(&proto, metadata.network).unwrap();
    (proto, metadata)
}

#[test]
fn groups_are_run_without_the_library_and_agree_with_it_at_every_level_of_the_machine() {
    let (proto, metadata) = grouped();
    let library = Network::library(&proto, &metadata).unwrap();
    for level in Level::all() {
        let at = |ends: &Ends<'_>| Direct::compile_for(level, &proto, ends).unwrap();
        let found = direct(
            network::with_encoder_ends(&metadata, at),
            network::with_head_ends(&metadata, at),
        );
        for (seed, count) in [(1, 8), (2, 63), (3, 64), (4, 333)] {
            let frames = frames(seed, count, metadata.rows());
            let expected = logits(&library, &metadata, &frames);
            for (found, expected) in logits(&found, &metadata, &frames).iter().zip(expected) {
                let off = (found - expected).abs() / expected.abs().max(1.0);
                assert!(off <= 1e-5, "{level:?}, {count} frames: {found} {expected}");
            }
        }
    }
}

#[test]
fn groups_that_do_not_divide_the_channels_are_left_to_the_library() {
    let (mut proto, metadata) = grouped();
    let nodes = &mut proto.graph.as_mut().unwrap().node;
    let conv = nodes.iter_mut().find(|node| node.name == "temporal0_conv");
    let attributes = &mut conv.unwrap().attribute;
    attributes.retain(|attribute| attribute.name != "group");
    attributes.push(group(3));
    let at = |ends: &Ends<'_>| Direct::compile_for(Level::best(), &proto, ends);
    assert!(network::with_encoder_ends(&metadata, at).is_none());
    assert!(Model::unverified(proto, metadata.clone()).is_err());
}

/// Gives a convolution over time one channel for each group, and a kernel of `length` columns.
fn lengthen(proto: &mut ModelProto, node: &str, length: usize) {
    let graph = proto.graph.as_mut().unwrap();
    let conv = graph.node.iter_mut().find(|one| one.name == node).unwrap();
    let weight = conv.input[1].clone();
    let stored = graph.initializer.iter_mut().find(|one| one.name == weight);
    let stored = stored.unwrap();
    let channels = stored.dims[0] as usize;
    *stored = tensor(
        &weight,
        &[channels, 1, 1, length],
        &vec![0.01; channels * length],
    );
    conv.attribute = vec![
        group(channels),
        ints("kernel_shape", &[1, length as i64]),
        ints("pads", &[0, length as i64 - 1, 0, 0]),
    ];
}

#[test]
fn groups_that_would_take_far_more_memory_than_their_file_are_left_to_the_library() {
    for (length, runs) in [(1_000, true), (7_000, false)] {
        let (mut proto, metadata) = shipped();
        lengthen(&mut proto, "temporal0_conv", length);
        let at = |ends: &Ends<'_>| Direct::compile_for(Level::best(), &proto, ends);
        let found = network::with_encoder_ends(&metadata, at);
        assert_eq!(found.is_some(), runs, "{length}");
    }
}

#[test]
fn a_head_that_would_look_back_at_earlier_answers_is_left_to_the_library() {
    let (mut proto, metadata) = grouped();
    let at = |ends: &Ends<'_>, proto: &ModelProto| {
        Direct::compile_for(Level::best(), proto, ends).is_some()
    };
    assert!(network::with_head_ends(&metadata, |ends| at(ends, &proto)));
    let graph = proto.graph.as_mut().unwrap();
    let parts = graph.node.iter_mut().find(|node| node.name == "parts");
    let parts = parts.unwrap();
    let groups = parts.attribute.iter().find(|one| one.name == "group");
    let groups = groups.unwrap().clone();
    parts.attribute = vec![
        groups,
        ints("kernel_shape", &[4, 3]),
        ints("pads", &[0, 2, 0, 0]),
    ];
    let weight = parts.input[1].clone();
    let stored = graph.initializer.iter_mut().find(|one| one.name == weight);
    let stored = stored.unwrap();
    let dims = [stored.dims[0] as usize, stored.dims[1] as usize, 4, 3];
    *stored = tensor(&weight, &dims, &vec![0.01; dims.iter().product()]);
    assert!(!network::with_head_ends(&metadata, |ends| at(ends, &proto)));
}

#[test]
fn other_changes_of_shape_are_left_to_the_library() {
    let changes: [fn(&mut ModelProto); 3] = [
        |proto| attribute(proto, "turned", ints("perm", &[0, 1, 2, 3])),
        |proto| {
            let shape = [1, 2, 320, 1].map(i64::to_le_bytes).concat();
            let shape = constant("shape", DataType::Int64, &[4], shape);
            let tensors = &mut proto.graph.as_mut().unwrap().initializer;
            tensors.retain(|tensor| tensor.name != "shape");
            tensors.push(shape);
        },
        |proto| {
            let nodes = &mut proto.graph.as_mut().unwrap().node;
            let turned = nodes.iter_mut().find(|node| node.name == "turned");
            turned.unwrap().op_type = "Identity".into();
        },
    ];
    for change in changes {
        let (mut proto, metadata) = grouped();
        change(&mut proto);
        let at = |ends: &Ends<'_>| Direct::compile_for(Level::best(), &proto, ends);
        assert!(network::with_head_ends(&metadata, at).is_none());
    }
}

fn attribute(proto: &mut ModelProto, node: &str, attribute: AttributeProto) {
    let nodes = &mut proto.graph.as_mut().unwrap().node;
    let node = nodes.iter_mut().find(|one| one.name == node).unwrap();
    node.attribute = vec![attribute];
}
