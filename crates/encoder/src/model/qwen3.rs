use super::{positions, sound, supported};
use crate::attention::{Heads, attend};
use crate::layers::{Dense, RmsNorm};
use crate::layout::Layout;
use crate::weights::Weights;
use crate::{Device, Result};
use burn::tensor::activation::silu;
use burn::tensor::{Int, Tensor, TensorData};
use serde::Deserialize;
use std::path::PathBuf;

/// Qwen3 (Yang et al., 2025): causal, grouped heads, normalised queries and keys, rotary positions, SwiGLU.
pub(crate) struct Qwen3 {
    words: Tensor<2>, // [vocabulary, hidden]
    layers: Vec<Layer>,
    norm: RmsNorm,
    heads: Heads,
    theta: f32,
    config: Config,
    files: Vec<PathBuf>,
    device: Device,
}

#[derive(Deserialize)]
struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: usize,
    head_dim: Option<usize>,
    intermediate_size: usize,
    max_position_embeddings: usize,
    rms_norm_eps: f64,
    hidden_act: String,
    rope_theta: Option<f32>,
    rope_parameters: Option<Rope>,
    rope_scaling: Option<Rope>,
    #[serde(default)]
    use_sliding_window: bool,
}

#[derive(Deserialize)]
struct Rope {
    rope_theta: Option<f32>,
    #[serde(alias = "type")]
    rope_type: Option<String>,
}

struct Layer {
    input_norm: RmsNorm,
    qkv: Dense,
    query_norm: RmsNorm,
    key_norm: RmsNorm,
    out: Dense,
    inner_norm: RmsNorm,
    gate_up: Dense,
    down: Dense,
}

/// Cosines and sines of the angle of each packed token, `[tokens, 1, head_dim / 2]`.
struct Angles {
    cos: Tensor<3>,
    sin: Tensor<3>,
}

impl Qwen3 {
    pub(crate) fn load(layout: &Layout, device: &Device) -> Result<Self> {
        let config: Config = layout.config()?;
        supported(layout, "hidden_act", &config.hidden_act, config.hidden_act == "silu", "silu")?;
        supported(layout, "attention", "use_sliding_window", !config.use_sliding_window, "full attention")?;
        let ropes = [&config.rope_parameters, &config.rope_scaling];
        for kind in ropes.into_iter().flatten().filter_map(|r| r.rope_type.as_deref()) {
            supported(layout, "rope_type", kind, kind == "default", "default")?;
        }
        let parameters = config.rope_parameters.as_ref().and_then(|r| r.rope_theta);
        let theta = config.rope_theta.or(parameters).unwrap_or(10_000.0);
        let (hidden, query, key) =
            (config.hidden_size, config.num_attention_heads, config.num_key_value_heads);
        let groups = query > 0 && key > 0 && query % key == 0 && hidden > 0;
        sound(layout, "num_attention_heads as a multiple of num_key_value_heads", groups)?;
        let dim = config.head_dim.unwrap_or(hidden / query);
        sound(layout, "an even head_dim above 0", dim > 0 && dim.is_multiple_of(2))?;
        let heads = Heads { query, key, dim, causal: true };
        let weights = Weights::open(&layout.transformer, "embed_tokens.weight")?;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(&weights, &config, heads, i, device));
        Ok(Self {
            words: weights.tensor("embed_tokens.weight", [config.vocab_size, hidden], device)?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(&weights, "norm", hidden, config.rms_norm_eps, device)?,
            heads,
            theta,
            files: weights.paths().map(Into::into).collect(),
            device: device.clone(),
            config,
        })
    }

    /// States of packed tokens, `[tokens, hidden]`.
    pub(crate) fn forward(&self, ids: &[u32], lengths: &[usize]) -> Tensor<2> {
        let ids: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
        let tokens = ids.len();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [tokens]), &self.device);
        let mut x = self.words.clone().select(0, ids); // [tokens, hidden]
        let angles = Angles::of(lengths, self.heads.dim, self.theta, &self.device);
        for layer in &self.layers {
            x = layer.forward(x, lengths, self.heads, &angles);
        }
        self.norm.forward(x)
    }

    pub(crate) fn dim(&self) -> usize {
        self.config.hidden_size
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.config.vocab_size
    }

    pub(crate) fn positions(&self) -> usize {
        self.config.max_position_embeddings
    }

    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl Layer {
    fn load(weights: &Weights, config: &Config, heads: Heads, i: usize, device: &Device) -> Result<Self> {
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.rms_norm_eps);
        let at = |name: &str| format!("layers.{i}.{name}");
        let norm = |name: &str, dim: usize| RmsNorm::load(weights, &at(name), dim, eps, device);
        let qkv = [
            (at("self_attn.q_proj"), heads.query * heads.dim),
            (at("self_attn.k_proj"), heads.key * heads.dim),
            (at("self_attn.v_proj"), heads.key * heads.dim),
        ];
        let gate_up = [(at("mlp.gate_proj"), inner), (at("mlp.up_proj"), inner)];
        Ok(Self {
            input_norm: norm("input_layernorm", hidden)?,
            qkv: Dense::fused(weights, &qkv, hidden, device)?,
            query_norm: norm("self_attn.q_norm", heads.dim)?,
            key_norm: norm("self_attn.k_norm", heads.dim)?,
            out: Dense::load(weights, &at("self_attn.o_proj"), heads.query * heads.dim, hidden, device)?,
            inner_norm: norm("post_attention_layernorm", hidden)?,
            gate_up: Dense::fused(weights, &gate_up, hidden, device)?,
            down: Dense::load(weights, &at("mlp.down_proj"), inner, hidden, device)?,
        })
    }

    fn forward(&self, x: Tensor<2>, lengths: &[usize], heads: Heads, angles: &Angles) -> Tensor<2> {
        let tokens = x.dims()[0];
        let qkv = self.qkv.forward(self.input_norm.forward(x.clone())); // [tokens, (query + 2 * key) * dim]
        let part = |from: usize, count: usize| {
            qkv.clone().narrow(1, from * heads.dim, count * heads.dim).reshape([tokens, count, heads.dim])
        };
        let q = angles.rotate(self.query_norm.forward(part(0, heads.query)));
        let k = angles.rotate(self.key_norm.forward(part(heads.query, heads.key)));
        let v = part(heads.query + heads.key, heads.key);
        let x = x + self.out.forward(attend(q, k, v, lengths, heads)); // [tokens, hidden]
        let gate_up = self.gate_up.forward(self.inner_norm.forward(x.clone())); // [tokens, 2 * intermediate]
        let inner = gate_up.dims()[1] / 2;
        let gated = silu(gate_up.clone().narrow(1, 0, inner)) * gate_up.narrow(1, inner, inner);
        x + self.down.forward(gated)
    }
}

impl Angles {
    fn of(lengths: &[usize], dim: usize, theta: f32, device: &Device) -> Self {
        let (tokens, half): (usize, usize) = (lengths.iter().sum(), dim / 2);
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let speeds: Vec<f32> = (0..half).map(|i| 1.0 / theta.powf((2 * i) as f32 / dim as f32)).collect();
        let table = |f: fn(f32) -> f32| {
            let values = (0..longest).flat_map(|p| speeds.iter().map(move |s| f(p as f32 * s)));
            let data = TensorData::new(values.collect::<Vec<f32>>(), [longest, half]);
            let index = TensorData::new(positions(lengths), [tokens]);
            let rows =
                Tensor::<2>::from_data(data, device).select(0, Tensor::<1, Int>::from_data(index, device));
            rows.unsqueeze_dim::<3>(1) // [tokens, 1, half]
        };
        Self { cos: table(f32::cos), sin: table(f32::sin) }
    }

    /// Rotates the two halves of each head against each other, `[tokens, heads, dim]`; not neighbouring pairs.
    fn rotate(&self, x: Tensor<3>) -> Tensor<3> {
        let half = x.dims()[2] / 2;
        let (a, b) = (x.clone().narrow(2, 0, half), x.narrow(2, half, half));
        let (cos, sin) = (&self.cos, &self.sin);
        let first = a.clone() * cos.clone() - b.clone() * sin.clone();
        Tensor::cat(vec![first, b * cos.clone() + a * sin.clone()], 2)
    }
}
