use super::attention::attend;
use super::groups::Groups;
use super::layers::{Dense, LayerNorm};
use super::{Place, positions};
use crate::Result;
use crate::architecture::Heads;
use crate::architecture::bert::{Activation, Config, WORDS};
use crate::checkpoint::Checkpoint;
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, gelu_approximate, relu};

/// BERT (Devlin et al., 2019): learnt positions, attention in both directions, normalisation after each block.
pub(crate) struct Bert {
    words: Tensor<2>,     // [vocabulary, hidden]
    positions: Tensor<2>, // [positions, hidden], the first token type added
    norm: LayerNorm,
    layers: Vec<Layer>,
    activation: Activation,
    heads: Heads,
}

struct Layer {
    qkv: Dense,
    out: Dense,
    attention_norm: LayerNorm,
    up: Dense,
    down: Dense,
    output_norm: LayerNorm,
}

impl Bert {
    pub(super) fn load(config: &Config, checkpoint: &Checkpoint, place: &Place) -> Result<Self> {
        let hidden = config.hidden_size;
        let places = [config.max_position_embeddings, hidden];
        let places = place.load(checkpoint, "embeddings.position_embeddings.weight", places)?;
        let kinds = [config.type_vocab_size, hidden];
        let kinds = place.load(checkpoint, "embeddings.token_type_embeddings.weight", kinds)?;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(checkpoint, config, i, place));
        Ok(Self {
            words: place.load(checkpoint, WORDS, [config.vocab_size, hidden])?,
            positions: places + kinds.narrow(0, 0, 1),
            norm: LayerNorm::load(checkpoint, "embeddings.LayerNorm", hidden, config.layer_norm_eps, place)?,
            layers: layers.collect::<Result<_>>()?,
            activation: config.activation(),
            heads: config.heads(),
        })
    }

    /// States of packed tokens, `[tokens, hidden]`.
    pub(super) fn forward(&self, ids: &[u32], lengths: &[usize], place: &Place) -> Tensor<2> {
        let ids = place.index(ids.iter().map(|&id| id as usize));
        let words = self.words.clone().select(0, ids);
        let places = self.positions.clone().select(0, place.index(positions(lengths)));
        let groups = Groups::of(lengths, self.heads.causal, place);
        let mut x = self.norm.forward(words + places); // [tokens, hidden]
        for layer in &self.layers {
            x = layer.forward(x, &groups, self.heads, self.activation);
        }
        x
    }
}

impl Layer {
    fn load(checkpoint: &Checkpoint, config: &Config, i: usize, place: &Place) -> Result<Self> {
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let at = |name: &str| format!("encoder.layer.{i}.{name}");
        let qkv = ["query", "key", "value"].map(|part| (at(&format!("attention.self.{part}")), hidden));
        Ok(Self {
            qkv: Dense::fused(checkpoint, &qkv, hidden, place)?,
            out: Dense::load(checkpoint, &at("attention.output.dense"), hidden, hidden, place)?,
            attention_norm: LayerNorm::load(
                checkpoint,
                &at("attention.output.LayerNorm"),
                hidden,
                eps,
                place,
            )?,
            up: Dense::load(checkpoint, &at("intermediate.dense"), hidden, inner, place)?,
            down: Dense::load(checkpoint, &at("output.dense"), inner, hidden, place)?,
            output_norm: LayerNorm::load(checkpoint, &at("output.LayerNorm"), hidden, eps, place)?,
        })
    }

    fn forward(&self, x: Tensor<2>, groups: &Groups, heads: Heads, activation: Activation) -> Tensor<2> {
        let [tokens, hidden] = x.dims();
        let qkv = self.qkv.forward(x.clone()); // [tokens, 3 * hidden]
        let part =
            |i: usize| qkv.clone().narrow(1, i * hidden, hidden).reshape([tokens, heads.query, heads.dim]);
        let attended = attend(part(0), part(1), part(2), groups, heads); // [tokens, hidden]
        let x = self.attention_norm.forward(x + self.out.forward(attended));
        let inner = activate(activation, self.up.forward(x.clone())); // [tokens, intermediate]
        self.output_norm.forward(x + self.down.forward(inner))
    }
}

fn activate(activation: Activation, x: Tensor<2>) -> Tensor<2> {
    match activation {
        Activation::Gelu => gelu(x),
        Activation::GeluTanh => gelu_approximate(x),
        Activation::Relu => relu(x),
    }
}
