use super::{positions, sound, supported};
use crate::attention::{Heads, attend};
use crate::layers::{Dense, LayerNorm};
use crate::layout::Layout;
use crate::weights::Weights;
use crate::{Device, Result};
use burn::tensor::activation::{gelu, gelu_approximate, relu};
use burn::tensor::{Int, Tensor, TensorData};
use serde::Deserialize;
use std::path::PathBuf;

/// BERT (Devlin et al., 2019): learnt positions, attention in both directions, normalisation after each block.
pub(crate) struct Bert {
    words: Tensor<2>,     // [vocabulary, hidden]
    positions: Tensor<2>, // [positions, hidden], the first token type added
    norm: LayerNorm,
    layers: Vec<Layer>,
    activation: Activation,
    heads: Heads,
    config: Config,
    files: Vec<PathBuf>,
    device: Device,
}

#[derive(Deserialize)]
struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    layer_norm_eps: f64,
    hidden_act: String,
    #[serde(default)]
    position_embedding_type: Option<String>,
}

fn two() -> usize {
    2
}

struct Layer {
    qkv: Dense,
    out: Dense,
    attention_norm: LayerNorm,
    up: Dense,
    down: Dense,
    output_norm: LayerNorm,
}

#[derive(Clone, Copy)]
enum Activation {
    Gelu,
    GeluTanh,
    Relu,
}

impl Bert {
    pub(crate) fn load(layout: &Layout, device: &Device) -> Result<Self> {
        let config: Config = layout.config()?;
        let position_type = config.position_embedding_type.as_deref().unwrap_or("absolute");
        supported(layout, "position_embedding_type", position_type, position_type == "absolute", "absolute")?;
        let activation = match config.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => {
                supported(layout, "hidden_act", other, false, "gelu, gelu_new, gelu_pytorch_tanh, relu")?;
                Activation::Relu
            }
        };
        let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
        sound(
            layout,
            "hidden_size in num_attention_heads equal parts",
            heads > 0 && hidden > 0 && hidden % heads == 0,
        )?;
        let weights = Weights::open(&layout.transformer, "embeddings.word_embeddings.weight")?;
        let words =
            weights.tensor("embeddings.word_embeddings.weight", [config.vocab_size, hidden], device)?;
        let rows = config.max_position_embeddings;
        let places = weights.tensor("embeddings.position_embeddings.weight", [rows, hidden], device)?;
        let kinds = weights.tensor(
            "embeddings.token_type_embeddings.weight",
            [config.type_vocab_size, hidden],
            device,
        )?;
        let layers = (0..config.num_hidden_layers).map(|i| Layer::load(&weights, &config, i, device));
        Ok(Self {
            words,
            positions: places + kinds.narrow(0, 0, 1),
            norm: LayerNorm::load(&weights, "embeddings.LayerNorm", hidden, config.layer_norm_eps, device)?,
            layers: layers.collect::<Result<_>>()?,
            activation,
            heads: Heads { query: heads, key: heads, dim: hidden / heads, causal: false },
            files: weights.paths().map(Into::into).collect(),
            device: device.clone(),
            config,
        })
    }

    /// States of packed tokens, `[tokens, hidden]`.
    pub(crate) fn forward(&self, ids: &[u32], lengths: &[usize]) -> Tensor<2> {
        let tokens = ids.len();
        let index =
            |values: Vec<i64>| Tensor::<1, Int>::from_data(TensorData::new(values, [tokens]), &self.device);
        let words = self.words.clone().select(0, index(ids.iter().map(|&id| i64::from(id)).collect()));
        let places = self.positions.clone().select(0, index(positions(lengths)));
        let mut x = self.norm.forward(words + places); // [tokens, hidden]
        for layer in &self.layers {
            x = layer.forward(x, lengths, self.heads, self.activation);
        }
        x
    }

    pub(crate) fn dim(&self) -> usize {
        self.config.hidden_size
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.config.vocab_size
    }

    pub(crate) fn positions(&self) -> usize {
        self.config.max_position_embeddings
    }

    pub(crate) fn files(&self) -> &[PathBuf] {
        &self.files
    }
}

impl Layer {
    fn load(weights: &Weights, config: &Config, i: usize, device: &Device) -> Result<Self> {
        let (hidden, inner, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let at = |name: &str| format!("encoder.layer.{i}.{name}");
        let qkv = ["query", "key", "value"].map(|part| (at(&format!("attention.self.{part}")), hidden));
        Ok(Self {
            qkv: Dense::fused(weights, &qkv, hidden, device)?,
            out: Dense::load(weights, &at("attention.output.dense"), hidden, hidden, device)?,
            attention_norm: LayerNorm::load(weights, &at("attention.output.LayerNorm"), hidden, eps, device)?,
            up: Dense::load(weights, &at("intermediate.dense"), hidden, inner, device)?,
            down: Dense::load(weights, &at("output.dense"), inner, hidden, device)?,
            output_norm: LayerNorm::load(weights, &at("output.LayerNorm"), hidden, eps, device)?,
        })
    }

    fn forward(&self, x: Tensor<2>, lengths: &[usize], heads: Heads, activation: Activation) -> Tensor<2> {
        let [tokens, hidden] = x.dims();
        let qkv = self.qkv.forward(x.clone()); // [tokens, 3 * hidden]
        let part =
            |i: usize| qkv.clone().narrow(1, i * hidden, hidden).reshape([tokens, heads.query, heads.dim]);
        let attended = attend(part(0), part(1), part(2), lengths, heads); // [tokens, hidden]
        let x = self.attention_norm.forward(x + self.out.forward(attended));
        let inner = activation.forward(self.up.forward(x.clone())); // [tokens, intermediate]
        self.output_norm.forward(x + self.down.forward(inner))
    }
}

impl Activation {
    fn forward(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Gelu => gelu(x),
            Self::GeluTanh => gelu_approximate(x),
            Self::Relu => relu(x),
        }
    }
}
