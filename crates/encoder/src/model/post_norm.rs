use super::Loader;
use super::activation::activate;
use super::attention::Attention;
use super::length_groups::Groups;
use super::linear::Linear;
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::post_norm::{Activation, PostNorm};
use burn::module::Module;
use burn::nn::{Dropout, LayerNorm};
use burn::tensor::Tensor;

/// A layer of BERT and its descendants; see [`PostNorm`].
#[derive(Module, Debug)]
pub(super) struct PostNormLayer {
    query: Linear,
    key: Linear,
    value: Linear,
    attention_dropout: Dropout,
    out: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    output_norm: LayerNorm,
    dropout: Dropout,
    #[module(skip)]
    heads: Heads,
    #[module(skip)]
    activation: Activation,
}

impl PostNormLayer {
    /// All layers of a model.
    pub(super) fn load_all(config: &PostNorm, loader: &Loader<'_>) -> Result<Vec<Self>> {
        (0..config.layers).map(|i| Self::load(config, loader, i)).collect()
    }

    fn load(config: &PostNorm, loader: &Loader<'_>, i: usize) -> Result<Self> {
        let (hidden, inner, names) = (config.hidden, config.intermediate, (config.names)(i));
        let [query, key, value] = names.qkv;
        let norm = |name: &str| loader.layer_norm(name, hidden, config.epsilon);
        Ok(Self {
            query: loader.linear(&query, [hidden, hidden])?,
            key: loader.linear(&key, [hidden, hidden])?,
            value: loader.linear(&value, [hidden, hidden])?,
            attention_dropout: loader.dropout(config.attention_dropout),
            out: loader.linear(&names.out, [hidden, hidden])?,
            attention_norm: norm(&names.attention_norm)?,
            up: loader.linear(&names.up, [hidden, inner])?,
            down: loader.linear(&names.down, [inner, hidden])?,
            output_norm: norm(&names.output_norm)?,
            dropout: loader.dropout(config.dropout),
            heads: config.heads,
            activation: config.activation,
        })
    }

    /// `[tokens, hidden]`, kept; `bias` is added to the attention scores of each group.
    pub(super) fn forward(&self, x: Tensor<2>, groups: &Groups, bias: Option<&[Tensor<4>]>) -> Tensor<2> {
        let (tokens, heads) = (x.dims()[0], self.heads);
        let part = |layer: &Linear| layer.forward(x.clone()).reshape([tokens, heads.query, heads.dim]);
        let attention = Attention { groups, heads, past: None, bias, dropout: Some(&self.attention_dropout) };
        let attended = attention.forward(part(&self.query), part(&self.key), part(&self.value)); // [tokens, hidden]
        let x = self.attention_norm.forward(x + self.dropout.forward(self.out.forward(attended)));
        let inner = activate(self.activation, self.up.forward(x.clone())); // [tokens, intermediate]
        self.output_norm.forward(x + self.dropout.forward(self.down.forward(inner)))
    }
}
