use super::attention::attend;
use super::layers::{Dense, RmsNorm};
use super::{index, positions};
use crate::architecture::Heads;
use crate::architecture::qwen3::{Config, WORDS};
use crate::checkpoint::Checkpoint;
use crate::{Device, Result};
use burn::tensor::activation::silu;
use burn::tensor::{Tensor, TensorData};

/// Qwen3 (Yang et al., 2025): causal, grouped heads, normalised queries and keys, rotary positions, SwiGLU.
pub(crate) struct Qwen3 {
    words: Tensor<2>, // [vocabulary, hidden]
    layers: Vec<Layer>,
    norm: RmsNorm,
    heads: Heads,
    config: Config,
    device: Device,
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
    pub(super) fn load(config: &Config, checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        let hidden = config.hidden_size;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(checkpoint, config, i, device));
        Ok(Self {
            words: checkpoint.tensor(WORDS, [config.vocab_size, hidden], device)?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(checkpoint, "norm", hidden, config.rms_norm_eps, device)?,
            heads: config.heads(),
            config: config.clone(),
            device: device.clone(),
        })
    }

    /// States of packed tokens, `[tokens, hidden]`.
    pub(super) fn forward(&self, ids: &[u32], lengths: &[usize]) -> Tensor<2> {
        let ids = index(ids.iter().map(|&id| i64::from(id)).collect(), &self.device);
        let mut x = self.words.clone().select(0, ids); // [tokens, hidden]
        let angles = Angles::of(&self.config, lengths, &self.device);
        for layer in &self.layers {
            x = layer.forward(x, lengths, self.heads, &angles);
        }
        self.norm.forward(x)
    }
}

impl Layer {
    fn load(checkpoint: &Checkpoint, config: &Config, i: usize, device: &Device) -> Result<Self> {
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.rms_norm_eps);
        let heads = config.heads();
        let at = |name: &str| format!("layers.{i}.{name}");
        let norm = |name: &str, dim: usize| RmsNorm::load(checkpoint, &at(name), dim, eps, device);
        let qkv = [
            (at("self_attn.q_proj"), heads.query * heads.dim),
            (at("self_attn.k_proj"), heads.key * heads.dim),
            (at("self_attn.v_proj"), heads.key * heads.dim),
        ];
        let gate_up = [(at("mlp.gate_proj"), inner), (at("mlp.up_proj"), inner)];
        Ok(Self {
            input_norm: norm("input_layernorm", hidden)?,
            qkv: Dense::fused(checkpoint, &qkv, hidden, device)?,
            query_norm: norm("self_attn.q_norm", heads.dim)?,
            key_norm: norm("self_attn.k_norm", heads.dim)?,
            out: Dense::load(checkpoint, &at("self_attn.o_proj"), heads.query * heads.dim, hidden, device)?,
            inner_norm: norm("post_attention_layernorm", hidden)?,
            gate_up: Dense::fused(checkpoint, &gate_up, hidden, device)?,
            down: Dense::load(checkpoint, &at("mlp.down_proj"), inner, hidden, device)?,
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
    fn of(config: &Config, lengths: &[usize], device: &Device) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let half = config.heads().dim / 2;
        let rows = |table: Vec<f32>| {
            let table = Tensor::<2>::from_data(TensorData::new(table, [longest, half]), device);
            table.select(0, index(positions(lengths), device)).unsqueeze_dim::<3>(1) // [tokens, 1, half]
        };
        let (cos, sin) = config.angles(longest);
        Self { cos: rows(cos), sin: rows(sin) }
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
