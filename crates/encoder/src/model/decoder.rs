use super::Network;
use super::activation::activate;
use super::attention::Attention;
use super::length_groups::Groups;
use super::linear::Linear;
use super::loader::{Loader, indices};
use super::rms_norm::RmsNorm;
use super::rotary::Angles;
use super::window::window_bias;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::decoder::{self, AsDecoder, TOKEN_EMBEDDINGS};
use crate::architecture::post_norm::Activation;
use crate::batch::Batch;
use crate::kv_cache::{KvCache, before};
use burn::module::{Module, Param};
use burn::tensor::Tensor;
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
    after_attention: Option<RmsNorm>,
    after_mlp: Option<RmsNorm>,
    #[module(skip)]
    heads: Heads,
    #[module(skip)]
    query_scale: f32,
    #[module(skip)]
    activation: Activation,
}

/// What layers of one view share in a batch.
struct Around {
    angles: Angles,
    window: Option<Vec<Tensor<4>>>, // added to the scores of each group
}

impl<C: AsDecoder> Network for Decoder<C> {
    type Config = C;

    fn load(config: &C, loader: &Loader<'_>) -> Result<Self> {
        let config = config.decoder();
        let (vocabulary, hidden) = (config.vocabulary, config.hidden);
        let layers = (0..config.layers.len()).map(|i| Layer::load(loader, &config, i));
        Ok(Self {
            token_embeddings: loader.param(TOKEN_EMBEDDINGS, [vocabulary, hidden])?,
            layers: layers.collect::<Result<_>>()?,
            norm: RmsNorm::load(loader, "norm", hidden, config.epsilon, config.norms.offset())?,
            config,
            described: PhantomData,
        })
    }

    fn forward(&self, batch: &Batch<'_>, mut cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        let causal = self.config.heads.causal;
        let before = before(batch, cache.as_deref(), causal)?;
        let embeddings = self.token_embeddings.val();
        let device = embeddings.device();
        let mut x = embeddings.clone().select(0, indices(batch.ids.iter().map(|&id| id as usize), &device)); // [tokens, hidden]
        if self.config.embedding_scale != 1.0 {
            x = x * self.config.embedding_scale;
        }
        let groups = &Groups::of(batch.lengths, causal, &device);
        let around = self.config.views.iter().map(|view| Around {
            angles: Angles::of(
                self.config.angles(view, before + batch.longest()),
                self.config.heads.dim,
                batch,
                before,
                &embeddings,
            ),
            window: window_bias(groups, before, self.config.heads, view.window, &embeddings),
        });
        let around: Vec<Around> = around.collect();
        for (i, (layer, &view)) in self.layers.iter().zip(&self.config.layers).enumerate() {
            let Around { angles, window } = &around[view];
            let past = match batch.prefix.or(cache.as_deref()) {
                None => None,
                Some(past) => past.tensors(i)?,
            };
            let [q, k, v] = layer.project(&x, angles);
            if let Some(cache) = &mut cache {
                cache.append(i, k.clone(), v.clone())?;
            }
            let bias = window.as_deref();
            let attention = Attention { groups, heads: layer.heads, past, bias, dropout: None };
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
        let (epsilon, offset) = (config.epsilon, config.norms.offset());
        let norm = |name: &str, dim: usize| RmsNorm::load(loader, &at(name), dim, epsilon, offset);
        let head_norm = |name: &str| config.head_norms.then(|| norm(name, heads.dim)).transpose();
        let [input_norm, inner_norm] = config.norms.before();
        let [after_attention, after_mlp] = match config.norms.after() {
            None => [None, None],
            Some(names) => names.map(Some),
        };
        let after = |name: Option<&str>| name.map(|name| norm(name, hidden)).transpose();
        let (queries, keys) = (heads.query * heads.dim, heads.key * heads.dim);
        Ok(Self {
            input_norm: norm(input_norm, hidden)?,
            query: linear("self_attn.q_proj", [hidden, queries])?,
            key: linear("self_attn.k_proj", [hidden, keys])?,
            value: linear("self_attn.v_proj", [hidden, keys])?,
            query_norm: head_norm("self_attn.q_norm")?,
            key_norm: head_norm("self_attn.k_norm")?,
            out: linear("self_attn.o_proj", [queries, hidden])?,
            inner_norm: norm(inner_norm, hidden)?,
            gate: linear("mlp.gate_proj", [hidden, inner])?,
            up: linear("mlp.up_proj", [hidden, inner])?,
            down: linear("mlp.down_proj", [inner, hidden])?,
            after_attention: after(after_attention)?,
            after_mlp: after(after_mlp)?,
            heads,
            query_scale: config.query_scale,
            activation: config.activation,
        })
    }

    /// Queries, keys and values of states `[tokens, hidden]`, each `[tokens, heads, dim]`.
    fn project(&self, x: &Tensor<2>, angles: &Angles) -> [Tensor<3>; 3] {
        let (tokens, heads) = (x.dims()[0], self.heads);
        let x = self.input_norm.forward(x.clone());
        let part =
            |layer: &Linear, count: usize| layer.forward(x.clone()).reshape([tokens, count, heads.dim]);
        let mut q = angles.rotate(normed(&self.query_norm, part(&self.query, heads.query)));
        if self.query_scale != 1.0 {
            q = q * self.query_scale;
        }
        let k = angles.rotate(normed(&self.key_norm, part(&self.key, heads.key)));
        [q, k, part(&self.value, heads.key)]
    }

    /// The states after the layer, of those before it and what attention gave.
    fn finish(&self, x: Tensor<2>, attended: Tensor<2>) -> Tensor<2> {
        let x = x + normed(&self.after_attention, self.out.forward(attended)); // [tokens, hidden]
        let inner = self.inner_norm.forward(x.clone());
        let gate = self.gate.forward(inner.clone()); // [tokens, intermediate]
        let gate = activate(self.activation, gate);
        x + normed(&self.after_mlp, self.down.forward(gate * self.up.forward(inner)))
    }
}

/// Normalised where there is a normalisation.
fn normed<const D: usize>(norm: &Option<RmsNorm>, x: Tensor<D>) -> Tensor<D> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}
