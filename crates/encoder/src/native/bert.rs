use super::dense::{Care, Dense, Source};
use super::gelu::Gelu;
use super::norm::LayerNorm;
use super::stack::{self, Layers};
use super::words::Words;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::bert::{Activation, Config, WORDS};
use rayon::prelude::*;
use rten_simd::SimdUnaryOp;
use rten_vecmath::ApproxGelu;

/// BERT (Devlin et al., 2019): learnt positions, attention in both directions, normalisation after each block.
pub(crate) struct Bert {
    words: Words,
    positions: Vec<f32>, // [positions, hidden], the first token type added
    norm: LayerNorm,
    layers: Vec<Layer>,
    activation: Activation,
    heads: Heads,
    hidden: usize,
}

struct Layer {
    qkv: Dense,
    out: Dense,
    attention_norm: LayerNorm,
    up: Dense,
    down: Dense,
    output_norm: LayerNorm,
    inner: usize,
}

impl Bert {
    pub(super) fn load(config: &Config, source: &Source<'_>) -> Result<Self> {
        let checkpoint = source.checkpoint;
        let hidden = config.hidden_size;
        let places = [config.max_position_embeddings, hidden];
        let mut positions = checkpoint.values("embeddings.position_embeddings.weight", &places)?;
        let kinds = [config.type_vocab_size, hidden];
        let kinds = checkpoint.values("embeddings.token_type_embeddings.weight", &kinds)?;
        for row in positions.chunks_exact_mut(hidden) {
            row.iter_mut().zip(&kinds).for_each(|(place, kind)| *place += kind);
        }
        let norm = LayerNorm::load(checkpoint, "embeddings.LayerNorm", hidden, config.layer_norm_eps)?;
        let mut layers: Vec<Layer> = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let before = layers.last().map_or(&norm, |layer| &layer.output_norm);
            let layer = Layer::load(source, config, i, before)?;
            layers.push(layer);
        }
        Ok(Self {
            words: Words::load(source, WORDS, [config.vocab_size, hidden])?,
            positions,
            norm,
            layers,
            activation: config.activation(),
            heads: config.heads(),
            hidden,
        })
    }

    /// States of packed tokens, `[tokens, hidden]`, or of those `kept`.
    pub(super) fn forward(&self, ids: &[u32], lengths: &[usize], kept: Option<&[usize]>) -> Result<Vec<f32>> {
        let n = self.hidden;
        let places: Vec<usize> = lengths.iter().flat_map(|&length| 0..length).collect();
        let mut states = vec![0f32; ids.len() * n];
        states.par_chunks_exact_mut(n).zip(ids).zip(&places).for_each(|((row, &id), &place)| {
            self.words.copy(id, row);
            let place = &self.positions[place * n..][..n];
            row.iter_mut().zip(place).for_each(|(state, place)| *state += place);
            self.norm.apply(row);
        });
        stack::run(self, states, lengths, None, kept)
    }

    pub(super) fn dim(&self) -> usize {
        self.hidden
    }
}

impl Layers for Bert {
    fn count(&self) -> usize {
        self.layers.len()
    }

    fn heads(&self) -> Heads {
        self.heads
    }

    fn project(&self, layer: usize, states: &[f32], _first: usize, qkv: &mut [f32]) -> Result<()> {
        self.layers[layer].qkv.forward(states, self.hidden, qkv)
    }

    fn finish(&self, layer: usize, states: &mut [f32], gathered: &[f32], inner: &mut Vec<f32>) -> Result<()> {
        let (layer, n) = (&self.layers[layer], self.hidden);
        layer.out.add(gathered, n, states)?;
        layer.attention_norm.apply(states);
        inner.resize(states.len() / n * layer.inner, 0.0);
        layer.up.forward(states, n, inner)?;
        match self.activation {
            Activation::Gelu => Gelu.map_mut(inner),
            Activation::GeluTanh => ApproxGelu {}.map_mut(inner),
            Activation::Relu => inner.iter_mut().for_each(|v| *v = v.max(0.0)),
        }
        layer.down.add(inner, layer.inner, states)?;
        layer.output_norm.apply(states);
        Ok(())
    }
}

impl Layer {
    /// The layer `i`, whose input comes from the normalisation `before`.
    fn load(source: &Source<'_>, config: &Config, i: usize, before: &LayerNorm) -> Result<Self> {
        let checkpoint = source.checkpoint;
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let at = |name: &str| format!("encoder.layer.{i}.{name}");
        let qkv = ["query", "key", "value"].map(|part| (at(&format!("attention.self.{part}")), hidden));
        let attention_norm = LayerNorm::load(checkpoint, &at("attention.output.LayerNorm"), hidden, eps)?;
        let up = [(at("intermediate.dense"), inner)];
        Ok(Self {
            // Values are averaged straight into the result: what rounding takes from them matters most.
            qkv: Dense::fused(source, &qkv, hidden, Care { skip: 2 * hidden, norm: Some(before.affine()) })?,
            out: Dense::load(source, &at("attention.output.dense"), hidden, hidden)?,
            up: Dense::fused(source, &up, hidden, Care { skip: 0, norm: Some(attention_norm.affine()) })?,
            attention_norm,
            down: Dense::load(source, &at("output.dense"), inner, hidden)?,
            output_norm: LayerNorm::load(checkpoint, &at("output.LayerNorm"), hidden, eps)?,
            inner,
        })
    }
}
