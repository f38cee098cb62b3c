use super::Network;
use super::activation::activate;
use super::attention::Attention;
use super::length_groups::Groups;
use super::linear::Linear;
use super::loader::{Loader, indices};
use super::rotary::Angles;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::nomic_bert::{
    Config, EMBEDDINGS_NORM, LayerNames, TOKEN_EMBEDDINGS, TYPE_EMBEDDINGS,
};
use crate::architecture::post_norm::Activation;
use crate::batch::Batch;
use crate::kv_cache::{KvCache, before};
use burn::module::{Module, Param};
use burn::nn::{Dropout, LayerNorm};
use burn::tensor::Tensor;

/// NomicBERT (Nussbaum et al., 2024): attention in both directions, rotary positions, gated feed-forward blocks,
/// normalisation after each block.
#[derive(Module, Debug)]
pub(crate) struct NomicBert {
    token_embeddings: Param<Tensor<2>>,      // [vocabulary, hidden]
    token_type_embeddings: Param<Tensor<2>>, // [types, hidden]
    norm: LayerNorm,
    dropout: Dropout,
    layers: Vec<Layer>,
    #[module(skip)]
    config: Config,
}

#[derive(Module, Debug)]
struct Layer {
    qkv: Linear,
    attention_dropout: Dropout,
    out: Linear,
    attention_norm: LayerNorm,
    gate: Linear,
    up: Linear,
    down: Linear,
    output_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    heads: Heads,
    #[module(skip)]
    activation: Activation,
}

impl Network for NomicBert {
    type Config = Config;

    fn load(config: &Config, loader: &Loader<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(loader, config, i));
        Ok(Self {
            token_embeddings: loader.param(TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            token_type_embeddings: loader.param(TYPE_EMBEDDINGS, [config.type_vocab_size, hidden])?,
            norm: loader.layer_norm(EMBEDDINGS_NORM, hidden, config.layer_norm_eps)?,
            dropout: loader.dropout(config.hidden_dropout_prob),
            layers: layers.collect::<Result<_>>()?,
            config: config.clone(),
        })
    }

    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        before(batch, cache.as_deref(), false)?; // there are none
        let embeddings = self.token_embeddings.val();
        let device = embeddings.device();
        let table = self.config.angles(batch.longest());
        let angles = &Angles::of(table, self.config.heads().dim, batch, 0, &embeddings);
        let tokens = embeddings.select(0, indices(batch.ids.iter().map(|&id| id as usize), &device));
        let first_type = self.token_type_embeddings.val().narrow(0, 0, 1); // [1, hidden]
        let mut x = self.dropout.forward(self.norm.forward(tokens + first_type)); // [tokens, hidden]
        let groups = &Groups::of(batch.lengths, false, &device);
        for layer in &self.layers {
            x = layer.forward(x, groups, angles);
        }
        Ok(match batch.rows() {
            None => x,
            Some(rows) => x.select(0, indices(rows, &device)),
        })
    }
}

impl Layer {
    fn load(loader: &Loader<'_>, config: &Config, i: usize) -> Result<Self> {
        let (hidden, inner, names) = (config.hidden_size, config.intermediate_size, LayerNames::of(i));
        let heads = config.heads();
        let norm = |name: &str| loader.layer_norm(name, hidden, config.layer_norm_eps);
        Ok(Self {
            qkv: loader.linear(&names.qkv, [hidden, heads.width()])?,
            attention_dropout: loader.dropout(config.attention_probs_dropout_prob),
            out: loader.linear(&names.out, [heads.query * heads.dim, hidden])?,
            attention_norm: norm(&names.attention_norm)?,
            gate: loader.linear(&names.gate, [hidden, inner])?,
            up: loader.linear(&names.up, [hidden, inner])?,
            down: loader.linear(&names.down, [inner, hidden])?,
            output_norm: norm(&names.output_norm)?,
            dropout: loader.dropout(config.hidden_dropout_prob),
            heads,
            activation: config.activation,
        })
    }

    /// `[tokens, hidden]`, kept.
    fn forward(&self, x: Tensor<2>, groups: &Groups, angles: &Angles) -> Tensor<2> {
        let (tokens, heads) = (x.dims()[0], self.heads);
        let width = heads.query * heads.dim;
        let qkv = self.qkv.forward(x.clone()); // [tokens, 3 * width]
        let part =
            |i: usize| qkv.clone().narrow(1, i * width, width).reshape([tokens, heads.query, heads.dim]);
        let (q, k) = (angles.rotate(part(0)), angles.rotate(part(1)));
        let dropout = Some(&self.attention_dropout);
        let attended = Attention { groups, heads, past: None, bias: None, dropout }.forward(q, k, part(2));
        let x = self.attention_norm.forward(x + self.dropout.forward(self.out.forward(attended)));
        let gated = activate(self.activation, self.gate.forward(x.clone())) * self.up.forward(x.clone());
        self.output_norm.forward(x + self.dropout.forward(self.down.forward(gated)))
    }
}
