//! Loading a model file.

use std::io::{self, Read};

use prost::Message;
use tract_onnx::pb::ModelProto;

use crate::dequantise;
use crate::error::ModelError;
use crate::graph;
use crate::hash::content_hash;
use crate::incremental::Incremental;
use crate::metadata::{Metadata, NetworkKind, SelfTest};
use crate::network::{Network, guard};
use crate::outline;
use crate::stream::{State, Stream};
use crate::windowed::{Ring, Window};

/// Largest model file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 16 << 20;

/// Reads what [`Model::from_bytes`] may look at, and one byte more, so that it can tell a file that is too large.
///
/// # Errors
/// Those of the reader.
pub fn read_bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A checked model, ready for any number of streams.
#[derive(Clone, Debug)]
pub struct Model {
    metadata: Metadata,
    network: Runner,
    parameters: usize,
}

/// The network, by the kind that the metadata says.
#[derive(Clone, Debug)]
pub(crate) enum Runner {
    Streaming(Network),
    Windowed(Window),
}

impl Model {
    /// Reads, checks and prepares a model file.
    ///
    /// # Errors
    /// [`ModelError`] with the reason why the file is refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(ModelError::TooLarge {
                bytes: bytes.len(),
                limit: MAX_FILE_BYTES,
            });
        }
        outline::check(bytes)?;
        let mut proto = ModelProto::decode(bytes).map_err(|error| ModelError::NotOnnx {
            reason: error.to_string(),
        })?;
        let metadata = Metadata::of(&proto)?;
        let found = content_hash(&mut proto);
        if found != metadata.content_hash {
            return Err(ModelError::Hash {
                found,
                stated: metadata.content_hash,
            });
        }
        let model = Self::unverified(proto, metadata)?;
        model.self_test()?;
        Ok(model)
    }

    /// Prepares a graph that has no file yet, without comparing hash and self test: for the exporter, which makes both.
    ///
    /// # Errors
    /// [`ModelError`] if the graph cannot be run with this metadata.
    pub fn unverified(mut graph: ModelProto, metadata: Metadata) -> Result<Self, ModelError> {
        metadata.check()?;
        graph::check(&graph, metadata.network)?;
        let tensors = graph.graph.iter().flat_map(|graph| &graph.initializer);
        let parameters = tensors
            .map(|tensor| tensor.dims.iter().product::<i64>())
            .sum::<i64>();
        dequantise::fold(&mut graph)?;
        Ok(Self {
            network: match metadata.network {
                NetworkKind::Streaming => Runner::Streaming(Network::build(&graph, &metadata)?),
                NetworkKind::Windowed => Runner::Windowed(Window::build(&graph, &metadata)?),
            },
            metadata,
            parameters: usize::try_from(parameters).unwrap_or(0),
        })
    }

    /// What the file says about itself.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Number of stored values: weights, biases and constants.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The state of a new channel.
    ///
    /// # Errors
    /// [`ModelError::Inference`] if the library cannot make one.
    pub fn stream(&self) -> Result<Stream, ModelError> {
        let about = &self.metadata;
        let state = match &self.network {
            Runner::Streaming(network) => {
                State::Streaming(Incremental::new(network.clone(), about)?.into())
            }
            Runner::Windowed(window) => State::Windowed(Ring::new(window.clone(), about)),
        };
        Ok(Stream::new(state, about))
    }

    #[cfg(test)]
    pub(crate) fn network(&self) -> &Runner {
        &self.network
    }

    fn self_test(&self) -> Result<(), ModelError> {
        guard(|| {
            let SelfTest { frames, logits } = &self.metadata.self_test;
            let rows = self.metadata.rows();
            let mut stream = self.stream()?;
            for frame in SelfTest::input(*frames, rows).chunks_exact(rows) {
                stream.push(frame)?;
            }
            let mut found = vec![f32::NAN; logits.len()];
            stream.logits(&mut found)?;
            for (&found, &expected) in found.iter().zip(logits) {
                let difference = (found - expected).abs();
                if difference.is_nan() || difference > SelfTest::TOLERANCE * expected.abs().max(1.0)
                {
                    return Err(ModelError::SelfTest { found, expected });
                }
            }
            Ok(())
        })
    }
}
