use super::activation;
use super::dense::{Dense, QuantHints, Source};
use super::layers::{self, Layers};
use super::norm::RmsNorm;
use super::rotary::Rotary;
use super::token_embeddings::TokenEmbeddings;
use crate::architecture::decoder::{self, AsDecoder, TOKEN_EMBEDDINGS};
use crate::architecture::{Heads, Own};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::engine::Model;
use crate::kv_cache::{KvCache, before};
use crate::states::States;
use crate::{Error, Result, Weights};

/// A model built as decoders are, causal or in both directions; see [`decoder::Decoder`].
pub(crate) struct Decoder {
    token_embeddings: TokenEmbeddings,
    layers: Vec<Layer>,
    norm: RmsNorm,
    config: decoder::Decoder,
}

struct Layer {
    input_norm: RmsNorm,
    qkv: Dense,
    head_norms: Option<HeadNorms>,
    out: Dense,
    inner_norm: RmsNorm,
    gate_up: Dense,
    down: Dense,
    after: Option<[RmsNorm; 2]>, // of what attention gave, and of what the MLP gave
}

/// The normalisations of each head's queries and keys.
struct HeadNorms {
    query: RmsNorm,
    key: RmsNorm,
}

/// The model and the position of each packed token of a batch.
struct Pass<'a> {
    model: &'a Decoder,
    positions: Vec<usize>,
    rotary: Vec<Rotary>, // view by view
}

impl<C: AsDecoder> Own<C> for Decoder {
    fn load(config: &C, checkpoint: &Checkpoint, weights: Weights) -> Result<Self> {
        let (source, config) = (&Source { checkpoint, weights }, config.decoder());
        let (vocabulary, hidden) = (config.vocabulary, config.hidden);
        let layers = (0..config.layers.len()).map(|i| Layer::load(source, &config, i));
        Ok(Self {
            token_embeddings: TokenEmbeddings::load(source, TOKEN_EMBEDDINGS, [vocabulary, hidden])?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(checkpoint, "norm", hidden, config.epsilon, config.norms.offset())?,
            config,
        })
    }
}

impl Model for Decoder {
    fn states(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<States> {
        let first = before(batch, cache.as_deref(), self.config.heads.causal)?;
        let n = self.dim();
        let mut states = vec![0f32; batch.ids.len() * n];
        states.chunks_exact_mut(n).zip(batch.ids).for_each(|(row, &id)| self.token_embeddings.copy(id, row));
        if self.config.embedding_scale != 1.0 {
            states.iter_mut().for_each(|value| *value *= self.config.embedding_scale);
        }
        let longest = first + batch.longest();
        let rotary = |view| Rotary::new(self.config.angles(view, longest), self.config.heads.dim);
        let rotary = self.config.views.iter().map(rotary).collect();
        let pass = Pass { model: self, positions: batch.positions(first).collect(), rotary };
        let mut states = layers::run(&pass, states, batch, cache)?;
        self.norm.apply(&mut states);
        Ok(States::Slice(states))
    }
}

impl Decoder {
    fn dim(&self) -> usize {
        self.config.hidden
    }
}

impl Layers for Pass<'_> {
    fn count(&self) -> usize {
        self.model.layers.len()
    }

    fn heads(&self) -> Heads {
        self.model.config.heads
    }

    fn window(&self, layer: usize) -> Option<usize> {
        let config = &self.model.config;
        config.views[config.layers[layer]].window
    }

    fn project(&self, layer: usize, states: &[f32], first: usize, qkv: &mut [f32]) -> Result<()> {
        let rotary = &self.rotary[self.model.config.layers[layer]];
        let (layer, heads) = (&self.model.layers[layer], self.model.config.heads);
        let mut normed = states.to_vec();
        layer.input_norm.apply(&mut normed);
        layer.qkv.forward(&normed, self.model.dim(), qkv)?;
        for (row, &position) in qkv.chunks_exact_mut(heads.width()).zip(&self.positions[first..]) {
            let (queries, rest) = row.split_at_mut(heads.query * heads.dim);
            let keys = &mut rest[..heads.key * heads.dim];
            if let Some(norms) = &layer.head_norms {
                norms.query.apply(queries);
                norms.key.apply(keys);
            }
            rotary.rotate(queries, position);
            rotary.rotate(keys, position);
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
        let inner = self.model.config.intermediate;
        let heads = self.model.config.heads;
        let [after_attention, after_mlp] = match &layer.after {
            None => [None, None],
            Some(norms) => norms.each_ref().map(Some),
        };
        add(&layer.out, after_attention, attended, heads.query * heads.dim, states)?;
        let mut normed = states.to_vec();
        layer.inner_norm.apply(&mut normed);
        gate_up.resize(states.len() / n * 2 * inner, 0.0);
        layer.gate_up.forward(&normed, n, gate_up)?;
        activation::gate(self.model.config.activation, gate_up, inner);
        add(&layer.down, after_mlp, gate_up, 2 * inner, states)
    }
}

/// Adds to `states` what a layer makes of rows of `x`, `stride` values apart, normalised where it is.
fn add(layer: &Dense, norm: Option<&RmsNorm>, x: &[f32], stride: usize, states: &mut [f32]) -> Result<()> {
    let Some(norm) = norm else { return layer.add(x, stride, states) };
    let mut found = vec![0f32; states.len()];
    layer.forward(x, stride, &mut found)?;
    norm.apply(&mut found);
    states.iter_mut().zip(found).for_each(|(state, found)| *state += found);
    Ok(())
}

impl Layer {
    fn load(source: &Source<'_>, config: &decoder::Decoder, i: usize) -> Result<Self> {
        let checkpoint = source.checkpoint;
        let (hidden, inner, eps) = (config.hidden, config.intermediate, config.epsilon);
        let heads = config.heads;
        let at = |name: &str| format!("layers.{i}.{name}");
        let norm =
            |name: &str, dim: usize| RmsNorm::load(checkpoint, &at(name), dim, eps, config.norms.offset());
        let head_norms = || {
            let [query, key] = ["q_norm", "k_norm"].map(|name| norm(&format!("self_attn.{name}"), heads.dim));
            Ok::<_, Error>(HeadNorms { query: query?.scaled(config.query_scale), key: key? })
        };
        let qkv = [
            (at("self_attn.q_proj"), heads.query * heads.dim),
            (at("self_attn.k_proj"), heads.key * heads.dim),
            (at("self_attn.v_proj"), heads.key * heads.dim),
        ];
        let gate_up = [(at("mlp.gate_proj"), inner), (at("mlp.up_proj"), inner)];
        let [input_norm, inner_norm] = config.norms.before().map(|name| norm(name, hidden));
        let (input_norm, inner_norm) = (input_norm?, inner_norm?);
        let after = match config.norms.after() {
            None => None,
            Some([attention, mlp]) => Some([norm(attention, hidden)?, norm(mlp, hidden)?]),
        };
        let zeros = vec![0f32; hidden];
        let hints = |scale, skip| QuantHints { skip, norm: Some((scale, &zeros[..])) };
        let before_values = (heads.query + heads.key) * heads.dim;
        Ok(Self {
            qkv: Dense::fused(source, &qkv, hidden, hints(input_norm.scale(), before_values))?,
            head_norms: config.head_norms.then(head_norms).transpose()?,
            out: Dense::load(source, &at("self_attn.o_proj"), heads.query * heads.dim, hidden)?,
            gate_up: Dense::fused(source, &gate_up, hidden, hints(inner_norm.scale(), 0))?,
            down: Dense::load(source, &at("mlp.down_proj"), inner, hidden)?,
            input_norm,
            inner_norm,
            after,
        })
    }
}
