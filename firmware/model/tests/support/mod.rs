//! The shipped model, taken apart and put together again. Nothing here depends on its weights.

#![allow(dead_code)]

use prost::Message;
use undertone_model::onnx::attribute_proto::AttributeType;
use undertone_model::onnx::{AttributeProto, GraphProto, ModelProto};
use undertone_model::{Metadata, Model, ModelError, seal};

/// The shipped file.
pub(crate) const FILE: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../models/undertone-research.onnx"
));

/// The shipped model.
pub(crate) fn model() -> Model {
    Model::from_bytes(FILE).unwrap()
}

/// The shipped file, decoded.
pub(crate) fn proto() -> ModelProto {
    ModelProto::decode(FILE).unwrap()
}

/// What the shipped file says about itself.
pub(crate) fn metadata() -> Metadata {
    model().metadata().clone()
}

/// The file with a change to its graph and the hash that belongs to it.
pub(crate) fn resealed(change: impl FnOnce(&mut GraphProto)) -> Vec<u8> {
    let mut proto = proto();
    change(proto.graph.as_mut().unwrap());
    seal(&mut proto, &metadata()).unwrap()
}

/// An attribute of integers: one number, or a list, as its name wants it.
pub(crate) fn attribute(name: &str, values: &[i64]) -> AttributeProto {
    let list = !matches!(name, "axis" | "keepdims" | "group");
    AttributeProto {
        name: name.into(),
        r#type: if list {
            AttributeType::Ints
        } else {
            AttributeType::Int
        } as i32,
        i: if list { 0 } else { values[0] },
        ints: if list { values.to_vec() } else { vec![] },
        ..AttributeProto::default()
    }
}

/// Why bytes are refused.
pub(crate) fn refusal(bytes: &[u8]) -> ModelError {
    match Model::from_bytes(bytes) {
        Ok(_) => panic!("a file that should be refused is run"),
        Err(error) => error,
    }
}

/// Keeps panics of the inference library, which the crate catches, from filling the test's output.
pub(crate) fn silence_caught_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(std::panic::Location::file);
            if place.is_none_or(|file| file.starts_with("firmware")) {
                usual(panic);
            }
        }));
    });
}

/// A 64-bit linear congruential generator; the same sequence for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.next() as usize % limit
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// `low` to `high`.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * (self.next() as f32 / (1u64 << 31) as f32)
    }
}
