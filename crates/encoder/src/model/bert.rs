use super::attention::attend;
use super::layers::{Dense, LayerNorm};
use super::{index, positions};
use crate::architecture::Heads;
use crate::architecture::bert::{Activation, Config, WORDS};
use crate::checkpoint::Checkpoint;
use crate::{Device, Result};
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
    device: Device,
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
    pub(super) fn load(config: &Config, checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        let hidden = config.hidden_size;
        let places = [config.max_position_embeddings, hidden];
        let places = checkpoint.tensor("embeddings.position_embeddings.weight", places, device)?;
        let kinds = [config.type_vocab_size, hidden];
        let kinds = checkpoint.tensor("embeddings.token_type_embeddings.weight", kinds, device)?;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(checkpoint, config, i, device));
        Ok(Self {
            words: checkpoint.tensor(WORDS, [config.vocab_size, hidden], device)?,
            positions: places + kinds.narrow(0, 0, 1),
            norm: LayerNorm::load(checkpoint, "embeddings.LayerNorm", hidden, config.layer_norm_eps, device)?,
            layers: layers.collect::<Result<_>>()?,
            activation: config.activation(),
            heads: config.heads(),
            device: device.clone(),
        })
    }

    /// States of packed tokens, `[tokens, hidden]`.
    pub(super) fn forward(&self, ids: &[u32], lengths: &[usize]) -> Tensor<2> {
        let ids = index(ids.iter().map(|&id| i64::from(id)).collect(), &self.device);
        let words = self.words.clone().select(0, ids);
        let places = self.positions.clone().select(0, index(positions(lengths), &self.device));
        let mut x = self.norm.forward(words + places); // [tokens, hidden]
        for layer in &self.layers {
            x = layer.forward(x, lengths, self.heads, self.activation);
        }
        x
    }
}

impl Layer {
    fn load(checkpoint: &Checkpoint, config: &Config, i: usize, device: &Device) -> Result<Self> {
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let at = |name: &str| format!("encoder.layer.{i}.{name}");
        let qkv = ["query", "key", "value"].map(|part| (at(&format!("attention.self.{part}")), hidden));
        Ok(Self {
            qkv: Dense::fused(checkpoint, &qkv, hidden, device)?,
            out: Dense::load(checkpoint, &at("attention.output.dense"), hidden, hidden, device)?,
            attention_norm: LayerNorm::load(
                checkpoint,
                &at("attention.output.LayerNorm"),
                hidden,
                eps,
                device,
            )?,
            up: Dense::load(checkpoint, &at("intermediate.dense"), hidden, inner, device)?,
            down: Dense::load(checkpoint, &at("output.dense"), inner, hidden, device)?,
            output_norm: LayerNorm::load(checkpoint, &at("output.LayerNorm"), hidden, eps, device)?,
        })
    }

    fn forward(&self, x: Tensor<2>, lengths: &[usize], heads: Heads, activation: Activation) -> Tensor<2> {
        let [tokens, hidden] = x.dims();
        let qkv = self.qkv.forward(x.clone()); // [tokens, 3 * hidden]
        let part =
            |i: usize| qkv.clone().narrow(1, i * hidden, hidden).reshape([tokens, heads.query, heads.dim]);
        let attended = attend(part(0), part(1), part(2), lengths, heads); // [tokens, hidden]
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
