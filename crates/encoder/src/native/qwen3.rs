use super::activation;
use super::dense::{Dense, QuantHints, Source};
use super::layers::{self, Layers};
use super::norm::RmsNorm;
use super::rotary::Rotary;
use super::token_embeddings::TokenEmbeddings;
use crate::architecture::post_norm::Activation;
use crate::architecture::qwen3::{Config, TOKEN_EMBEDDINGS};
use crate::architecture::{Heads, Own};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Result, Weights};

/// Qwen3 (Yang et al., 2025): causal or in both directions, grouped heads, normalised queries and keys, rotary
/// positions, SwiGLU.
pub(crate) struct Qwen3 {
    token_embeddings: TokenEmbeddings,
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

/// The model and the position of each packed token of a batch.
struct Pass<'a> {
    model: &'a Qwen3,
    positions: Vec<usize>,
    rotary: Rotary,
}

impl Own<Config> for Qwen3 {
    fn load(config: &Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        let source = &Source { checkpoint, weights };
        let hidden = config.hidden_size;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(source, config, i));
        Ok(Self {
            token_embeddings: TokenEmbeddings::load(source, TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(checkpoint, "norm", hidden, config.rms_norm_eps)?,
            heads: config.heads(),
            config: config.clone(),
        })
    }
}

impl Model for Qwen3 {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        let first = before(batch, cache.as_deref(), self.heads.causal)?;
        let n = self.dim();
        let mut states = vec![0f32; batch.ids.len() * n];
        states.chunks_exact_mut(n).zip(batch.ids).for_each(|(row, &id)| self.token_embeddings.copy(id, row));
        let rotary = Rotary::new(self.config.angles(first + batch.longest()), self.heads.dim);
        let pass = Pass { model: self, positions: batch.positions(first).collect(), rotary };
        let mut states = layers::run(&pass, states, batch, cache)?;
        self.norm.apply(&mut states);
        Ok(States::Slice(states))
    }
}

impl Qwen3 {
    fn dim(&self) -> usize {
        self.config.hidden_size
    }
}

impl Layers for Pass<'_> {
    fn count(&self) -> usize {
        self.model.layers.len()
    }

    fn heads(&self) -> Heads {
        self.model.heads
    }

    fn project(&self, layer: usize, states: &[f32], first: usize, qkv: &mut [f32]) -> Result<()> {
        let (layer, heads) = (&self.model.layers[layer], self.model.heads);
        let mut normed = states.to_vec();
        layer.input_norm.apply(&mut normed);
        layer.qkv.forward(&normed, self.model.dim(), qkv)?;
        for (row, &position) in qkv.chunks_exact_mut(heads.width()).zip(&self.positions[first..]) {
            let (queries, rest) = row.split_at_mut(heads.query * heads.dim);
            let keys = &mut rest[..heads.key * heads.dim];
            layer.query_norm.apply(queries);
            layer.key_norm.apply(keys);
            self.rotary.rotate(queries, position);
            self.rotary.rotate(keys, position);
        }
        Ok(())
    }

    fn finish(
        &self,
        layer: usize,
        states: &mut [f32],
        attended: &[f32],
        gate_up: &mut Vec<f32>,
    ) -> Result<()> {
        let (layer, n) = (&self.model.layers[layer], self.model.dim());
        let inner = self.model.config.intermediate_size;
        layer.out.add(attended, self.model.heads.query * self.model.heads.dim, states)?;
        let mut normed = states.to_vec();
        layer.inner_norm.apply(&mut normed);
        gate_up.resize(states.len() / n * 2 * inner, 0.0);
        layer.gate_up.forward(&normed, n, gate_up)?;
        activation::gate(Activation::Silu, gate_up, inner);
        layer.down.add(gate_up, 2 * inner, states)
    }
}

impl Layer {
    fn load(source: &Source<'_>, config: &Config, i: usize) -> Result<Self> {
        let checkpoint = source.checkpoint;
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.rms_norm_eps);
        let heads = config.heads();
        let at = |name: &str| format!("layers.{i}.{name}");
        let norm = |name: &str, dim: usize| RmsNorm::load(checkpoint, &at(name), dim, eps);
        let qkv = [
            (at("self_attn.q_proj"), heads.query * heads.dim),
            (at("self_attn.k_proj"), heads.key * heads.dim),
            (at("self_attn.v_proj"), heads.key * heads.dim),
        ];
        let gate_up = [(at("mlp.gate_proj"), inner), (at("mlp.up_proj"), inner)];
        let (input_norm, inner_norm) =
            (norm("input_layernorm", hidden)?, norm("post_attention_layernorm", hidden)?);
        let zeros = vec![0f32; hidden];
        let hints = |scale, skip| QuantHints { skip, norm: Some((scale, &zeros[..])) };
        let before_values = (heads.query + heads.key) * heads.dim;
        Ok(Self {
            qkv: Dense::fused(source, &qkv, hidden, hints(input_norm.scale(), before_values))?,
            query_norm: norm("self_attn.q_norm", heads.dim)?,
            key_norm: norm("self_attn.k_norm", heads.dim)?,
            out: Dense::load(source, &at("self_attn.o_proj"), heads.query * heads.dim, hidden)?,
            gate_up: Dense::fused(source, &gate_up, hidden, hints(inner_norm.scale(), 0))?,
            down: Dense::load(source, &at("mlp.down_proj"), inner, hidden)?,
            input_norm,
            inner_norm,
        })
    }
}
