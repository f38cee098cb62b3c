//! Encoder and adapter as one sentence-transformers model: transformer, pooling, normalisation, dense, normalisation.
//!
//! The encoder normalises before the adapter, and so does the model: with a bias the two do not commute.
use super::write as put;
use crate::{Error, Result};
use manyview_adapter::{Linear, Maps, Saved};
use manyview_core::{Encoder, Progress};
use manyview_encoder::{TextEncoder, portable};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

pub(super) fn write(
    dir: &Path,
    saved: &Saved<Maps>,
    encoder: &TextEncoder,
    progress: &dyn Progress,
) -> Result<()> {
    let linear = saved.linear()?;
    saved.card.expects(&encoder.fingerprint())?;
    portable(encoder, dir, progress)?;
    let path = dir.join("modules.json");
    let text = std::fs::read(&path).map_err(Error::io(&path))?;
    let broken = |e: serde_json::Error| Error::File { path: path.clone(), problem: e.to_string() };
    let mut modules: Vec<Value> = serde_json::from_slice(&text).map_err(broken)?;
    let at = modules.len();
    let folder = format!("{at}_Dense");
    for (idx, path, kind) in
        [(at, folder.clone(), "Dense"), (at + 1, format!("{}_Normalize", at + 1), "Normalize")]
    {
        let kind = format!("sentence_transformers.models.{kind}");
        modules.push(json!({"idx": idx, "name": idx.to_string(), "path": path, "type": kind}));
    }
    put(&path, &serde_json::to_vec_pretty(&modules).map_err(broken)?)?;
    dense(&dir.join(folder), linear)
}

fn dense(dir: &Path, linear: &Linear) -> Result<()> {
    std::fs::create_dir(dir).map_err(Error::io(dir))?;
    let path = dir.join("model.safetensors");
    let config = json!({
        "in_features": linear.dim_in(),
        "out_features": linear.dim_out(),
        "bias": linear.bias().is_some(),
        "activation_function": "torch.nn.modules.linear.Identity",
    });
    put(&dir.join("config.json"), format!("{config:#}\n").as_bytes())?;
    let weight = bytes(&transposed(linear));
    let bias = linear.bias().map(bytes);
    let fail = |e: safetensors::SafeTensorError| Error::File { path: path.clone(), problem: e.to_string() };
    let view = |shape, bytes| TensorView::new(Dtype::F32, shape, bytes).map_err(fail);
    let mut tensors = vec![("linear.weight", view(vec![linear.dim_out(), linear.dim_in()], &weight)?)];
    if let Some(bias) = &bias {
        tensors.push(("linear.bias", view(vec![linear.dim_out()], bias)?));
    }
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    put(&path, &safetensors::serialize(tensors, Some(metadata)).map_err(fail)?)
}

/// W as PyTorch keeps it, `[dim_out, dim_in]`.
fn transposed(linear: &Linear) -> Vec<f32> {
    let column = |j: usize| linear.weight().iter().skip(j).step_by(linear.dim_out());
    (0..linear.dim_out()).flat_map(column).copied().collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dense_module_holds_the_map_as_pytorch_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let weight = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // [2, 3]
        for bias in [None, Some(vec![7.0, 8.0, 9.0])] {
            let to = dir.path().join(format!("{}", bias.is_some()));
            dense(&to, &Linear::new(weight.clone(), 2, bias.clone()).unwrap()).unwrap();
            let config: Value =
                serde_json::from_slice(&std::fs::read(to.join("config.json")).unwrap()).unwrap();
            assert_eq!((&config["in_features"], &config["out_features"]), (&2.into(), &3.into()));
            assert_eq!(config["bias"], bias.is_some());
            let bytes = std::fs::read(to.join("model.safetensors")).unwrap();
            let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
            let found = tensors.tensor("linear.weight").unwrap();
            assert_eq!(found.shape(), [3, 2]);
            assert_eq!(found.data(), super::bytes(&[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]));
            assert_eq!(tensors.tensor("linear.bias").is_ok(), bias.is_some());
        }
    }
}
