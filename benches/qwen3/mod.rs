//! A Qwen3 of the width of Qwen3-Embedding-0.6B with random weights: what is computed, not what it means.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const HIDDEN: usize = 1024;
const HEAD: usize = 128;
const QUERY_HEADS: usize = 16;
const KEY_HEADS: usize = 8;
const INNER: usize = 3072;
/// Of 28: what a layer costs is what counts, and four fit any machine.
const LAYERS: usize = 4;

/// Writes the model to `to`, with the tokenizer and the pooling of the small model at `small`.
pub(crate) fn write(small: &Path, to: &Path) -> anyhow::Result<()> {
    for file in ["tokenizer.json", "tokenizer_config.json", "modules.json", "1_Pooling/config.json"] {
        fs::create_dir_all(to.join(file).parent().unwrap_or(to))?;
        fs::copy(small.join(file), to.join(file))?;
    }
    let mut config: Value = serde_json::from_slice(&fs::read(small.join("config.json"))?)?;
    for (key, value) in [
        ("hidden_size", HIDDEN),
        ("head_dim", HEAD),
        ("num_attention_heads", QUERY_HEADS),
        ("num_key_value_heads", KEY_HEADS),
        ("intermediate_size", INNER),
        ("num_hidden_layers", LAYERS),
    ] {
        config[key] = json!(value);
    }
    fs::write(to.join("config.json"), config.to_string())?;
    let words = config["vocab_size"].as_u64().unwrap_or_default() as usize;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = shapes(words)
        .into_iter()
        .map(|(name, shape)| {
            let values =
                (0..shape.iter().product()).flat_map(|_| rng.random_range(-0.05f32..0.05).to_le_bytes());
            let bytes = values.collect();
            (name, shape, bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)));
    Ok(serialize_to_file(views.collect::<anyhow::Result<Vec<_>>>()?, None, &to.join("model.safetensors"))?)
}

fn shapes(words: usize) -> Vec<(String, Vec<usize>)> {
    let mut shapes = vec![
        ("embed_tokens.weight".to_string(), vec![words, HIDDEN]),
        ("norm.weight".to_string(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        let parts = [
            ("input_layernorm", vec![HIDDEN]),
            ("post_attention_layernorm", vec![HIDDEN]),
            ("self_attn.q_norm", vec![HEAD]),
            ("self_attn.k_norm", vec![HEAD]),
            ("self_attn.q_proj", vec![QUERY_HEADS * HEAD, HIDDEN]),
            ("self_attn.k_proj", vec![KEY_HEADS * HEAD, HIDDEN]),
            ("self_attn.v_proj", vec![KEY_HEADS * HEAD, HIDDEN]),
            ("self_attn.o_proj", vec![HIDDEN, QUERY_HEADS * HEAD]),
            ("mlp.gate_proj", vec![INNER, HIDDEN]),
            ("mlp.up_proj", vec![INNER, HIDDEN]),
            ("mlp.down_proj", vec![HIDDEN, INNER]),
        ];
        shapes.extend(parts.map(|(part, shape)| (format!("layers.{layer}.{part}.weight"), shape)));
    }
    shapes
}
