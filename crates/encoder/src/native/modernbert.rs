use super::activation;
use super::dense::{Dense, QuantHints, Source};
use super::layers::{self, Layers};
use super::norm::LayerNorm;
use super::rotary::Rotary;
use super::token_embeddings::TokenEmbeddings;
use crate::architecture::modernbert::{Config, EMBEDDINGS_NORM, FINAL_NORM, LayerNames, TOKEN_EMBEDDINGS};
use crate::architecture::{Heads, Own};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Result, Weights};
use rayon::prelude::*;

/// ModernBERT (Warner et al., 2024): attention in both directions, in most layers within a window; rotary positions,
/// normalisation before each block, gated feed-forward blocks.
pub(crate) struct ModernBert {
    token_embeddings: TokenEmbeddings,
    norm: LayerNorm,
    layers: Vec<Layer>,
    final_norm: LayerNorm,
    heads: Heads,
    config: Config,
}

struct Layer {
    attention_norm: Option<LayerNorm>,
    qkv: Dense,
    out: Dense,
    inner_norm: LayerNorm,
    up_gate: Dense,
    down: Dense,
}

/// The model and the position of each packed token of a batch.
struct Pass<'a> {
    model: &'a ModernBert,
    positions: Vec<usize>,
    full: Rotary,
    local: Rotary,
}

impl Own<Config> for ModernBert {
    fn load(config: &Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        let source = &Source { checkpoint, weights };
        let hidden = config.hidden_size;
        let norm = LayerNorm::load(checkpoint, EMBEDDINGS_NORM, hidden, config.norm_eps)?;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(source, config, i, &norm));
        Ok(Self {
            token_embeddings: TokenEmbeddings::load(source, TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            layers: layers.collect::<Result<_>>()?,
            norm,
            final_norm: LayerNorm::load(checkpoint, FINAL_NORM, hidden, config.norm_eps)?,
            heads: config.heads(),
            config: config.clone(),
        })
    }
}

impl Model for ModernBert {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        before(batch, cache.as_deref(), false)?; // there are none
        let n = self.config.hidden_size;
        let mut states = vec![0f32; batch.ids.len() * n];
        states.par_chunks_exact_mut(n).zip(batch.ids).for_each(|(row, &id)| {
            self.token_embeddings.copy(id, row);
            self.norm.apply(row);
        });
        let [full, local] =
            self.config.angles(batch.longest()).map(|angles| Rotary::new(angles, self.heads.dim));
        let pass = Pass { model: self, positions: batch.positions(0).collect(), full, local };
        let mut states = layers::run(&pass, states, batch, None)?;
        self.final_norm.apply(&mut states);
        Ok(States::Slice(states))
    }
}

impl Layers for Pass<'_> {
    fn count(&self) -> usize {
        self.model.layers.len()
    }

    fn heads(&self) -> Heads {
        self.model.heads
    }

    fn window(&self, layer: usize) -> Option<usize> {
        self.model.config.window(layer)
    }

    fn project(&self, layer: usize, states: &[f32], first: usize, qkv: &mut [f32]) -> Result<()> {
        let rotary = if self.window(layer).is_some() { &self.local } else { &self.full };
        let (layer, heads, n) = (&self.model.layers[layer], self.model.heads, self.model.config.hidden_size);
        match &layer.attention_norm {
            None => layer.qkv.forward(states, n, qkv)?,
            Some(norm) => {
                let mut normed = states.to_vec();
                norm.apply(&mut normed);
                layer.qkv.forward(&normed, n, qkv)?;
            }
        }
        for (row, &position) in qkv.chunks_exact_mut(heads.width()).zip(&self.positions[first..]) {
            rotary.rotate(&mut row[..(heads.query + heads.key) * heads.dim], position);
        }
        Ok(())
    }

    fn finish(
        &self,
        layer: usize,
        states: &mut [f32],
        attended: &[f32],
        up_gate: &mut Vec<f32>,
    ) -> Result<()> {
        let (layer, config) = (&self.model.layers[layer], &self.model.config);
        let (n, inner) = (config.hidden_size, config.intermediate_size);
        layer.out.add(attended, n, states)?;
        let mut normed = states.to_vec();
        layer.inner_norm.apply(&mut normed);
        up_gate.resize(states.len() / n * 2 * inner, 0.0);
        layer.up_gate.forward(&normed, n, up_gate)?;
        activation::gate(config.activation, up_gate, inner);
        layer.down.add(up_gate, 2 * inner, states)
    }
}

impl Layer {
    /// The layer `i` of a model whose embeddings come from the normalisation `embedded`.
    fn load(source: &Source<'_>, config: &Config, i: usize, embedded: &LayerNorm) -> Result<Self> {
        let (hidden, inner, names) = (config.hidden_size, config.intermediate_size, LayerNames::of(i));
        let norm = |name: &str| LayerNorm::load(source.checkpoint, name, hidden, config.norm_eps);
        let attention_norm = names.attention_norm.map(|name| norm(&name)).transpose()?;
        let inner_norm = norm(&names.inner_norm)?;
        let hints = |norm, skip| QuantHints { skip, norm: Some(LayerNorm::affine(norm)) };
        let before = hints(attention_norm.as_ref().unwrap_or(embedded), 2 * hidden);
        Ok(Self {
            qkv: Dense::fused(source, &[(names.qkv, 3 * hidden)], hidden, before)?,
            out: Dense::load(source, &names.out, hidden, hidden)?,
            up_gate: Dense::fused(source, &[(names.up_gate, 2 * inner)], hidden, hints(&inner_norm, 0))?,
            down: Dense::load(source, &names.down, inner, hidden)?,
            attention_norm,
            inner_norm,
        })
    }
}
