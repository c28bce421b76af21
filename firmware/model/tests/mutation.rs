//! Thousands of damaged and rearranged files: each is refused or runs, and none panics or takes much memory or time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/measure.rs"]
mod measure;
#[path = "support/rearrange.rs"]
mod rearrange;
mod support;
#[path = "support/windowed.rs"]
mod windowed;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use measure::peak_of;
use prost::Message;
use rearrange::{into_groups, rearrange};
use support::{FILE, Random, metadata, proto, silence_caught_panics};
use undertone_model::onnx::{GraphProto, ModelProto};
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

/// What becomes of a file whose graph is changed anew for every seed, and sealed with the hash that belongs to it.
fn changed(
    name: &str,
    (proto, about): (&ModelProto, &Metadata),
    seeds: u64,
    change: impl Fn(&mut GraphProto, &mut Random) -> Vec<String>,
) -> Tally {
    let mut tally = Tally::default();
    for seed in 0..seeds {
        let mut changed = proto.clone();
        let done = change(changed.graph.as_mut().unwrap(), &mut Random(seed));
        let bytes = seal(&mut changed, about).unwrap();
        tally.load(&|| format!("seed {seed}: {done:?}"), &bytes);
    }
    tally.report(name);
    tally
}

/// Several changes, one after the other.
fn rearranged(graph: &mut GraphProto, random: &mut Random) -> Vec<String> {
    (0..=random.below(3))
        .map(|_| rearrange(graph, random))
        .collect()
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
    let of = (&proto(), &metadata());
    let tally = changed("rearranged graphs", of, 600, rearranged);
    for reached in ["graph", "inference", "self test"] {
        assert!(tally.of(reached) > 5, "{reached}: {tally:?}");
    }
}

#[test]
fn layers_in_groups_are_refused_or_run() {
    let of = (&proto(), &metadata());
    let tally = changed("layers in groups", of, 200, |graph, random| {
        let mut done: Vec<_> = (0..=random.below(3))
            .map(|_| into_groups(graph, random))
            .collect();
        if random.below(3) == 0 {
            done.push(rearrange(graph, random));
        }
        done
    });
    // Other answers than those that the file vouches for: such a network was prepared and run.
    assert!(tally.of("self test") > 50, "{tally:?}");
    assert!(tally.of("graph") + tally.of("inference") > 5, "{tally:?}");
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
    let of = (&shape.graph(), &about);
    let tally = changed("windowed networks", of, 400, rearranged);
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
