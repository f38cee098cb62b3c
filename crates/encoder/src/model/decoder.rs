use super::Network;
use super::attention::Attention;
use super::length_groups::Groups;
use super::linear::Linear;
use super::loader::{Loader, indices};
use super::rms_norm::RmsNorm;
use super::rotary::Angles;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::decoder::{self, AsDecoder, TOKEN_EMBEDDINGS};
use crate::batch::Batch;
use crate::kv_cache::{KvCache, before};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::activation::silu;
use std::marker::PhantomData;

/// A model built as decoders are, causal or in both directions; see [`decoder::Decoder`]. `C` is its `config.json`.
#[derive(Module, Debug)]
pub(crate) struct Decoder<C: AsDecoder> {
    token_embeddings: Param<Tensor<2>>, // [vocabulary, hidden]
    layers: Vec<Layer>,
    norm: RmsNorm,
    #[module(skip)]
    config: decoder::Decoder,
    #[module(skip)]
    described: PhantomData<C>,
}

#[derive(Module, Debug)]
struct Layer {
    input_norm: RmsNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    query_norm: Option<RmsNorm>,
    key_norm: Option<RmsNorm>,
    out: Linear,
    inner_norm: RmsNorm,
    gate: Linear,
    up: Linear,
    down: Linear,
    #[module(skip)]
    heads: Heads,
}

impl<C: AsDecoder> Network for Decoder<C> {
    type Config = C;

    fn load(config: &C, loader: &Loader<'_>) -> Result<Self> {
        let config = config.decoder();
        let (vocabulary, hidden) = (config.vocabulary, config.hidden);
        let layers = (0..config.layers).map(|i| Layer::load(loader, &config, i));
        Ok(Self {
            token_embeddings: loader.param(TOKEN_EMBEDDINGS, [vocabulary, hidden])?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(loader, "norm", hidden, config.epsilon)?,
            config,
            described: PhantomData,
        })
    }

    fn forward(&self, batch: &Batch<'_>, mut cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        let causal = self.config.heads.causal;
        let before = before(batch, cache.as_deref(), causal)?;
        let embeddings = self.token_embeddings.val();
        let device = embeddings.device();
        let table = self.config.angles(before + batch.longest());
        let angles = Angles::of(table, self.config.heads.dim, batch, before, &embeddings);
        let mut x = embeddings.select(0, indices(batch.ids.iter().map(|&id| id as usize), &device)); // [tokens, hidden]
        let groups = &Groups::of(batch.lengths, causal, &device);
        for (i, layer) in self.layers.iter().enumerate() {
            let past = match batch.prefix.or(cache.as_deref()) {
                None => None,
                Some(past) => past.tensors(i)?,
            };
            let [q, k, v] = layer.project(&x, &angles);
            if let Some(cache) = &mut cache {
                cache.append(i, k.clone(), v.clone())?;
            }
            let attention = Attention { groups, heads: layer.heads, past, bias: None, dropout: None };
            x = layer.finish(x, attention.forward(q, k, v));
        }
        if let Some(cache) = cache {
            cache.advance(batch.ids.len());
        }
        let x = match batch.rows() {
            None => x,
            Some(rows) => x.select(0, indices(rows, &device)),
        };
        Ok(self.norm.forward(x))
    }
}

impl Layer {
    fn load(loader: &Loader<'_>, config: &decoder::Decoder, i: usize) -> Result<Self> {
        let (hidden, inner, heads) = (config.hidden, config.intermediate, config.heads);
        let at = |name: &str| format!("layers.{i}.{name}");
        let linear = |name: &str, dims: [usize; 2]| loader.linear(&at(name), dims);
        let norm = |name: &str, dim: usize| RmsNorm::load(loader, &at(name), dim, config.epsilon);
        let head_norm = |name: &str| config.head_norms.then(|| norm(name, heads.dim)).transpose();
        let (queries, keys) = (heads.query * heads.dim, heads.key * heads.dim);
        Ok(Self {
            input_norm: norm("input_layernorm", hidden)?,
            query: linear("self_attn.q_proj", [hidden, queries])?,
            key: linear("self_attn.k_proj", [hidden, keys])?,
            value: linear("self_attn.v_proj", [hidden, keys])?,
            query_norm: head_norm("self_attn.q_norm")?,
            key_norm: head_norm("self_attn.k_norm")?,
            out: linear("self_attn.o_proj", [queries, hidden])?,
            inner_norm: norm("post_attention_layernorm", hidden)?,
            gate: linear("mlp.gate_proj", [hidden, inner])?,
            up: linear("mlp.up_proj", [hidden, inner])?,
            down: linear("mlp.down_proj", [inner, hidden])?,
            heads,
        })
    }

    /// Queries, keys and values of states `[tokens, hidden]`, each `[tokens, heads, dim]`.
    fn project(&self, x: &Tensor<2>, angles: &Angles) -> [Tensor<3>; 3] {
        let (tokens, heads) = (x.dims()[0], self.heads);
        let x = self.input_norm.forward(x.clone());
        let part =
            |layer: &Linear, count: usize| layer.forward(x.clone()).reshape([tokens, count, heads.dim]);
        let normed = |norm: &Option<RmsNorm>, x| match norm {
            Some(norm) => norm.forward(x),
            None => x,
        };
        let q = angles.rotate(normed(&self.query_norm, part(&self.query, heads.query)));
        let k = angles.rotate(normed(&self.key_norm, part(&self.key, heads.key)));
        [q, k, part(&self.value, heads.key)]
    }

    /// The states after the layer, of those before it and what attention gave.
    fn finish(&self, x: Tensor<2>, attended: Tensor<2>) -> Tensor<2> {
        let x = x + self.out.forward(attended); // [tokens, hidden]
        let normed = self.inner_norm.forward(x.clone());
        let gated = silu(self.gate.forward(normed.clone())) * self.up.forward(normed); // [tokens, intermediate]
        x + self.down.forward(gated)
    }
}
