//! The content hash, by which a file names itself.

use prost::Message;
use sha2::{Digest, Sha256};
use tract_onnx::pb::{ModelProto, StringStringEntryProto};

use crate::error::ModelError;
use crate::metadata::{Metadata, PREFIX};

/// SHA-256, in hexadecimal, of the model without its properties and then of every property but the hash itself, by
/// key: key, zero byte, value, zero byte.
pub(crate) fn content_hash(model: &mut ModelProto) -> String {
    let metadata_props = std::mem::take(&mut model.metadata_props);
    let mut hash = Sha256::new();
    hash.update(model.encode_to_vec());
    model.metadata_props = metadata_props;
    let stated = format!("{PREFIX}content_hash");
    let mut properties: Vec<&StringStringEntryProto> = model
        .metadata_props
        .iter()
        .filter(|property| property.key != stated)
        .collect();
    properties.sort_by(|a, b| a.key.cmp(&b.key));
    for property in properties {
        for text in [&property.key, &property.value] {
            hash.update(text.as_bytes());
            hash.update([0]);
        }
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Puts `metadata` into `model`, with the content hash that belongs to it, and gives the file's bytes.
///
/// # Errors
/// [`ModelError::BadMetadata`] if a value is out of range.
pub fn seal(model: &mut ModelProto, metadata: &Metadata) -> Result<Vec<u8>, ModelError> {
    model.metadata_props = metadata.properties()?;
    let content_hash = content_hash(model);
    let sealed = Metadata {
        content_hash,
        ..metadata.clone()
    };
    model.metadata_props = sealed.properties()?;
    Ok(model.encode_to_vec())
}
