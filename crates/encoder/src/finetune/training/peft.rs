//! LoRA matrices alone, in the layout of Hugging Face's peft.
use super::Lora;
use super::lora::LowRank;
use super::save::{le_bytes, write};
use crate::{Error, Result, TextEncoder};
use safetensors::tensor::Dtype;
use serde_json::json;
use std::fs;
use std::path::Path;

/// Writes the LoRA matrices alone into `dir`; peft loads them onto the base model.
pub(super) fn save(base: &TextEncoder, lora: &Lora, changes: &[LowRank], dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).map_err(Error::io(dir))?;
    let tensors = changes.iter().flat_map(|change| {
        let of = |kind: &str, shape: [usize; 2], values: &[f32]| {
            let name = format!("base_model.model.{}.lora_{kind}.weight", change.layer);
            (name, Dtype::F32, shape.to_vec(), le_bytes(values))
        };
        [of("A", [lora.rank, change.dim_in], &change.a), of("B", [change.dim_out, lora.rank], &change.b)]
    });
    write(&dir.join("adapter_model.safetensors"), &tensors.collect::<Vec<_>>())?;
    let path = dir.join("adapter_config.json");
    let config = json!({
        "peft_type": "LORA",
        "task_type": "FEATURE_EXTRACTION",
        "base_model_name_or_path": base.path().file_name().unwrap_or_default().to_string_lossy(),
        "r": lora.rank,
        "lora_alpha": lora.alpha,
        "lora_dropout": lora.dropout,
        "bias": "none",
        "inference_mode": true,
        "target_modules": changes.iter().map(|change| &change.layer).collect::<Vec<_>>(),
    });
    let text = serde_json::to_vec_pretty(&config).map_err(|e| Error::file(&path, e.to_string()))?;
    fs::write(&path, text).map_err(Error::io(&path))
}
