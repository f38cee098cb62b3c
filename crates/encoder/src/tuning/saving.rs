//! An encoder that learnt, as sentence-transformers and [`crate::TextEncoder`] load it.
use super::bert::Bert;
use super::config::Lora;
use super::lora::Adapters;
use crate::checkpoint::Checkpoint;
use crate::portable::small_files;
use crate::{Error, Result, TextEncoder};
use manyview_core::publish::WholeDirectory;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

/// Directory of the low-rank changes alone, in the layout of Hugging Face's peft.
const LORA: &str = "lora";

/// Writes the directory `to`, whole or not at all; one already there is replaced.
pub(super) fn save(
    base: &TextEncoder,
    checkpoint: &Checkpoint,
    bert: &Bert,
    lora: Option<(&Lora, &Adapters)>,
    to: &Path,
) -> Result<()> {
    let staged = WholeDirectory::create(to)?;
    small_files(base, staged.path())?;
    weights(checkpoint, bert, &staged.path().join("model.safetensors"))?;
    if let Some((lora, adapters)) = lora {
        changes(base, lora, adapters, &staged.path().join(LORA))?;
    }
    Ok(staged.finish()?)
}

/// Every tensor of the model's file: those that learn as they are now, the others as they were.
fn weights(checkpoint: &Checkpoint, bert: &Bert, path: &Path) -> Result<()> {
    let learnt: BTreeMap<String, &[f32]> = bert
        .plan
        .tensors
        .iter()
        .map(|tensor| (checkpoint.saved_name(&tensor.name), &bert.values[tensor.range.clone()]))
        .collect();
    let mut tensors = Vec::new();
    for name in checkpoint.names().filter(|name| !checkpoint.is_scale(name)) {
        let shape = checkpoint.shape(name).unwrap_or_default().to_vec();
        let (dtype, bytes) = match learnt.get(name) {
            Some(values) => (Dtype::F32, le_bytes(values)),
            None if checkpoint.is_int8(name) => (Dtype::F32, le_bytes(&checkpoint.read(name)?)),
            None => checkpoint.as_saved(name)?,
        };
        tensors.push((name.to_string(), dtype, shape, bytes));
    }
    write(path, &tensors)
}

/// The changes alone, small enough to pass on: peft puts them onto the model they were made of.
fn changes(base: &TextEncoder, lora: &Lora, adapters: &Adapters, dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    let mut tensors = Vec::new();
    let mut modules: Vec<String> = Vec::new();
    for part in &adapters.parts {
        for (kind, range, shape) in
            [("A", &part.a, vec![lora.rank, part.dim_in]), ("B", &part.b, vec![part.dim_out, lora.rank])]
        {
            let name = format!("base_model.model.{}.lora_{kind}.weight", part.name);
            tensors.push((name, Dtype::F32, shape, le_bytes(&adapters.values[range.clone()])));
        }
        modules.push(part.name.clone());
    }
    write(&dir.join("adapter_model.safetensors"), &tensors)?;
    let path = dir.join("adapter_config.json");
    let config = json!({
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": base.path().file_name().unwrap_or_default().to_string_lossy(),
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": 0.0,
        "bias": "none",
        "inference_mode": true,
        "target_modules": modules,
    });
    let text = serde_json::to_vec_pretty(&config).map_err(|e| Error::file(&path, e.to_string()))?;
    fs::write(&path, text).map_err(Error::io(&path))
}

fn le_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn write(path: &Path, tensors: &[(String, Dtype, Vec<usize>, Vec<u8>)]) -> Result<()> {
    let fail = |e: safetensors::SafeTensorError| Error::file(path, e.to_string());
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).map_err(fail)?))
    });
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]); // transformers asks for it
    let views = views.collect::<Result<Vec<_>>>()?;
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(fail)?;
    fs::write(path, bytes).map_err(Error::io(path))
}
