use super::activation;
use super::dense::{Dense, QuantHints, Source};
use super::layers::{self, Layers};
use super::norm::LayerNorm;
use super::rotary::Rotary;
use super::token_embeddings::TokenEmbeddings;
use crate::architecture::nomic_bert::{
    Config, EMBEDDINGS_NORM, LayerNames, TOKEN_EMBEDDINGS, TYPE_EMBEDDINGS,
};
use crate::architecture::{Heads, Own};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Result, Weights};
use rayon::prelude::*;

/// NomicBERT (Nussbaum et al., 2024): attention in both directions, rotary positions, gated feed-forward blocks,
/// normalisation after each block.
pub(crate) struct NomicBert {
    token_embeddings: TokenEmbeddings,
    first_type: Vec<f32>, // [hidden]
    norm: LayerNorm,
    layers: Vec<Layer>,
    heads: Heads,
    config: Config,
}

struct Layer {
    qkv: Dense,
    out: Dense,
    attention_norm: LayerNorm,
    gate_up: Dense,
    down: Dense,
    output_norm: LayerNorm,
}

/// The model and the position of each packed token of a batch.
struct Pass<'a> {
    model: &'a NomicBert,
    positions: Vec<usize>,
    rotary: Rotary,
}

impl Own<Config> for NomicBert {
    fn load(config: &Config, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        let source = &Source { checkpoint, weights };
        let hidden = config.hidden_size;
        let norm = LayerNorm::load(checkpoint, EMBEDDINGS_NORM, hidden, config.layer_norm_eps)?;
        let mut layers: Vec<Layer> = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let before = layers.last().map_or(&norm, |layer| &layer.output_norm);
            let layer = Layer::load(source, config, i, before)?;
            layers.push(layer);
        }
        let mut first_type = checkpoint.values(TYPE_EMBEDDINGS, &[config.type_vocab_size, hidden])?;
        first_type.truncate(hidden);
        Ok(Self {
            token_embeddings: TokenEmbeddings::load(source, TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            first_type,
            norm,
            layers,
            heads: config.heads(),
            config: config.clone(),
        })
    }
}

impl Model for NomicBert {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        before(batch, cache.as_deref(), false)?; // there are none
        let n = self.config.hidden_size;
        let mut states = vec![0f32; batch.ids.len() * n];
        states.par_chunks_exact_mut(n).zip(batch.ids).for_each(|(row, &id)| {
            self.token_embeddings.copy(id, row);
            row.iter_mut().zip(&self.first_type).for_each(|(state, first_type)| *state += first_type);
            self.norm.apply(row);
        });
        let rotary = Rotary::new(self.config.angles(batch.longest()), self.heads.dim);
        let pass = Pass { model: self, positions: batch.positions(0).collect(), rotary };
        layers::run(&pass, states, batch, None).map(States::Slice)
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
        let heads = self.model.heads;
        self.model.layers[layer].qkv.forward(states, self.model.config.hidden_size, qkv)?;
        for (row, &position) in qkv.chunks_exact_mut(heads.width()).zip(&self.positions[first..]) {
            self.rotary.rotate(&mut row[..(heads.query + heads.key) * heads.dim], position);
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
        let (layer, config, heads) = (&self.model.layers[layer], &self.model.config, self.model.heads);
        let (n, inner) = (config.hidden_size, config.intermediate_size);
        layer.out.add(attended, heads.query * heads.dim, states)?;
        layer.attention_norm.apply(states);
        gate_up.resize(states.len() / n * 2 * inner, 0.0);
        layer.gate_up.forward(states, n, gate_up)?;
        activation::gate(config.activation, gate_up, inner);
        layer.down.add(gate_up, 2 * inner, states)?;
        layer.output_norm.apply(states);
        Ok(())
    }
}

impl Layer {
    /// The layer `i`, whose input comes from the normalisation `before`.
    fn load(source: &Source<'_>, config: &Config, i: usize, before: &LayerNorm) -> Result<Self> {
        let (hidden, inner, names) = (config.hidden_size, config.intermediate_size, LayerNames::of(i));
        let heads = config.heads();
        let norm = |name: &str| LayerNorm::load(source.checkpoint, name, hidden, config.layer_norm_eps);
        let attention_norm = norm(&names.attention_norm)?;
        let hints = |norm, skip| QuantHints { skip, norm: Some(LayerNorm::affine(norm)) };
        let (qkv, gate_up) = ([(names.qkv, heads.width())], [(names.gate, inner), (names.up, inner)]);
        Ok(Self {
            qkv: Dense::fused(source, &qkv, hidden, hints(before, 2 * heads.query * heads.dim))?,
            out: Dense::load(source, &names.out, heads.query * heads.dim, hidden)?,
            gate_up: Dense::fused(source, &gate_up, hidden, hints(&attention_norm, 0))?,
            down: Dense::load(source, &names.down, inner, hidden)?,
            attention_norm,
            output_norm: norm(&names.output_norm)?,
        })
    }
}
