//! Thousands of damaged and rearranged files: each is refused or runs, and none panics or takes much memory or time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/measure.rs"]
mod measure;
mod support;
#[path = "support/windowed.rs"]
mod windowed;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use measure::peak_of;
use prost::Message;
use support::{FILE, Random, metadata, proto, silence_caught_panics};
use undertone_model::onnx::{AttributeProto, GraphProto, NodeProto, TensorProto};
use undertone_model::{Metadata, Model, ModelError, seal};

/// Most that one file may take while it is looked at: some forty times what the shipped one takes.
const MEMORY: usize = 160 << 20;
/// The same for time, with room for a slow or busy machine.
const TIME: Duration = Duration::from_secs(10);

/// What became of the files.
#[derive(Debug, Default)]
struct Tally {
    kinds: BTreeMap<&'static str, usize>,
    memory: usize,
    time: Duration,
}

impl Tally {
    /// Loads bytes and, if they are taken, runs a stream on them.
    fn load(&mut self, what: &dyn Fn() -> String, bytes: &[u8]) {
        silence_caught_panics();
        let start = Instant::now();
        let (result, peak) = peak_of(|| catch_unwind(AssertUnwindSafe(|| run(bytes))));
        let took = start.elapsed();
        let Ok(result) = result else {
            panic!("a panic escapes: {}", what());
        };
        assert!(peak <= MEMORY, "{peak} bytes: {}: {result:?}", what());
        assert!(took <= TIME, "{took:?}: {}: {result:?}", what());
        self.memory = self.memory.max(peak);
        self.time = self.time.max(took);
        *self.kinds.entry(kind(&result)).or_default() += 1;
    }

    fn of(&self, kind: &str) -> usize {
        self.kinds.get(kind).copied().unwrap_or(0)
    }

    fn report(&self, name: &str) {
        println!(
            "{name}: {:?}, at most {:.1} MiB and {:.0?}",
            self.kinds,
            self.memory as f64 / (1 << 20) as f64,
            self.time
        );
    }
}

fn run(bytes: &[u8]) -> Result<(), ModelError> {
    let model = Model::from_bytes(bytes)?;
    let mut stream = model.stream()?;
    let mut out = vec![f32::NAN; model.metadata().labels.len()];
    for index in 0..3 * model.metadata().stride {
        stream.push(&vec![-(index as f32); model.metadata().rows()])?;
    }
    if stream.probabilities(&mut out)? {
        assert!((out.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{out:?}");
    }
    Ok(())
}

fn kind(result: &Result<(), ModelError>) -> &'static str {
    let Err(error) = result else {
        return "run";
    };
    assert!(error.to_string().starts_with("model"), "{error}");
    match error {
        ModelError::Graph { .. } => "graph",
        ModelError::Hash { .. } => "hash",
        ModelError::Inference { .. } => "inference",
        ModelError::SelfTest { .. } => "self test",
        ModelError::NotOnnx { .. } => "not onnx",
        ModelError::TooCostly { .. } => "too costly",
        ModelError::NotFinite { .. } => "not finite",
        ModelError::Outline { .. } => "outline",
        ModelError::MissingMetadata { .. }
        | ModelError::BadMetadata { .. }
        | ModelError::Format { .. } => "metadata",
        _ => "other",
    }
}

/// Where the file is not raw weights: a change there is more than a change of a number.
fn structure() -> Vec<usize> {
    let mut inside = vec![true; FILE.len()];
    for tensor in &proto().graph.unwrap().initializer {
        let length = tensor.raw_data.len();
        if length >= 64 {
            let mut windows = FILE.windows(length);
            let at = windows.position(|window| window == tensor.raw_data);
            inside[at.unwrap()..][..length].fill(false);
        }
    }
    (0..FILE.len()).filter(|&index| inside[index]).collect()
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let mut tally = Tally::default();
    let structure = structure();
    let weights = (0..FILE.len()).step_by(FILE.len() / 300);
    let places = structure.iter().copied().step_by(7).chain(weights);
    for (index, place) in places.enumerate() {
        let mut bytes = FILE.to_vec();
        bytes[place] ^= 1 << (index % 8);
        tally.load(&|| format!("bit {} of byte {place}", index % 8), &bytes);
    }
    tally.report("bit flips");
    assert!(tally.of("hash") > 300, "{tally:?}");
    // What protobuf allows to be written in two ways, and nothing that means something.
    assert!(tally.of("run") < 10, "{tally:?}");
}

#[test]
fn a_truncated_file_is_refused_at_every_length() {
    let mut tally = Tally::default();
    let ends = structure().into_iter().step_by(5);
    for end in ends.chain((0..FILE.len()).step_by(FILE.len() / 100)) {
        tally.load(&|| format!("{end} bytes"), &FILE[..end]);
    }
    tally.report("truncations");
    assert_eq!(tally.of("run"), 0, "{tally:?}");
}

#[test]
fn rearranged_graphs_with_the_right_hash_are_refused_or_run() {
    let (proto, metadata) = (proto(), metadata());
    let mut tally = Tally::default();
    for seed in 0..600 {
        let mut random = Random(seed);
        let mut changed = proto.clone();
        let graph = changed.graph.as_mut().unwrap();
        let mut done = vec![];
        for _ in 0..=random.below(3) {
            done.push(rearrange(graph, &mut random));
        }
        let bytes = seal(&mut changed, &metadata).unwrap();
        tally.load(&|| format!("seed {seed}: {done:?}"), &bytes);
    }
    tally.report("rearranged graphs");
    for reached in ["graph", "inference", "self test"] {
        assert!(tally.of(reached) > 5, "{reached}: {tally:?}");
    }
}

#[test]
fn graphs_with_damaged_messages_and_the_right_hash_are_refused_or_run() {
    let (proto, metadata) = (proto(), metadata());
    let mut tally = Tally::default();
    for seed in 0..1_500 {
        let mut random = Random(seed);
        let mut changed = proto.clone();
        let graph = changed.graph.as_mut().unwrap();
        let done = if random.below(4) == 0 {
            let index = random.below(graph.initializer.len());
            let raw_data = std::mem::take(&mut graph.initializer[index].raw_data);
            let done = damage(&mut graph.initializer[index], &mut random);
            if graph.initializer[index].raw_data.is_empty() {
                graph.initializer[index].raw_data = raw_data;
            }
            done
        } else {
            let index = random.below(graph.node.len());
            damage(&mut graph.node[index], &mut random)
        };
        if let Some(done) = done {
            let bytes = seal(&mut changed, &metadata).unwrap();
            tally.load(&|| format!("seed {seed}: {done}"), &bytes);
        }
    }
    tally.report("damaged messages");
    assert!(tally.kinds.values().sum::<usize>() > 500, "{tally:?}");
    assert!(
        tally.of("inference") + tally.of("self test") > 5,
        "{tally:?}"
    );
}

#[test]
fn rearranged_windowed_networks_with_the_right_hash_are_refused_or_run() {
    let shape = windowed::Shape::small();
    let about = Model::from_bytes(&shape.file()).unwrap().metadata().clone();
    let mut tally = Tally::default();
    for seed in 0..400 {
        let mut random = Random(seed);
        let mut proto = shape.graph();
        let graph = proto.graph.as_mut().unwrap();
        let done: Vec<_> = (0..1 + random.below(3))
            .map(|_| rearrange(graph, &mut random))
            .collect();
        let bytes = seal(&mut proto, &about).unwrap();
        tally.load(&|| format!("seed {seed}: {done:?}"), &bytes);
    }
    tally.report("windowed networks");
    assert!(tally.of("graph") > 50, "{tally:?}");
    assert!(
        tally.of("inference") + tally.of("self test") > 5,
        "{tally:?}"
    );
}

#[test]
fn metadata_that_belongs_to_another_network_is_refused() {
    let (proto, metadata) = (proto(), metadata());
    let mut tally = Tally::default();
    for seed in 0..300 {
        let mut random = Random(seed);
        let mut other: Metadata = metadata.clone();
        let value = *random.pick(&[1, 2, 3, 5, 8, 16, 63, 64, 512, 2_000, 4_096]);
        match random.below(7) {
            0 => other.stride = value.min(64),
            1 => other.width = value,
            2 => other.window = (value + other.stride) / other.stride * other.stride,
            3 => other.self_test.frames = value.clamp(other.stride, 2_000),
            4 => other.frontend.mel_bands = value.clamp(other.frontend.mfcc_count, 512),
            5 => other.labels.push("other".into()),
            _ => other.features.push(other.features[0]),
        }
        let classes = other.labels.len();
        other.self_test.logits.resize(classes, 0.0);
        if let Ok(bytes) = seal(&mut proto.clone(), &other) {
            tally.load(&|| format!("seed {seed}: {other:?}"), &bytes);
        }
    }
    tally.report("metadata");
    assert!(tally.of("inference") + tally.of("graph") > 100, "{tally:?}");
}

/// Flips a bit of an encoded message; `None` if it cannot be decoded any more.
fn damage<M: Message + Default>(message: &mut M, random: &mut Random) -> Option<String> {
    let mut bytes = message.encode_to_vec();
    let place = random.below(bytes.len());
    let bit = random.below(8);
    bytes[place] ^= 1 << bit;
    *message = M::decode(bytes.as_slice()).ok()?;
    Some(format!("bit {bit} of byte {place}"))
}

/// Changes one thing in a graph, and says what.
fn rearrange(graph: &mut GraphProto, random: &mut Random) -> String {
    let nodes = graph.node.len();
    let at = random.below(nodes);
    let other = random.below(nodes);
    let name = graph.node[at].name.clone();
    match random.below(14) {
        0 => {
            graph.node.swap(at, other);
            format!("swap {name} and {other}")
        }
        1 => {
            bypass(graph, at);
            format!("bypass {name}")
        }
        2 => {
            let mut copy: NodeProto = graph.node[at].clone();
            copy.name = format!("copy_of_{name}_{}", random.next());
            copy.output = vec![copy.name.clone()];
            copy.input[0].clone_from(&name);
            read_instead(graph, at, &name, &copy.name);
            graph.node.insert(at + 1, copy);
            format!("repeat {name}")
        }
        3 => {
            let count = graph.node[at].attribute.len();
            if count > 0 {
                graph.node[at].attribute.remove(random.below(count));
            }
            format!("less attributes of {name}")
        }
        4 | 5 => {
            let node = random.below(nodes);
            let Some(attribute) = with_attributes(graph, node) else {
                return "nothing".into();
            };
            let value = *random.pick(&[0, 1, 2, 3, 4, 7, 16, 64, 1_000, 4_096, -1, i64::MAX]);
            match attribute.ints.len() {
                0 => attribute.i = value,
                count => attribute.ints[random.below(count)] = value,
            }
            format!("{} = {value}", attribute.name)
        }
        6 => {
            let Some(attribute) = with_attributes(graph, at) else {
                return "nothing".into();
            };
            match random.below(3) {
                0 => attribute.ints.push(1),
                1 => drop(attribute.ints.pop()),
                _ => attribute.ints.reverse(),
            }
            format!("{:?}", attribute.ints)
        }
        7 => {
            let source = graph.node[other.min(at)].name.clone();
            let count = graph.node[at].input.len();
            graph.node[at].input[random.below(count)].clone_from(&source);
            format!("{name} reads {source}")
        }
        8 => {
            let constant = graph.initializer[random.below(graph.initializer.len())]
                .name
                .clone();
            let count = graph.node[at].input.len();
            graph.node[at].input[random.below(count)].clone_from(&constant);
            format!("{name} reads {constant}")
        }
        9 => {
            graph.node[at].input.reverse();
            format!("inputs of {name} turned round")
        }
        10 => {
            let operator = graph.node[other].op_type.clone();
            let attribute = graph.node[other].attribute.clone();
            graph.node[at].attribute = attribute;
            format!(
                "{name} is {}",
                std::mem::replace(&mut graph.node[at].op_type, operator)
            )
        }
        11 => {
            let operators = [
                "Exp", "Tanh", "Relu", "Sqrt", "Flatten", "Identity", "Div", "Mul",
            ];
            graph.node[at].op_type = (*random.pick(&operators)).into();
            graph.node[at].attribute.clear();
            graph.node[at].input.truncate(2);
            format!("{name} is {}", graph.node[at].op_type)
        }
        12 => {
            let count = graph.initializer.len();
            let tensor = &mut graph.initializer[random.below(count)];
            reshape(tensor, random);
            format!("{} has the shape {:?}", tensor.name, tensor.dims)
        }
        _ => {
            let count = graph.initializer.len();
            let (a, b) = (random.below(count), random.below(count));
            let name = graph.initializer[a].name.clone();
            graph.initializer[a].name = graph.initializer[b].name.clone();
            graph.initializer[b].name = name;
            format!("tensors {a} and {b} swap names")
        }
    }
}

/// Removes a node; what read it reads its first input.
fn bypass(graph: &mut GraphProto, at: usize) {
    let node = graph.node.remove(at);
    if let Some(input) = node.input.first() {
        read_instead(graph, at, &node.name, input);
    }
}

fn read_instead(graph: &mut GraphProto, after: usize, old: &str, new: &str) {
    for node in &mut graph.node[after..] {
        for input in node.input.iter_mut().filter(|input| *input == old) {
            new.clone_into(input);
        }
    }
}

/// Some attribute of the first node from `at` on that has one.
fn with_attributes(graph: &mut GraphProto, at: usize) -> Option<&mut AttributeProto> {
    let node = graph.node[at..]
        .iter_mut()
        .find(|node| !node.attribute.is_empty())?;
    let count = node.attribute.len();
    node.attribute.get_mut(at % count)
}

/// Another shape for the same number of values.
fn reshape(tensor: &mut TensorProto, random: &mut Random) {
    match random.below(4) {
        0 => tensor.dims.reverse(),
        1 => tensor.dims.push(1),
        2 => tensor.dims.insert(0, 1),
        _ => tensor.dims = vec![tensor.dims.iter().product()],
    }
}
