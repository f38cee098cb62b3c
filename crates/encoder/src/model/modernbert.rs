use super::Network;
use super::activation::activate;
use super::attention::Attention;
use super::length_groups::Groups;
use super::linear::Linear;
use super::loader::{Loader, indices};
use super::rotary::Angles;
use super::window::window_bias;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::modernbert::{Config, EMBEDDINGS_NORM, FINAL_NORM, LayerNames, TOKEN_EMBEDDINGS};
use crate::architecture::post_norm::Activation;
use crate::batch::Batch;
use crate::kv_cache::{KvCache, before};
use burn::module::{Module, Param};
use burn::nn::{Dropout, LayerNorm};
use burn::tensor::Tensor;

/// ModernBERT (Warner et al., 2024): attention in both directions, in most layers within a window; rotary positions,
/// normalisation before each block, gated feed-forward blocks.
#[derive(Module, Debug)]
pub(crate) struct ModernBert {
    token_embeddings: Param<Tensor<2>>, // [vocabulary, hidden]
    norm: LayerNorm,
    dropout: Dropout,
    layers: Vec<Layer>,
    final_norm: LayerNorm,
    #[module(skip)]
    config: Config,
}

#[derive(Module, Debug)]
struct Layer {
    attention_norm: Option<LayerNorm>,
    qkv: Linear,
    attention_dropout: Dropout,
    out: Linear,
    inner_norm: LayerNorm,
    up_gate: Linear,
    inner_dropout: Dropout,
    down: Linear,
    #[module(skip)]
    heads: Heads,
    #[module(skip)]
    activation: Activation,
}

impl Network for ModernBert {
    type Config = Config;

    fn load(config: &Config, loader: &Loader<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let norm = |name: &str| loader.layer_norm(name, hidden, config.norm_eps);
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(loader, config, i));
        Ok(Self {
            token_embeddings: loader.param(TOKEN_EMBEDDINGS, [config.vocab_size, hidden])?,
            norm: norm(EMBEDDINGS_NORM)?,
            dropout: loader.dropout(config.embedding_dropout),
            layers: layers.collect::<Result<_>>()?,
            final_norm: norm(FINAL_NORM)?,
            config: config.clone(),
        })
    }

    fn forward(&self, batch: &Batch<'_>, cache: Option<&mut KvCache>) -> Result<Tensor<2>> {
        before(batch, cache.as_deref(), false)?; // there are none
        let embeddings = self.token_embeddings.val();
        let device = embeddings.device();
        let heads = self.config.heads();
        let tables = self.config.angles(batch.longest());
        let [full, local] = tables.map(|table| Angles::of(table, heads.dim, batch, 0, &embeddings));
        let tokens = embeddings.select(0, indices(batch.ids.iter().map(|&id| id as usize), &device));
        let mut x = self.dropout.forward(self.norm.forward(tokens)); // [tokens, hidden]
        let groups = &Groups::of(batch.lengths, false, &device);
        let window = (0..self.layers.len()).find_map(|i| self.config.window(i));
        let biases = window_bias(groups, 0, heads, window, &x);
        for (i, layer) in self.layers.iter().enumerate() {
            x = match self.config.window(i) {
                None => layer.forward(x, groups, &full, None),
                Some(_) => layer.forward(x, groups, &local, biases.as_deref()),
            };
        }
        let x = match batch.rows() {
            None => x,
            Some(rows) => x.select(0, indices(rows, &device)),
        };
        Ok(self.final_norm.forward(x))
    }
}

impl Layer {
    fn load(loader: &Loader<'_>, config: &Config, i: usize) -> Result<Self> {
        let (hidden, inner, names) = (config.hidden_size, config.intermediate_size, LayerNames::of(i));
        let norm = |name: &str| loader.layer_norm(name, hidden, config.norm_eps);
        Ok(Self {
            attention_norm: names.attention_norm.map(|name| norm(&name)).transpose()?,
            qkv: loader.linear(&names.qkv, [hidden, 3 * hidden])?,
            attention_dropout: loader.dropout(config.attention_dropout),
            out: loader.linear(&names.out, [hidden, hidden])?,
            inner_norm: norm(&names.inner_norm)?,
            up_gate: loader.linear(&names.up_gate, [hidden, 2 * inner])?,
            inner_dropout: loader.dropout(config.mlp_dropout),
            down: loader.linear(&names.down, [inner, hidden])?,
            heads: config.heads(),
            activation: config.activation,
        })
    }

    /// `[tokens, hidden]`, kept; `bias` is added to the attention scores of each group.
    fn forward(
        &self,
        x: Tensor<2>,
        groups: &Groups,
        angles: &Angles,
        bias: Option<&[Tensor<4>]>,
    ) -> Tensor<2> {
        let ([tokens, hidden], heads) = (x.dims(), self.heads);
        let normed = match &self.attention_norm {
            None => x.clone(),
            Some(norm) => norm.forward(x.clone()),
        };
        let qkv = self.qkv.forward(normed); // [tokens, 3 * hidden]
        let part =
            |i: usize| qkv.clone().narrow(1, i * hidden, hidden).reshape([tokens, heads.query, heads.dim]);
        let (q, k) = (angles.rotate(part(0)), angles.rotate(part(1)));
        let dropout = Some(&self.attention_dropout);
        let attended = Attention { groups, heads, past: None, bias, dropout }.forward(q, k, part(2));
        let x = x + self.attention_dropout.forward(self.out.forward(attended)); // [tokens, hidden]
        let up_gate = self.up_gate.forward(self.inner_norm.forward(x.clone()));
        let inner = up_gate.dims()[1] / 2;
        let up = activate(self.activation, up_gate.clone().narrow(1, 0, inner));
        let gated = up * up_gate.narrow(1, inner, inner); // [tokens, intermediate]
        x + self.down.forward(self.inner_dropout.forward(gated))
    }
}
