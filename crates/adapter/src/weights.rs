//! Named f32 matrices as safetensors bytes.
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::path::Path;

/// A named tensor to write: its shape and its values, row after row.
pub(crate) type Named<'a> = (&'a str, Vec<usize>, &'a [f32]);

/// The bytes of a safetensors file that holds `tensors`.
pub(crate) fn serialize(tensors: &[Named<'_>]) -> Result<Vec<u8>> {
    let unwritable = |e: safetensors::SafeTensorError| Error::Unwritable {
        what: "adapter weights",
        reason: e.to_string(),
    };
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, v)| v.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = tensors
        .iter()
        .zip(&bytes)
        .map(|((name, shape, _), bytes)| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unwritable)?;
    safetensors::serialize(views, None).map_err(unwritable)
}

/// A safetensors file read into memory.
pub(crate) struct Weights<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl<'a> Weights<'a> {
    /// Reads the header in `bytes`, which came from `path`.
    pub(crate) fn new(path: &'a Path, bytes: &'a [u8]) -> Result<Self> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| Error::Damaged {
            path: path.into(),
            expected: "a safetensors file".into(),
            found: e.to_string(),
        })?;
        Ok(Self { path, tensors })
    }

    /// Whether a tensor of that name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.names().contains(&name)
    }

    /// The values of tensor `name`, which must have `shape`.
    pub(crate) fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let damaged = |found: String| Error::Damaged {
            path: self.path.into(),
            expected: format!("a tensor `{name}` of f32, {shape:?}"),
            found,
        };
        let tensor = self.tensors.tensor(name).map_err(|_| damaged(format!("{:?}", self.tensors.names())))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != shape {
            return Err(damaged(format!("{:?} {:?}", tensor.dtype(), tensor.shape())));
        }
        let (values, _) = tensor.data().as_chunks();
        Ok(values.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }
}
