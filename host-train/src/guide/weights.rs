//! Tensors of a published model, by name.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use burn::tensor::{DType, Device, Tensor, TensorData, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use sha2::{Digest, Sha256};

use super::GuideError;
use crate::digest;

/// What comes before the names of the encoder's tensors: in files of the whole recogniser, and of the encoder alone.
const PREFIXES: [&str; 2] = ["model.encoder.", "encoder."];
/// The tensor by which the prefix is found.
const FIRST: &str = "conv1.weight";

/// A safetensors file in memory.
pub(super) struct Weights {
    path: PathBuf,
    bytes: Vec<u8>,
    prefix: &'static str,
    /// Of what was taken.
    taken: RefCell<Sha256>,
}

impl Weights {
    /// Reads a file that holds an encoder.
    pub(super) fn read(path: &Path) -> Result<Self, GuideError> {
        let bytes = std::fs::read(path).map_err(|source| GuideError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut weights = Self {
            path: path.to_owned(),
            bytes,
            prefix: PREFIXES[0],
            taken: RefCell::default(),
        };
        let file = weights.file()?;
        let has = |prefix: &&str| file.tensor(&format!("{prefix}{FIRST}")).is_ok();
        let Some(prefix) = PREFIXES.into_iter().find(has) else {
            return Err(weights.wrong(FIRST, "is missing".into()));
        };
        weights.prefix = prefix;
        Ok(weights)
    }

    fn file(&self) -> Result<SafeTensors<'_>, GuideError> {
        SafeTensors::deserialize(&self.bytes).map_err(|source| GuideError::Format {
            path: self.path.clone(),
            source,
        })
    }

    /// What is said of the encoder's tensor `name` that does not fit.
    pub(super) fn wrong(&self, name: &str, reason: String) -> GuideError {
        GuideError::Tensor {
            path: self.path.clone(),
            name: format!("{}{name}", self.prefix),
            reason,
        }
    }

    /// Hash of the values that were taken, as `f16`: the models were published so, and files of `f32` hold the same.
    pub(super) fn hash(self) -> String {
        digest::short(self.taken.into_inner(), 16)
    }

    fn view(&self, name: &str) -> Result<TensorView<'_>, GuideError> {
        let found = self.file()?.tensor(&format!("{}{name}", self.prefix));
        found.map_err(|_| self.wrong(name, "is missing".into()))
    }

    /// Sizes of the encoder's tensor `name`.
    pub(super) fn shape(&self, name: &str) -> Result<Vec<usize>, GuideError> {
        Ok(self.view(name)?.shape().to_vec())
    }

    /// The encoder's tensor `name`, which has `shape`, as `f32`.
    pub(super) fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Tensor<D>, GuideError> {
        let view = self.view(name)?;
        if view.shape() != shape {
            let found = view.shape();
            let reason = format!("has the shape {found:?}, and {shape:?} is needed");
            return Err(self.wrong(name, reason));
        }
        let kind = match view.dtype() {
            Dtype::F32 => DType::F32,
            Dtype::F16 => DType::F16,
            Dtype::BF16 => DType::BF16,
            other => {
                let reason = format!("is {other:?}, and F32, F16 or BF16 is needed");
                return Err(self.wrong(name, reason));
            }
        };
        let data = TensorData::from_bytes_vec(view.data().to_vec(), shape, kind);
        let mut taken = self.taken.borrow_mut();
        taken.update(data.clone().convert::<f16>().as_bytes());
        Ok(Tensor::from_data(data.convert::<f32>(), device))
    }
}
