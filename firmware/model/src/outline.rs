//! The size of what a decoder would build, measured before it is built.
//!
//! Weights take as much memory as file. Everything else takes more: an empty node is two bytes of file and some two
//! hundred of memory. So whatever is not a weight may only be a small part of the file.

use crate::error::ModelError;

/// Most bytes outside the weights. The shipped model has some 7 KiB.
pub(crate) const MAX_BYTES: usize = 256 << 10;

/// Where the weights are: `ModelProto.graph`, `GraphProto.initializer`, `TensorProto.raw_data`.
const PATH: [u64; 3] = [7, 5, 9];

/// Refuses bytes of which more than [`MAX_BYTES`] are not weights, and such as end within a field.
pub(crate) fn check(bytes: &[u8]) -> Result<(), ModelError> {
    let weights = weights(bytes, &PATH).ok_or_else(|| ModelError::NotOnnx {
        reason: format!("it ends or breaks off within its {} bytes", bytes.len()),
    })?;
    let outside = bytes.len() - weights;
    if outside > MAX_BYTES {
        return Err(ModelError::Outline {
            bytes: outside,
            limit: MAX_BYTES,
        });
    }
    Ok(())
}

/// Bytes of the fields at `path`; `None` if a message on the way is broken.
fn weights(mut message: &[u8], path: &[u64]) -> Option<usize> {
    let Some((&wanted, inner)) = path.split_first() else {
        return Some(message.len());
    };
    let mut sum = 0;
    while !message.is_empty() {
        let field = field(message)?;
        if let (true, Some(body)) = (field.number == wanted, field.body) {
            sum += weights(body, inner)?;
        }
        message = field.rest;
    }
    Some(sum)
}

/// The first field of a message.
struct Field<'a> {
    number: u64,
    /// The content of a field that states its length.
    body: Option<&'a [u8]>,
    /// What follows the field.
    rest: &'a [u8],
}

/// `None` where the encoding is broken or uses groups, which ONNX never had.
fn field(message: &[u8]) -> Option<Field<'_>> {
    let (tag, rest) = varint(message)?;
    let (body, rest) = match tag & 7 {
        0 => (None, varint(rest)?.1),
        1 => (None, rest.get(8..)?),
        2 => {
            let (length, rest) = varint(rest)?;
            let (body, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
            (Some(body), rest)
        }
        5 => (None, rest.get(4..)?),
        _ => return None,
    };
    Some(Field {
        number: tag >> 3,
        body,
        rest,
    })
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

    use super::*;

    fn model(weights: usize, nodes: usize) -> Vec<u8> {
        let tensor = |raw_data| TensorProto {
            raw_data,
            ..TensorProto::default()
        };
        ModelProto {
            producer_name: "someone".into(),
            graph: Some(GraphProto {
                node: vec![NodeProto::default(); nodes],
                initializer: vec![tensor(vec![7; weights]), tensor(vec![])],
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        }
        .encode_to_vec()
    }

    #[test]
    fn weights_may_be_large_and_everything_else_may_not() {
        assert!(check(&model(1 << 20, 100)).is_ok());
        assert!(check(&model(1 << 20, MAX_BYTES / 2)).is_err());
    }

    #[test]
    fn exactly_the_weights_are_counted() {
        let bytes = model(12_345, 20);
        assert_eq!(weights(&bytes, &PATH), Some(12_345));
        assert_eq!(weights(&[], &PATH), Some(0));
    }

    #[test]
    fn a_message_that_breaks_off_is_broken() {
        let bytes = model(300, 3);
        // The producer comes first: there the message could end.
        for end in (1..bytes.len()).filter(|end| *end != "someone".len() + 2) {
            assert_eq!(weights(&bytes[..end], &PATH), None, "{end}");
        }
        for broken in [
            &[0xff; 32][..],
            &[
                0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
            ],
            &[0x3b, 0x3c],
        ] {
            assert_eq!(weights(broken, &PATH), None);
        }
    }
}
