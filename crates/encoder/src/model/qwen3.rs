use super::attention::attend;
use super::groups::Groups;
use super::layers::{Dense, RmsNorm};
use super::{Place, positions};
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::qwen3::{Config, WORDS};
use crate::checkpoint::Checkpoint;
use burn::tensor::Tensor;
use burn::tensor::activation::silu;

/// Qwen3 (Yang et al., 2025): causal, grouped heads, normalised queries and keys, rotary positions, SwiGLU.
pub(crate) struct Qwen3 {
    words: Tensor<2>, // [vocabulary, hidden]
    layers: Vec<Layer>,
    norm: RmsNorm,
    heads: Heads,
    config: Config,
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
    pub(super) fn load(config: &Config, checkpoint: &Checkpoint, place: &Place) -> Result<Self> {
        let hidden = config.hidden_size;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(checkpoint, config, i, place));
        Ok(Self {
            words: place.load(checkpoint, WORDS, [config.vocab_size, hidden])?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(checkpoint, "norm", hidden, config.rms_norm_eps, place)?,
            heads: config.heads(),
            config: config.clone(),
        })
    }

    /// States of packed tokens, `[tokens, hidden]`.
    pub(super) fn forward(&self, ids: &[u32], lengths: &[usize], place: &Place) -> Tensor<2> {
        let ids = place.index(ids.iter().map(|&id| id as usize));
        let mut x = self.words.clone().select(0, ids); // [tokens, hidden]
        let angles = Angles::of(&self.config, lengths, place);
        let groups = Groups::of(lengths, self.heads.causal, place);
        for layer in &self.layers {
            x = layer.forward(x, &groups, self.heads, &angles);
        }
        self.norm.forward(x)
    }
}

impl Layer {
    fn load(checkpoint: &Checkpoint, config: &Config, i: usize, place: &Place) -> Result<Self> {
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.rms_norm_eps);
        let heads = config.heads();
        let at = |name: &str| format!("layers.{i}.{name}");
        let norm = |name: &str, dim: usize| RmsNorm::load(checkpoint, &at(name), dim, eps, place);
        let qkv = [
            (at("self_attn.q_proj"), heads.query * heads.dim),
            (at("self_attn.k_proj"), heads.key * heads.dim),
            (at("self_attn.v_proj"), heads.key * heads.dim),
        ];
        let gate_up = [(at("mlp.gate_proj"), inner), (at("mlp.up_proj"), inner)];
        Ok(Self {
            input_norm: norm("input_layernorm", hidden)?,
            qkv: Dense::fused(checkpoint, &qkv, hidden, place)?,
            query_norm: norm("self_attn.q_norm", heads.dim)?,
            key_norm: norm("self_attn.k_norm", heads.dim)?,
            out: Dense::load(checkpoint, &at("self_attn.o_proj"), heads.query * heads.dim, hidden, place)?,
            inner_norm: norm("post_attention_layernorm", hidden)?,
            gate_up: Dense::fused(checkpoint, &gate_up, hidden, place)?,
            down: Dense::load(checkpoint, &at("mlp.down_proj"), inner, hidden, place)?,
        })
    }

    fn forward(&self, x: Tensor<2>, groups: &Groups, heads: Heads, angles: &Angles) -> Tensor<2> {
        let tokens = x.dims()[0];
        let qkv = self.qkv.forward(self.input_norm.forward(x.clone())); // [tokens, (query + 2 * key) * dim]
        let part = |from: usize, count: usize| {
            qkv.clone().narrow(1, from * heads.dim, count * heads.dim).reshape([tokens, count, heads.dim])
        };
        let q = angles.rotate(self.query_norm.forward(part(0, heads.query)));
        let k = angles.rotate(self.key_norm.forward(part(heads.query, heads.key)));
        let v = part(heads.query + heads.key, heads.key);
        let x = x + self.out.forward(attend(q, k, v, groups, heads)); // [tokens, hidden]
        let gate_up = self.gate_up.forward(self.inner_norm.forward(x.clone())); // [tokens, 2 * intermediate]
        let inner = gate_up.dims()[1] / 2;
        let gated = silu(gate_up.clone().narrow(1, 0, inner)) * gate_up.narrow(1, inner, inner);
        x + self.down.forward(gated)
    }
}

impl Angles {
    fn of(config: &Config, lengths: &[usize], place: &Place) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let half = config.heads().dim / 2;
        let rows = |table: Vec<f32>| {
            let table = place.tensor(table, [longest, half]);
            table.select(0, place.index(positions(lengths))).unsqueeze_dim::<3>(1) // [tokens, 1, half]
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
