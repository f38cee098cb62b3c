//! A fine-tuned encoder, as sentence-transformers and [`crate::TextEncoder`] load it.
use super::engine::{NamedTensor, Trained};
use super::{Lora, peft};
use crate::checkpoint::Checkpoint;
use crate::portable::small_files;
use crate::{Error, Result, TextEncoder};
use manyview_core::publish::WholeDirectory;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

/// Directory of the low-rank changes alone, in the layout of Hugging Face's peft.
const LORA: &str = "lora";

/// Writes the directory `to`, whole or not at all; one already there is replaced.
pub(super) fn save(base: &TextEncoder, trained: &Trained, lora: Option<&Lora>, to: &Path) -> Result<()> {
    let staged = WholeDirectory::create(to)?;
    small_files(base, staged.path())?;
    weights(&base.source()?.0, &trained.tensors, &staged.path().join("model.safetensors"))?;
    if let Some(lora) = lora {
        peft::save(base, lora, &trained.low_rank, &staged.path().join(LORA))?;
    }
    Ok(staged.finish()?)
}

/// Every tensor of the model's file: those that were trained as they are now, the others as they were.
fn weights(checkpoint: &Checkpoint, trained: &[NamedTensor], path: &Path) -> Result<()> {
    let trained: BTreeMap<String, &[f32]> =
        trained.iter().map(|t| (checkpoint.saved_name(&t.name), t.values.as_slice())).collect();
    let mut tensors = Vec::new();
    for name in checkpoint.names().filter(|name| !checkpoint.is_scale(name)) {
        let shape = checkpoint.shape(name).unwrap_or_default().to_vec();
        let (dtype, bytes) = match trained.get(name) {
            Some(values) => (Dtype::F32, le_bytes(values)),
            None if checkpoint.is_int8(name) => (Dtype::F32, le_bytes(&checkpoint.read(name)?)),
            None => checkpoint.as_saved(name)?,
        };
        tensors.push((name.to_string(), dtype, shape, bytes));
    }
    write(path, &tensors)
}

/// Numbers as the bytes of a file.
pub(super) fn le_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Writes a safetensors file that transformers reads: name, type, shape and bytes of each tensor.
pub(super) fn write(path: &Path, tensors: &[(String, Dtype, Vec<usize>, Vec<u8>)]) -> Result<()> {
    let fail = |e: safetensors::SafeTensorError| Error::file(path, e.to_string());
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).map_err(fail)?))
    });
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]); // transformers asks for it
    let views = views.collect::<Result<Vec<_>>>()?;
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(fail)?;
    fs::write(path, bytes).map_err(Error::io(path))
}
