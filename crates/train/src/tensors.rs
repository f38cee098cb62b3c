//! Named tensors as the bytes of a safetensors file.
use crate::{Error, Result};
use burn::tensor::{DType, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::path::Path;

/// The bytes of a safetensors file that holds `tensors`.
pub(crate) fn serialize(tensors: &[(String, TensorData)]) -> Result<Vec<u8>> {
    let unwritable = |reason: String| Error::Unwritable { what: "training checkpoint", reason };
    let views = tensors.iter().map(|(name, data)| {
        let dtype =
            stored(data.dtype()).ok_or_else(|| unwritable(format!("{name} holds {:?}", data.dtype())))?;
        let view = TensorView::new(dtype, data.shape().to_vec(), data.as_bytes());
        Ok((name.as_str(), view.map_err(|e| unwritable(e.to_string()))?))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    safetensors::serialize(views, None).map_err(|e| unwritable(e.to_string()))
}

/// A safetensors file read into memory.
pub(crate) struct Tensors<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl<'a> Tensors<'a> {
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

    /// Says what is wrong with the file `name` that came with this one.
    pub(crate) fn beside(&self, name: &str, expected: String, found: String) -> Error {
        Error::Damaged { path: self.path.with_file_name(name), expected, found }
    }

    /// The tensor `name`, which must have `shape`.
    pub(crate) fn data(&self, name: &str, shape: &[usize]) -> Result<TensorData> {
        let damaged = |found: String| Error::Damaged {
            path: self.path.into(),
            expected: format!("a tensor `{name}` of floats, {shape:?}"),
            found,
        };
        let tensor = self.tensors.tensor(name).map_err(|_| damaged(format!("{:?}", self.tensors.names())))?;
        let dtype = [DType::F32, DType::F16, DType::BF16, DType::F64]
            .into_iter()
            .find(|dtype| stored(*dtype) == Some(tensor.dtype()));
        match dtype {
            Some(dtype) if tensor.shape() == shape => {
                Ok(TensorData::from_bytes_vec(tensor.data().to_vec(), shape.to_vec(), dtype))
            }
            _ => Err(damaged(format!("{:?} {:?}", tensor.dtype(), tensor.shape()))),
        }
    }
}

fn stored(dtype: DType) -> Option<Dtype> {
    match dtype {
        DType::F32 => Some(Dtype::F32),
        DType::F16 => Some(Dtype::F16),
        DType::BF16 => Some(Dtype::BF16),
        DType::F64 => Some(Dtype::F64),
        _ => None,
    }
}
